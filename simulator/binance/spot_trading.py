"""Order endpoints of spot: place, query, cancel, and the histories of orders and trades."""

from __future__ import annotations

from simulator.binance.entries import Entry, cancel_entry, find_entry, refuse_duplicate
from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.binance.spot_wire import (
    KINDS,
    cancelled_json,
    entry_json,
    order_json,
    placed_json,
    trade_json,
    waiting_json,
)
from simulator.binance.trading import NO_SUCH_ORDER, open_entries, own_fills, past_entries
from simulator.binance.wire import Json
from simulator.engine.conditional import LIMIT_KINDS, Conditional, ConditionalStatus
from simulator.engine.instrument import Instrument
from simulator.engine.order import ZERO, OrderRequest, OrderType, Side, TimeInForce

RESPONSES = {"ACK", "RESULT", "FULL"}
DAY_MS = 86_400_000


def place_order(ctx: Context) -> object:
    """POST /api/v3/order, conditional orders among them."""
    params, instrument = ctx.params, ctx.instrument
    conditional = params.values.get("type") in KINDS
    plain = "FULL" if params.values.get("type") in {"MARKET", "LIMIT"} else "ACK"
    response = params.optional("newOrderRespType") or plain
    if response not in RESPONSES:
        raise ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    refuse_duplicate(ctx, params.client_id("newClientOrderId"))
    if conditional:
        placed = ctx.exchange.conditionals.place(ctx.account, _read_conditional(ctx, instrument))
        return placed_json(waiting_json(instrument, placed), [], instrument, response)
    before = len(ctx.account.fills)
    order = ctx.exchange.desk.place(ctx.account, _read_order(ctx, instrument))
    fills = [fill for fill in ctx.account.fills[before:] if fill.order_id == order.order_id]
    return placed_json(order_json(instrument, order, order.order_id), fills, instrument, response)


def check_order(ctx: Context) -> object:
    """POST /api/v3/order/test: the same reading of parameters, no order."""
    reads = _read_conditional if ctx.params.values.get("type") in KINDS else _read_order
    reads(ctx, ctx.instrument)
    return {}


def _refuse(ctx: Context, *names: str) -> None:
    for name in names:
        if ctx.params.optional(name):
            raise ApiError(-1106, f"Parameter '{name}' sent when not required.")


def _read_order(ctx: Context, instrument: Instrument) -> OrderRequest:
    params, price, force, amount = ctx.params, ZERO, TimeInForce.GTC, ZERO
    _refuse(ctx, "reduceOnly", "positionSide", "stopPrice")
    side = params.choice("side", Side)
    maker = params.values.get("type") == "LIMIT_MAKER"
    kind = OrderType.LIMIT if maker else params.choice("type", OrderType)
    if kind is OrderType.LIMIT:
        if not maker:
            params.text("timeInForce")
            force = params.choice("timeInForce", TimeInForce)
        if force is TimeInForce.GTX:
            raise ApiError(-1115, "Invalid timeInForce.")
        price, force = params.decimal("price"), TimeInForce.GTX if maker else force
    else:
        _refuse(ctx, "price", "timeInForce")
        if params.optional("quoteOrderQty"):
            _refuse(ctx, "quantity")
            amount = params.decimal("quoteOrderQty")
    return OrderRequest(
        symbol=instrument.symbol,
        side=side,
        type=kind,
        quantity=ZERO if amount else params.decimal("quantity"),
        price=price,
        time_in_force=force,
        client_order_id=params.client_id("newClientOrderId"),
        received_ms=ctx.received_ms,
        quote_quantity=amount,
    )


def _read_conditional(ctx: Context, instrument: Instrument) -> Conditional:
    params = ctx.params
    _refuse(ctx, "reduceOnly", "positionSide")
    kind = KINDS[params.text("type")]
    limit = kind in LIMIT_KINDS
    if not limit:
        _refuse(ctx, "price", "timeInForce")
    request = OrderRequest(
        symbol=instrument.symbol,
        side=params.choice("side", Side),
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=params.decimal("quantity"),
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.choice("timeInForce", TimeInForce) if limit else TimeInForce.GTC,
        received_ms=ctx.received_ms,
    )
    name = params.client_id("newClientOrderId")
    return Conditional(
        0, name, ctx.account.account_id, kind, request, params.decimal("stopPrice"), "CONTRACT_PRICE", 0, 0
    )


def query_order(ctx: Context) -> object:
    """GET /api/v3/order: not before the visibility lag is over."""
    entry = find_entry(ctx)
    if entry is None or not entry.visible(ctx.exchange.state.now()):
        raise ApiError(*NO_SUCH_ORDER)
    return _json(ctx, entry)


def cancel_order(ctx: Context) -> object:
    """DELETE /api/v3/order."""
    row = _json(ctx, cancel_entry(ctx, find_entry(ctx)))
    return cancelled_json(row, ctx.params.client_id("newClientOrderId"))


def cancel_all(ctx: Context) -> object:
    """DELETE /api/v3/openOrders of one symbol."""
    symbol = ctx.instrument.symbol
    found = open_entries(ctx)
    if not found:
        raise ApiError(-2011, "Unknown order sent.")
    ctx.exchange.desk.cancel_all(ctx.account, symbol)
    ctx.exchange.conditionals.end_all(ctx.account, symbol, ConditionalStatus.CANCELED)
    return [cancelled_json(_json(ctx, entry), "") for entry in found]


def open_orders(ctx: Context) -> object:
    """GET /api/v3/openOrders, of one symbol or all."""
    return [_json(ctx, entry) for entry in open_entries(ctx)]


def all_orders(ctx: Context) -> object:
    """GET /api/v3/allOrders."""
    _check_day(ctx)
    return [_json(ctx, entry) for entry in past_entries(ctx)]


def my_trades(ctx: Context) -> object:
    """GET /api/v3/myTrades; a window is a day at most."""
    _check_day(ctx)
    return [trade_json(ctx.instrument, fill, number) for fill, number in own_fills(ctx)]


def _check_day(ctx: Context) -> None:
    start, end = ctx.params.optional_integer("startTime"), ctx.params.optional_integer("endTime")
    if start is not None and end is not None and end - start > DAY_MS:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")


def _json(ctx: Context, entry: Entry) -> Json:
    return entry_json(ctx.exchange.state.instruments[entry.symbol], entry)
