"""Executions: GET /v5/execution/list, and how each is told."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from simulator.bybit.categories import WORDS, category_of, engine_symbol
from simulator.bybit.entries import became, named
from simulator.bybit.order_rows import execution_json
from simulator.bybit.params import WINDOW_MS
from simulator.bybit.rest import Context
from simulator.bybit.wire import Json, closed, money
from simulator.engine.account import Account
from simulator.engine.conditional_desk import ConditionalDesk
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import Fill, Order, PositionSide
from simulator.engine.state import State


def executions(ctx: Context) -> object:
    """GET /v5/execution/list: newest first, of an order or of a symbol; it does not tell realised profit."""
    params, kind = ctx.params, category_of(ctx.params)
    now = ctx.exchange.state.now()
    by_id = bool(params.optional("orderId") or params.optional("orderLinkId"))
    entry = named(ctx, kind) if by_id else None
    order = entry.order if entry is not None else None
    name = params.optional("symbol")
    symbol = engine_symbol(kind, name) if name is not None else None
    empty: Json = {"category": WORDS[kind], "nextPageCursor": "", "list": []}
    if params.optional("execType") not in (None, "Trade", "BustTrade") or (by_id and order is None):
        return empty
    first, last = params.window(now, WINDOW_MS)
    wanted = []
    for fill, row in _told(ctx, kind):
        if fill.visible_ms > now or not first <= fill.time_ms <= last:
            continue
        if fill.order_id == order.order_id if order is not None else symbol in (None, fill.symbol):
            wanted.append(row)
    page, cursor = params.page(wanted[::-1], 50, 100)
    return {"category": WORDS[kind], "nextPageCursor": cursor, "list": page}


def _told(ctx: Context, kind: Kind) -> list[tuple[Fill, Json]]:
    """Return the fills of a category with their rows, replayed for what was open and left at the time of each."""
    account, desk, state = ctx.account, ctx.exchange.conditionals, ctx.exchange.state
    held: dict[tuple[str, PositionSide], Decimal] = defaultdict(Decimal)
    done: dict[int, Decimal] = defaultdict(Decimal)
    told = []
    for fill in account.fills:
        if kind_of(fill.symbol) is not kind:
            continue
        order, key = account.orders[fill.order_id], (fill.symbol, fill.position_side)
        change = fill.quantity * fill.side.sign
        size = closed(held[key], change)
        held[key] += change
        done[fill.order_id] += fill.quantity
        row = execution_json(
            state.instruments[fill.symbol],
            order,
            fill,
            leaves=order.quantity - done[fill.order_id],
            closed_size=size,
            conditional=became(desk, account, order),
        )
        told.append((fill, row))
    return told


def streamed(state: State, desk: ConditionalDesk, account: Account, order: Order, fill: Fill) -> Json:
    """Return the execution that just happened as the stream shows it: with its profit, unlike the list."""
    change = fill.quantity * fill.side.sign
    before = account.held(fill.symbol, fill.position_side) - change
    row = execution_json(
        state.instruments[fill.symbol],
        order,
        fill,
        leaves=order.remaining,
        closed_size=closed(before, change),
        conditional=became(desk, account, order),
    )
    return {**row, "execPnl": "" if kind_of(fill.symbol) is Kind.SPOT else money(fill.realised_pnl)}
