"""Order endpoints: create and cancel, which acknowledge first, and the queries of live and ended orders."""

from __future__ import annotations

import re
from functools import partial

from simulator.bybit.errors import ApiError, wrong
from simulator.bybit.params import WINDOW_MS, Params
from simulator.bybit.rest import Context
from simulator.bybit.wire import CATEGORY, SIDES, TIMES, TYPES, Json, id_text, number_of, order_json
from simulator.engine.order import ZERO, Order, OrderRequest, OrderType, PositionSide, TimeInForce
from simulator.engine.refusal import Reason, Refusal

LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
CLOSED_KEPT = 500
SIDE_WORDS = {word: side for side, word in SIDES.items()}
TYPE_WORDS = {word: kind for kind, word in TYPES.items()}
TIME_WORDS = {word: kind for kind, word in TIMES.items()}
INDEX_WORDS = {"0": PositionSide.BOTH, "1": PositionSide.LONG, "2": PositionSide.SHORT}


def linear(params: Params) -> None:
    """Refuse other product types."""
    if params.text("category") != CATEGORY:
        raise ApiError(10001, "params error: only category linear is simulated")


def create_order(ctx: Context) -> object:
    """POST /v5/order/create: answers with ids alone; matching comes after the answer."""
    linear(ctx.params)
    desk, account, state = ctx.exchange.desk, ctx.account, ctx.exchange.state
    request = read_order(ctx)
    # Unlike elsewhere an id is never free again, however the order ended.
    if request.client_order_id and request.client_order_id in account.client_ids:
        raise Refusal(Reason.DUPLICATE_CLIENT_ID)
    order = desk.accept(account, request)
    ctx.later(state.rules.matching_delay_ms, partial(desk.settle, account, order))
    return _ids(order)


def read_order(ctx: Context) -> OrderRequest:
    """Read the parameters of a new order."""
    params = ctx.params
    for name in ("triggerPrice", "takeProfit", "stopLoss"):
        if params.optional(name):
            raise ApiError(10001, f"params error: {name} is not simulated")
    kind = params.member("orderType", TYPE_WORDS)
    position_side = params.member("positionIdx", INDEX_WORDS, PositionSide.BOTH)
    limit = kind is OrderType.LIMIT
    return OrderRequest(
        symbol=params.text("symbol"),
        side=params.member("side", SIDE_WORDS),
        type=kind,
        quantity=params.decimal("qty"),
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.member("timeInForce", TIME_WORDS, TimeInForce.GTC) if limit else TimeInForce.GTC,
        position_side=position_side,
        # In hedge mode the position's index says what an order may do.
        reduce_only=params.flag("reduceOnly") and position_side is PositionSide.BOTH,
        client_order_id=link_id(params),
        received_ms=ctx.received_ms,
    )


def link_id(params: Params) -> str:
    """Return a well-formed client id, empty when absent."""
    text = params.optional("orderLinkId") or ""
    if text and not LINK_ID.fullmatch(text):
        raise wrong("orderLinkId")
    return text


def _ids(order: Order) -> Json:
    return {
        "orderId": id_text(order.order_id),
        "orderLinkId": "" if order.client_order_id.startswith("sim-") else order.client_order_id,
    }


def _named(ctx: Context) -> Order | None:
    """Return the order that orderId or orderLinkId names; orderId rules when both are given."""
    order_id, link = ctx.params.optional("orderId"), ctx.params.optional("orderLinkId")
    if order_id is not None:
        return ctx.account.orders.get(number_of(order_id))
    return ctx.account.client_ids.get(link) if link is not None else None


def cancel_order(ctx: Context) -> object:
    """POST /v5/order/cancel."""
    linear(ctx.params)
    ctx.exchange.state.instrument(ctx.params.text("symbol"))
    if not ctx.params.optional("orderId") and not ctx.params.optional("orderLinkId"):
        raise wrong("orderId")
    return _ids(ctx.exchange.desk.cancel(ctx.account, _named(ctx)))


def cancel_all(ctx: Context) -> object:
    """POST /v5/order/cancel-all of one symbol, or of all."""
    linear(ctx.params)
    symbol = ctx.params.optional("symbol")
    names = [ctx.exchange.state.instrument(symbol).symbol] if symbol else list(ctx.exchange.state.instruments)
    ended = [order for name in names for order in ctx.exchange.desk.cancel_all(ctx.account, name)]
    return {"list": [_ids(order) for order in ended], "success": "1"}


def realtime(ctx: Context) -> object:
    """GET /v5/order/realtime: open orders, or the latest closed ones; one named by an id in either state."""
    params = ctx.params
    linear(params)
    symbol = params.optional("symbol")
    if params.optional("orderId") or params.optional("orderLinkId"):
        return _page(ctx, _one(ctx))
    if symbol is None and not params.optional("settleCoin") and not params.optional("baseCoin"):
        raise ApiError(10001, "params error: symbol, settleCoin or baseCoin is required")
    if symbol is not None:
        ctx.exchange.state.instrument(symbol)
    if params.integer("openOnly", 0) == 1:
        ended = [order for order in ctx.account.orders.values() if not order.is_open][-CLOSED_KEPT:]
        return _page(ctx, [order for order in ended if symbol in (None, order.symbol)])
    return _page(ctx, [o for o in ctx.account.open_orders.values() if symbol in (None, o.symbol)])


def history(ctx: Context) -> object:
    """GET /v5/order/history: orders that ended, within the window."""
    params = ctx.params
    linear(params)
    if params.optional("orderId") or params.optional("orderLinkId"):
        return _page(ctx, [order for order in _one(ctx) if not order.is_open])
    symbol = params.optional("symbol")
    first, last = params.window(ctx.exchange.state.now(), WINDOW_MS)
    ended = [
        order
        for order in ctx.account.orders.values()
        if not order.is_open and symbol in (None, order.symbol) and first <= order.created_ms <= last
    ]
    return _page(ctx, ended)


def _one(ctx: Context) -> list[Order]:
    order = _named(ctx)
    return [] if order is None else [order]


def _page(ctx: Context, orders: list[Order]) -> Json:
    state = ctx.exchange.state
    now = state.now()
    seen = sorted((o for o in orders if o.visible_ms <= now), key=lambda o: o.order_id, reverse=True)
    page, cursor = ctx.params.page(seen, 20, 50)
    rows = [order_json(state.instruments[order.symbol], order) for order in page]
    return {"category": CATEGORY, "nextPageCursor": cursor, "list": rows}
