"""Order endpoints of both product lines: place and cancel, which are matched after the answer, and the queries."""

from __future__ import annotations

import re
from functools import partial

from simulator.bitget.errors import ApiError, wrong
from simulator.bitget.order_rows import futures_fill, futures_order, spot_fill, spot_order
from simulator.bitget.params import Params
from simulator.bitget.rest import Context
from simulator.bitget.wire import (
    KINDS,
    ORDERS,
    SIDE_WORDS,
    TIME_WORDS,
    TRADES,
    TYPE_WORDS,
    Json,
    engine_symbol,
    id_text,
    number_of,
    own_id,
)
from simulator.engine.account import Account
from simulator.engine.admission import reducible
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import ZERO, Fill, Order, OrderRequest, OrderType, PositionSide, Side, TimeInForce
from simulator.engine.refusal import Reason, Refusal

CLIENT_ID = re.compile(r"[0-9A-Za-z_:#\-+\s]{1,50}")
MARGIN_MODES = {"crossed": False, "isolated": True}
YES_NO = {"yes": True, "no": False}
TRADE_SIDES = {"open": True, "close": False}


def futures_line(params: Params) -> None:
    """Refuse other product lines."""
    if params.member("productType", KINDS) is not Kind.LINEAR:
        raise wrong("productType")


def client_id(params: Params) -> str:
    """Return a well-formed client id, empty when absent."""
    text = params.optional("clientOid") or ""
    if text and not CLIENT_ID.fullmatch(text):
        raise ApiError("40305", "client_oid length is not greater than 50, and cannot be Martian characters")
    return text


def place_futures(ctx: Context) -> object:
    """POST /api/v2/mix/order/place-order."""
    futures_line(ctx.params)
    request = futures_request(ctx)
    ctx.exchange.state.instrument(request.symbol)
    displaced = _displaced(ctx.account, request)
    order = ctx.exchange.desk.accept(ctx.account, request)
    for older in displaced:
        ctx.exchange.desk.cancel(ctx.account, older)
    _match_later(ctx, order)
    ids = _ids(order)
    # A reduce-only order that displaced older ones is acknowledged without its id.
    return {"clientOid": ids["clientOid"]} if displaced else ids


def futures_request(ctx: Context) -> OrderRequest:
    """Read a new futures order. In hedge mode `side` names the position, and `tradeSide` is ignored in one-way mode."""
    params, account = ctx.params, ctx.account
    for name in ("presetStopSurplusPrice", "presetStopLossPrice"):
        if params.optional(name):
            raise ApiError("40017", f"Parameter verification failed: {name} is not simulated")
    symbol = engine_symbol(Kind.LINEAR, params.text("symbol"))
    if params.member("marginMode", MARGIN_MODES) != (symbol in account.isolated):
        raise ApiError("40808", "Parameter verification exception margin mode == FIXED")
    kind, side = params.member("orderType", TYPE_WORDS), params.member("side", SIDE_WORDS)
    leg, reduce_only, quantity = PositionSide.BOTH, False, params.decimal("size")
    if account.hedge_mode:
        if params.optional("tradeSide") is None:
            raise Refusal(Reason.POSITION_SIDE_MISMATCH)
        leg = PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
        if not params.member("tradeSide", TRADE_SIDES):
            side = Side.SELL if side is Side.BUY else Side.BUY
            # More than the position holds closes what there is.
            quantity = min(quantity, reducible(account, symbol, side, leg) or quantity)
    else:
        reduce_only = params.member("reduceOnly", YES_NO, default=False)
    limit = kind is OrderType.LIMIT
    return OrderRequest(
        symbol=symbol,
        side=side,
        type=kind,
        quantity=quantity,
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.member("force", TIME_WORDS, TimeInForce.GTC) if limit else TimeInForce.GTC,
        position_side=leg,
        reduce_only=reduce_only,
        client_order_id=client_id(params),
        received_ms=ctx.received_ms,
    )


def _displaced(account: Account, request: OrderRequest) -> list[Order]:
    """Return the older reduce-only orders, oldest first, that do not fit beside a new one into the position."""
    if not request.reduce_only:
        return []
    older = [
        order
        for order in account.open_orders.values()
        if order.symbol == request.symbol and order.reduce_only and order.side is request.side
    ]
    held = reducible(account, request.symbol, request.side, request.position_side)
    excess = request.quantity + sum((order.remaining for order in older), ZERO) - held
    found: list[Order] = []
    for order in older:
        if excess <= 0:
            break
        found.append(order)
        excess -= order.remaining
    return found if held else []


def place_spot(ctx: Context) -> object:
    """POST /api/v2/spot/trade/place-order: the size of a market purchase is an amount of quote currency."""
    params = ctx.params
    if (params.optional("tpslType") or "normal") != "normal":
        raise ApiError("40017", "Parameter verification failed: tpslType is not simulated")
    kind, side = params.member("orderType", TYPE_WORDS), params.member("side", SIDE_WORDS)
    limit, size = kind is OrderType.LIMIT, params.decimal("size")
    by_amount = not limit and side is Side.BUY
    request = OrderRequest(
        symbol=engine_symbol(Kind.SPOT, params.text("symbol")),
        side=side,
        type=kind,
        quantity=ZERO if by_amount else size,
        quote_quantity=size if by_amount else ZERO,
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.member("force", TIME_WORDS) if limit else TimeInForce.GTC,
        client_order_id=client_id(params),
        received_ms=ctx.received_ms,
    )
    try:
        order = ctx.exchange.desk.accept(ctx.account, request)
    except Refusal as refusal:
        if refusal.reason is Reason.INSUFFICIENT_MARGIN:
            raise ApiError("43012", "Insufficient balance") from None
        raise
    _match_later(ctx, order)
    return _ids(order)


def _match_later(ctx: Context, order: Order) -> None:
    state = ctx.exchange.state
    ctx.later(state.rules.matching_delay_ms, partial(ctx.exchange.desk.settle, ctx.account, order))


def _ids(order: Order) -> Json:
    venue_id = id_text(ORDERS, order.order_id)
    return {"orderId": venue_id, "clientOid": own_id(order.client_order_id, venue_id)}


def named(ctx: Context, kind: Kind) -> Order | None:
    """Return the order that orderId or clientOid names; orderId rules when both are given."""
    order_id, client = ctx.params.optional("orderId"), ctx.params.optional("clientOid")
    if order_id is None and client is None:
        raise ApiError("40402", "orderId or clientOid format error")
    if order_id is not None:
        found = ctx.account.orders.get(number_of(ORDERS, order_id))
    else:
        found = ctx.account.client_ids.get(client or "")
    return found if found is not None and kind_of(found.symbol) is kind else None


def _seen(ctx: Context, order: Order | None) -> Order | None:
    """Return the order if a query may see it already."""
    return order if order is not None and order.visible_ms <= ctx.exchange.state.now() else None


def cancel_futures(ctx: Context) -> object:
    """POST /api/v2/mix/order/cancel-order."""
    futures_line(ctx.params)
    return _ids(ctx.exchange.desk.cancel(ctx.account, named(ctx, Kind.LINEAR)))


def cancel_spot(ctx: Context) -> object:
    """POST /api/v2/spot/trade/cancel-order."""
    order = named(ctx, Kind.SPOT)
    if order is None or not order.is_open:
        raise ApiError("43001", "The order does not exist")
    return _ids(ctx.exchange.desk.cancel(ctx.account, order))


def futures_detail(ctx: Context) -> object:
    """GET /api/v2/mix/order/detail."""
    futures_line(ctx.params)
    order = _seen(ctx, named(ctx, Kind.LINEAR))
    if order is None:
        raise ApiError("40109", "The data of the order cannot be found, please confirm the order number")
    return futures_order(ctx.exchange.state.instruments[order.symbol], order, detail=True)


def spot_info(ctx: Context) -> object:
    """GET /api/v2/spot/trade/orderInfo: a list, empty when there is no such order."""
    order = _seen(ctx, named(ctx, Kind.SPOT))
    return [] if order is None else [spot_order(ctx.exchange.state.instruments[order.symbol], order)]


def _listed(ctx: Context, kind: Kind, *, ended: bool) -> list[Order]:
    params, state = ctx.params, ctx.exchange.state
    symbol = params.optional("symbol")
    only = engine_symbol(kind, symbol) if symbol else None
    first, last = params.window(state.now())
    found = [
        order
        for order in (ctx.account.orders if ended else ctx.account.open_orders).values()
        if kind_of(order.symbol) is kind
        and only in (None, order.symbol)
        and first <= order.created_ms <= last
        and order.is_open != ended
        and _seen(ctx, order) is not None
    ]
    return list(params.page(found, lambda order: ORDERS + order.order_id))


def futures_orders(ctx: Context, *, ended: bool) -> object:
    """GET /api/v2/mix/order/orders-pending, and orders-history; an empty page holds no list."""
    futures_line(ctx.params)
    instruments = ctx.exchange.state.instruments
    rows = [
        futures_order(instruments[order.symbol], order) for order in _listed(ctx, Kind.LINEAR, ended=ended)
    ]
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def spot_orders(ctx: Context, *, ended: bool) -> object:
    """GET /api/v2/spot/trade/unfilled-orders, and history-orders."""
    instruments = ctx.exchange.state.instruments
    return [
        spot_order(instruments[order.symbol], order, resting=not ended)
        for order in _listed(ctx, Kind.SPOT, ended=ended)
    ]


def _executed(ctx: Context, kind: Kind) -> list[Fill]:
    params, now = ctx.params, ctx.exchange.state.now()
    order_id, symbol = params.optional("orderId"), params.optional("symbol")
    only = engine_symbol(kind, symbol) if symbol else None
    first, last = params.window(now)
    found = [
        fill
        for fill in ctx.account.fills
        if kind_of(fill.symbol) is kind
        and only in (None, fill.symbol)
        and (order_id is None or fill.order_id == number_of(ORDERS, order_id))
        and fill.visible_ms <= now
        and first <= fill.time_ms <= last
    ]
    return list(params.page(found, lambda fill: TRADES + fill.trade_id))


def futures_fills(ctx: Context) -> object:
    """GET /api/v2/mix/order/fills, and fill-history."""
    futures_line(ctx.params)
    rows = [futures_fill(fill, ctx.account.orders[fill.order_id]) for fill in _executed(ctx, Kind.LINEAR)]
    return {"fillList": rows or None, "endId": rows[-1]["tradeId"] if rows else None}


def spot_fills(ctx: Context) -> object:
    """GET /api/v2/spot/trade/fills."""
    return [spot_fill(fill, ctx.account.orders[fill.order_id]) for fill in _executed(ctx, Kind.SPOT)]
