"""Orders and conditional orders as one list, as the venue shows them: a conditional order is one entry all its life."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.bybit.categories import WORDS, category_of, optional_market
from simulator.bybit.errors import ApiError
from simulator.bybit.order_rows import conditional_json, order_id, order_json
from simulator.bybit.params import WINDOW_MS
from simulator.bybit.rest import Context
from simulator.bybit.wire import CONDITIONALS, Json, link_text, number_of
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.conditional_desk import ConditionalDesk
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import Order, Origin

CLOSED_KEPT = 500
STOPS = {"Order": False, "StopOrder": True, "tpslOrder": True}


@dataclass(frozen=True, slots=True)
class Entry:
    """An order, a conditional one, or an order together with the conditional one that became it."""

    order: Order | None
    conditional: Conditional | None

    @property
    def symbol(self) -> str:
        """Return the engine's symbol."""
        if self.order is not None:
            return self.order.symbol
        assert self.conditional is not None
        return self.conditional.request.symbol

    @property
    def waits(self) -> bool:
        """Say whether it is one that was never triggered."""
        return self.order is None

    @property
    def is_open(self) -> bool:
        """Say whether it can still execute or be triggered."""
        if self.order is not None:
            return self.order.is_open
        return self.conditional is not None and self.conditional.status is ConditionalStatus.NEW

    @property
    def created_ms(self) -> int:
        """Return when it was placed."""
        held = self.conditional or self.order
        assert held is not None
        return held.created_ms


def became(desk: ConditionalDesk, account: Account, order: Order) -> Conditional | None:
    """Return the conditional order that an order was."""
    if order.origin is not Origin.CONDITIONAL:
        return None
    return desk.find(account, None, order.client_order_id)


def entries(ctx: Context, kind: Kind) -> list[Entry]:
    """Return everything of one category, oldest first."""
    desk, account = ctx.exchange.conditionals, ctx.account
    found = [
        Entry(order, became(desk, account, order))
        for order in account.orders.values()
        if kind_of(order.symbol) is kind
    ]
    told = {entry.conditional.algo_id for entry in found if entry.conditional is not None}
    found.extend(
        Entry(None, conditional)
        for conditional in desk.of(account)
        if kind_of(conditional.request.symbol) is kind and conditional.algo_id not in told
    )
    return sorted(found, key=lambda entry: entry.created_ms)


def named(ctx: Context, kind: Kind) -> Entry | None:
    """Return what orderId or orderLinkId names; orderId rules when both are given."""
    account, desk = ctx.account, ctx.exchange.conditionals
    text, link = ctx.params.optional("orderId"), ctx.params.optional("orderLinkId")
    number = number_of(text) if text is not None else -1
    conditional: Conditional | None = None
    if text is None and link is None:
        return None
    if number > CONDITIONALS:
        conditional = desk.find(account, number - CONDITIONALS, None)
        order = account.client_ids.get(conditional.client_algo_id) if conditional is not None else None
    elif text is not None:
        order = account.orders.get(number)
    else:
        order, conditional = account.client_ids.get(link or ""), desk.find(account, None, link)
    if order is not None and order.origin is Origin.CONDITIONAL and conditional is None:
        conditional = became(desk, account, order)
    entry = Entry(order, conditional)
    if (order is None and conditional is None) or kind_of(entry.symbol) is not kind:
        return None
    return entry


def ids(entry: Entry) -> Json:
    """Return orderId and orderLinkId, which is all that an acknowledgement says."""
    if entry.order is not None:
        client_id = entry.order.client_order_id
        return {"orderId": order_id(entry.order, entry.conditional), "orderLinkId": link_text(client_id)}
    assert entry.conditional is not None
    row = conditional_json(entry.conditional)
    return {"orderId": row["orderId"], "orderLinkId": row["orderLinkId"]}


def realtime(ctx: Context) -> object:
    """GET /v5/order/realtime: what is open, or the latest that ended; one named by an id in either state."""
    params, kind = ctx.params, category_of(ctx.params)
    if params.optional("orderId") or params.optional("orderLinkId"):
        return _page(ctx, kind, _one(ctx, kind))
    symbol = optional_market(ctx.exchange.state, kind, params)
    narrowed = symbol is not None or params.optional("settleCoin") or params.optional("baseCoin")
    if kind is Kind.LINEAR and not narrowed:
        raise ApiError(10001, "params error: symbol, settleCoin or baseCoin is required")
    found = [entry for entry in _chosen(ctx, kind) if symbol in (None, entry.symbol)]
    if params.integer("openOnly", 0) == 1:
        return _page(ctx, kind, [entry for entry in found if not entry.is_open][-CLOSED_KEPT:])
    return _page(ctx, kind, [entry for entry in found if entry.is_open])


def history(ctx: Context) -> object:
    """GET /v5/order/history: what ended, within the window."""
    params, kind = ctx.params, category_of(ctx.params)
    if params.optional("orderId") or params.optional("orderLinkId"):
        return _page(ctx, kind, [entry for entry in _one(ctx, kind) if not entry.is_open])
    symbol = optional_market(ctx.exchange.state, kind, params)
    first, last = params.window(ctx.exchange.state.now(), WINDOW_MS)
    ended = [
        entry
        for entry in _chosen(ctx, kind)
        if not entry.is_open and symbol in (None, entry.symbol) and first <= entry.created_ms <= last
    ]
    return _page(ctx, kind, ended)


def _chosen(ctx: Context, kind: Kind) -> list[Entry]:
    """Return the entries that the filter lets through: all without one."""
    if not ctx.params.optional("orderFilter"):
        return entries(ctx, kind)
    stops = ctx.params.member("orderFilter", STOPS)
    return [entry for entry in entries(ctx, kind) if entry.waits == stops]


def _one(ctx: Context, kind: Kind) -> list[Entry]:
    entry = named(ctx, kind)
    return [] if entry is None else [entry]


def _page(ctx: Context, kind: Kind, found: list[Entry]) -> Json:
    state = ctx.exchange.state
    now, lag = state.now(), state.rules.visibility_lag_ms
    seen = [entry for entry in found if _visible_ms(entry, lag) <= now]
    page, cursor = ctx.params.page(seen[::-1], 20, 50)
    rows: list[Json] = []
    for entry in page:
        if entry.order is not None:
            rows.append(order_json(state.instruments[entry.symbol], entry.order, entry.conditional))
        elif entry.conditional is not None:
            rows.append(conditional_json(entry.conditional))
    return {"category": WORDS[kind], "nextPageCursor": cursor, "list": rows}


def _visible_ms(entry: Entry, lag_ms: int) -> int:
    return entry.order.visible_ms if entry.order is not None else entry.created_ms + lag_ms
