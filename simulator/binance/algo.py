"""The algoOrder endpoints: conditional orders, which the venue keeps apart from the order book."""

from __future__ import annotations

from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.binance.wire import conditional_json
from simulator.engine.conditional import LIMIT_KINDS, Conditional, ConditionalStatus, ConditionalType
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side, TimeInForce

WORKING_TYPES = ("CONTRACT_PRICE", "MARK_PRICE")


def place_algo(ctx: Context) -> object:
    """POST /fapi/v1/algoOrder with algoType CONDITIONAL."""
    params = ctx.params
    if params.text("algoType") != "CONDITIONAL":
        raise ApiError(-1130, "Data sent for parameter 'algoType' is not valid.")
    instrument = ctx.exchange.state.instrument(params.text("symbol"))
    kind = params.choice("type", ConditionalType)
    working_type = params.optional("workingType") or "CONTRACT_PRICE"
    if working_type not in WORKING_TYPES:
        raise ApiError(-1130, "Data sent for parameter 'workingType' is not valid.")
    close = params.flag("closePosition")
    if close and (params.optional("quantity") or params.optional("reduceOnly")):
        raise ApiError(-1106, "Parameter 'quantity' or 'reduceOnly' sent when not required.")
    limit = kind in LIMIT_KINDS
    if close and limit:
        raise ApiError(-4136, "Target strategy invalid for closePosition true.")
    trailing = kind is ConditionalType.TRAILING_STOP_MARKET
    trigger = ZERO if trailing else params.decimal("triggerPrice")
    request = OrderRequest(
        symbol=instrument.symbol,
        side=params.choice("side", Side),
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=ZERO if close else params.decimal("quantity"),
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.choice("timeInForce", TimeInForce, TimeInForce.GTC),
        position_side=params.choice("positionSide", PositionSide, PositionSide.BOTH),
        reduce_only=params.flag("reduceOnly"),
        close_position=close,
        received_ms=ctx.received_ms,
    )
    rate = params.decimal("callbackRate") if trailing else ZERO
    if trailing and not 0 < rate <= 10:
        raise ApiError(-2007, "Invalid callBack rate.")
    conditional = Conditional(
        0, params.client_id("clientAlgoId"), ctx.account.account_id, kind, request, trigger, working_type, 0, 0,
        callback_rate=rate, activation_price=params.optional_decimal("activatePrice") or ZERO,
    )  # fmt: skip
    return conditional_json(instrument, ctx.exchange.conditionals.place(ctx.account, conditional))


def _find(ctx: Context) -> Conditional | None:
    algo_id, client_id = ctx.params.optional_integer("algoId"), ctx.params.optional("clientAlgoId")
    if algo_id is None and client_id is None:
        raise ApiError(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!")
    return ctx.exchange.conditionals.find(ctx.account, algo_id, client_id)


def query_algo(ctx: Context) -> object:
    """GET /fapi/v1/algoOrder."""
    found = _find(ctx)
    if found is None:
        raise ApiError(-2013, "Order does not exist.")
    return conditional_json(ctx.exchange.state.instruments[found.request.symbol], found)


def cancel_algo(ctx: Context) -> object:
    """DELETE /fapi/v1/algoOrder."""
    found = ctx.exchange.conditionals.cancel(ctx.account, _find(ctx))
    return {"algoId": found.algo_id, "clientAlgoId": found.client_algo_id, "code": "200", "msg": "success"}


def open_algos(ctx: Context) -> object:
    """GET /fapi/v1/openAlgoOrders (also algoOpenOrders), of one symbol or all."""
    symbol = ctx.params.optional("symbol")
    return [
        conditional_json(ctx.exchange.state.instruments[c.request.symbol], c)
        for c in ctx.exchange.conditionals.of(ctx.account)
        if c.status is ConditionalStatus.NEW and symbol in (None, c.request.symbol)
    ]


def all_algos(ctx: Context) -> object:
    """GET /fapi/v1/allAlgoOrders of one symbol, oldest first."""
    instrument = ctx.exchange.state.instrument(ctx.params.text("symbol"))
    found = [c for c in ctx.exchange.conditionals.of(ctx.account) if c.request.symbol == instrument.symbol]
    return [conditional_json(instrument, c) for c in found[-ctx.params.limit(500, 1000) :]]


def cancel_open_algos(ctx: Context) -> object:
    """DELETE /fapi/v1/algoOpenOrders of one symbol."""
    symbol = ctx.exchange.state.instrument(ctx.params.text("symbol")).symbol
    ctx.exchange.conditionals.end_all(ctx.account, symbol, ConditionalStatus.CANCELED)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}
