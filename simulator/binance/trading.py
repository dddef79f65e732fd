"""Order endpoints of contracts: place, query, amend, cancel, and the histories of orders and trades."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from simulator.binance.entries import (
    Entry,
    cancel_entry,
    entries,
    entry_of,
    find_entry,
    number_of,
)
from simulator.binance.errors import ApiError
from simulator.binance.families import contract_size
from simulator.binance.params import Params
from simulator.binance.rest import Context
from simulator.binance.wire import Json, order_json, trade_json
from simulator.engine.conditional import LIMIT_KINDS, Conditional, ConditionalType
from simulator.engine.instrument import Instrument
from simulator.engine.order import ZERO, Fill, OrderRequest, OrderType, PositionSide, Side, TimeInForce

CONDITIONAL_TYPES = frozenset(kind.value for kind in ConditionalType)
WORKING_TYPES = ("CONTRACT_PRICE", "MARK_PRICE")
T = TypeVar("T")
NO_SUCH_ORDER = (-2013, "Order does not exist.")


def place_order(ctx: Context) -> object:
    """POST order; conditional orders are the Algo Service's."""
    params, instrument = ctx.params, ctx.instrument
    response = params.optional("newOrderRespType") or "ACK"
    if response not in {"ACK", "RESULT"}:
        raise ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    order = ctx.exchange.desk.place(ctx.account, read_order(ctx, instrument))
    reply = order_json(instrument, order, acknowledgement=response == "ACK")
    del reply["time"]
    return reply


def check_order(ctx: Context) -> object:
    """POST order/test: the same reading of parameters, no order."""
    read_order(ctx, ctx.instrument)
    return {}


def read_quantity(params: Params, instrument: Instrument) -> Decimal:
    """Read a quantity; of an inverse instrument in whole contracts."""
    quantity, size = params.decimal("quantity"), contract_size(instrument)
    if size != 1 and quantity % 1:
        raise ApiError(-1111, "Precision is over the maximum defined for this asset.")
    return quantity * size


def read_order(ctx: Context, instrument: Instrument) -> OrderRequest:
    """Read the parameters of a new order."""
    params = ctx.params
    side = params.choice("side", Side)
    if params.values.get("type") in CONDITIONAL_TYPES:
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
        symbol=instrument.symbol,
        side=side,
        type=kind,
        quantity=read_quantity(params, instrument),
        price=price,
        time_in_force=time_in_force,
        position_side=params.choice("positionSide", PositionSide, PositionSide.BOTH),
        reduce_only=params.flag("reduceOnly"),
        client_order_id=params.client_id("newClientOrderId"),
        received_ms=ctx.received_ms,
    )


def read_conditional(ctx: Context, instrument: Instrument) -> Conditional:
    """Read the parameters of a conditional order of the Algo Service."""
    params = ctx.params
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
    request = OrderRequest(
        symbol=instrument.symbol,
        side=params.choice("side", Side),
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=ZERO if close else read_quantity(params, instrument),
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
    return Conditional(
        0, params.client_id("clientAlgoId"), ctx.account.account_id, kind, request, ZERO if trailing else params.decimal("triggerPrice"), working_type, 0, 0,
        callback_rate=rate, activation_price=params.optional_decimal("activatePrice") or ZERO,
    )  # fmt: skip


def query_order(ctx: Context) -> object:
    """GET order: not before the visibility lag is over."""
    entry = find_entry(ctx)
    if entry is None or not entry.visible(ctx.exchange.state.now()):
        raise ApiError(*NO_SUCH_ORDER)
    return _json(ctx, entry)


def query_open_order(ctx: Context) -> object:
    """GET openOrder."""
    entry = find_entry(ctx)
    if entry is None or not entry.is_open or not entry.visible(ctx.exchange.state.now()):
        raise ApiError(*NO_SUCH_ORDER)
    return _json(ctx, entry)


def cancel_order(ctx: Context) -> object:
    """DELETE order."""
    return _json(ctx, cancel_entry(ctx, find_entry(ctx)))


def amend_order(ctx: Context) -> object:
    """PUT order: new price and quantity of a limit order."""
    entry = find_entry(ctx)
    order = entry.order if entry is not None else None
    side = ctx.params.choice("side", Side)
    if entry is None or order is None or not order.is_open:
        raise ApiError(*NO_SUCH_ORDER)
    if side is not order.side:
        raise ApiError(-1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed.")
    price, quantity = ctx.params.decimal("price"), read_quantity(ctx.params, ctx.instrument)
    ctx.exchange.desk.amend(ctx.account, order, price, quantity)
    return _json(ctx, entry)


def cancel_all(ctx: Context) -> object:
    """DELETE allOpenOrders of one symbol."""
    symbol = ctx.instrument.symbol
    ctx.exchange.desk.cancel_all(ctx.account, symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def open_entries(ctx: Context) -> list[Entry]:
    """Return what is open or waits, of one symbol or all of this market."""
    wanted = {instrument.symbol for instrument in ctx.instruments}
    now, account, desk = ctx.exchange.state.now(), ctx.account, ctx.exchange.conditionals
    keeps = ctx.family.keeps_conditionals
    resting = [o for o in account.open_orders.values() if o.symbol in wanted and o.visible_ms <= now]
    found = [entry_of(desk, account, order, keeps=keeps) for order in resting]
    if keeps:
        found += [Entry(None, c) for c in desk.live(account) if c.request.symbol in wanted]
    return found


def open_orders(ctx: Context) -> object:
    """GET openOrders, of one symbol or all."""
    return [_json(ctx, entry) for entry in open_entries(ctx)]


def past_entries(ctx: Context) -> Sequence[Entry]:
    """Return a page of one symbol: from orderId on, else the newest, oldest first."""
    symbol = ctx.instrument.symbol
    first = ctx.params.optional_integer("orderId")
    start, end = window(ctx.params)
    now = ctx.exchange.state.now()
    found = [
        entry
        for entry in entries(ctx)
        if entry.symbol == symbol and entry.visible(now) and start <= entry.created_ms <= end
        if first is None or entry.number >= first
    ]
    found.sort(key=lambda entry: entry.created_ms)
    return page(found, ctx.params, from_start=first is not None)


def all_orders(ctx: Context) -> object:
    """GET allOrders."""
    return [_json(ctx, entry) for entry in past_entries(ctx)]


def own_fills(ctx: Context, *, most: int = 1000) -> Iterable[tuple[Fill, int]]:
    """Yield a page of fills and their orders' ids: from fromId on, of one order, or the newest; oldest first."""
    symbol = ctx.instrument.symbol
    first, order_id = ctx.params.optional_integer("fromId"), ctx.params.optional_integer("orderId")
    start, end = window(ctx.params)
    now = ctx.exchange.state.now()
    found = [
        (fill, number_of(ctx, fill.order_id))
        for fill in ctx.account.fills
        if fill.symbol == symbol and fill.visible_ms <= now and start <= fill.time_ms <= end
        if first is None or fill.trade_id >= first
    ]
    chosen = [(fill, number) for fill, number in found if order_id in (None, number)]
    paged = first is not None or ctx.params.optional("startTime") is not None
    return page(chosen, ctx.params, from_start=paged, most=most)


def user_trades(ctx: Context) -> object:
    """GET userTrades."""
    instrument = ctx.instrument
    return [trade_json(instrument, fill) for fill, _ in own_fills(ctx)]


def window(params: Params) -> tuple[int, int]:
    """Read startTime and endTime; without them everything."""
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    if start is not None and end is not None and start > end:
        raise ApiError(-1023, "Start time is greater than end time.")
    return (start or 0, end if end is not None else 2**63)


def page(found: list[T], params: Params, *, from_start: bool, most: int = 1000) -> list[T]:
    """Return the first rows, or the last."""
    size = params.limit(500, most)
    return found[:size] if from_start else found[-size:]


def _json(ctx: Context, entry: Entry) -> Json:
    assert entry.order is not None  # what waits is not an order here
    return order_json(ctx.exchange.state.instruments[entry.symbol], entry.order)
