"""Order endpoints: place, query, amend, cancel, and the histories of orders and trades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from simulator.binance.errors import ApiError
from simulator.binance.params import Params
from simulator.binance.rest import Context
from simulator.binance.wire import Json, order_json, trade_json
from simulator.engine.account import Account
from simulator.engine.order import ZERO, Fill, Order, OrderRequest, OrderType, PositionSide, Side, TimeInForce

MOVED_TO_ALGO = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
T = TypeVar("T")
NO_SUCH_ORDER = (-2013, "Order does not exist.")


def place_order(ctx: Context) -> object:
    """POST /fapi/v1/order."""
    params = ctx.params
    instrument = ctx.exchange.state.instrument(params.text("symbol"))
    response = params.optional("newOrderRespType") or "ACK"
    if response not in {"ACK", "RESULT"}:
        raise ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    order = ctx.exchange.desk.place(ctx.account, read_order(params, ctx.received_ms))
    reply = order_json(instrument, order, acknowledgement=response == "ACK")
    del reply["time"]
    return reply


def check_order(ctx: Context) -> object:
    """POST /fapi/v1/order/test: the same reading of parameters, no order."""
    ctx.exchange.state.instrument(ctx.params.text("symbol"))
    read_order(ctx.params, ctx.received_ms)
    return {}


def read_order(params: Params, received_ms: int) -> OrderRequest:
    """Read the parameters of a new order."""
    side = params.choice("side", Side)
    if params.values.get("type") in MOVED_TO_ALGO:
        raise ApiError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    kind = params.choice("type", OrderType)
    price = ZERO
    time_in_force = TimeInForce.GTC
    if kind is OrderType.LIMIT:
        params.text("timeInForce")
        time_in_force = params.choice("timeInForce", TimeInForce)
        price = params.decimal("price")
    else:
        for name in ("price", "timeInForce"):
            if params.optional(name):
                raise ApiError(-1106, f"Parameter '{name}' sent when not required.")
    return OrderRequest(
        symbol=params.text("symbol"),
        side=side,
        type=kind,
        quantity=params.decimal("quantity"),
        price=price,
        time_in_force=time_in_force,
        position_side=params.choice("positionSide", PositionSide, PositionSide.BOTH),
        reduce_only=params.flag("reduceOnly"),
        client_order_id=params.client_id("newClientOrderId"),
        received_ms=received_ms,
    )


def find_order(ctx: Context) -> Order | None:
    """Return the order that orderId or origClientOrderId names, or None; orderId rules when both are given."""
    params, account = ctx.params, ctx.account
    symbol = params.text("symbol")
    ctx.exchange.state.instrument(symbol)
    order_id = params.optional_integer("orderId")
    client_id = params.optional("origClientOrderId")
    if order_id is None and client_id is None:
        raise ApiError(
            -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        )
    found = account.orders.get(order_id) if order_id is not None else account.client_ids.get(client_id or "")
    return found if found is not None and found.symbol == symbol else None


def query_order(ctx: Context) -> object:
    """GET /fapi/v1/order: not before the visibility lag is over."""
    order = find_order(ctx)
    if order is None or order.visible_ms > ctx.exchange.state.now():
        raise ApiError(*NO_SUCH_ORDER)
    return _json(ctx, order)


def query_open_order(ctx: Context) -> object:
    """GET /fapi/v1/openOrder."""
    order = find_order(ctx)
    if order is None or not order.is_open or order.visible_ms > ctx.exchange.state.now():
        raise ApiError(*NO_SUCH_ORDER)
    return _json(ctx, order)


def cancel_order(ctx: Context) -> object:
    """DELETE /fapi/v1/order."""
    return _json(ctx, ctx.exchange.desk.cancel(ctx.account, find_order(ctx)))


def amend_order(ctx: Context) -> object:
    """PUT /fapi/v1/order: new price and quantity of a limit order."""
    order = find_order(ctx)
    side = ctx.params.choice("side", Side)
    if order is None or not order.is_open:
        raise ApiError(*NO_SUCH_ORDER)
    if side is not order.side:
        raise ApiError(-1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed.")
    price, quantity = ctx.params.decimal("price"), ctx.params.decimal("quantity")
    return _json(ctx, ctx.exchange.desk.amend(ctx.account, order, price, quantity))


def cancel_all(ctx: Context) -> object:
    """DELETE /fapi/v1/allOpenOrders of one symbol."""
    symbol = ctx.exchange.state.instrument(ctx.params.text("symbol")).symbol
    ctx.exchange.desk.cancel_all(ctx.account, symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def open_orders(ctx: Context) -> object:
    """GET /fapi/v1/openOrders, of one symbol or all."""
    symbol = ctx.params.optional("symbol")
    if symbol is not None:
        ctx.exchange.state.instrument(symbol)
    now = ctx.exchange.state.now()
    return [
        _json(ctx, order)
        for order in ctx.account.open_orders.values()
        if symbol in (None, order.symbol) and order.visible_ms <= now
    ]


def all_orders(ctx: Context) -> object:
    """GET /fapi/v1/allOrders: from orderId on, else the newest, oldest first."""
    symbol = ctx.exchange.state.instrument(ctx.params.text("symbol")).symbol
    first = ctx.params.optional_integer("orderId")
    start, end = _window(ctx.params)
    now = ctx.exchange.state.now()
    found = [
        order
        for order in ctx.account.orders.values()
        if order.symbol == symbol and order.visible_ms <= now and start <= order.created_ms <= end
        if first is None or order.order_id >= first
    ]
    return [_json(ctx, order) for order in _page(found, ctx.params, from_start=first is not None)]


def user_trades(ctx: Context) -> object:
    """GET /fapi/v1/userTrades: from fromId on, of one order, or the newest; oldest first."""
    instrument = ctx.exchange.state.instrument(ctx.params.text("symbol"))
    first, order_id = ctx.params.optional_integer("fromId"), ctx.params.optional_integer("orderId")
    start, end = _window(ctx.params)
    now = ctx.exchange.state.now()
    found = [
        fill
        for fill in _fills(ctx.account, instrument.symbol)
        if fill.visible_ms <= now and start <= fill.time_ms <= end
        if (first is None or fill.trade_id >= first) and order_id in (None, fill.order_id)
    ]
    paged = first is not None or ctx.params.optional("startTime") is not None
    return [trade_json(instrument, fill) for fill in _page(found, ctx.params, from_start=paged)]


def _fills(account: Account, symbol: str) -> Iterable[Fill]:
    return (fill for fill in account.fills if fill.symbol == symbol)


def _window(params: Params) -> tuple[int, int]:
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    if start is not None and end is not None and start > end:
        raise ApiError(-1023, "Start time is greater than end time.")
    return (start or 0, end if end is not None else 2**63)


def _page(found: list[T], params: Params, *, from_start: bool) -> list[T]:
    size = params.limit(500, 1000)
    return found[:size] if from_start else found[-size:]


def _json(ctx: Context, order: Order) -> Json:
    return order_json(ctx.exchange.state.instruments[order.symbol], order)
