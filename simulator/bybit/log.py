"""The transaction log: trades with their profit, funding, and money that came or went."""

from __future__ import annotations

from simulator.bybit.categories import KINDS, venue_name, word_of
from simulator.bybit.entries import became
from simulator.bybit.order_rows import order_id
from simulator.bybit.params import DAY_MS
from simulator.bybit.rest import Context
from simulator.bybit.wire import EXECUTIONS, SIDES, Json, id_text, link_text, money, plain
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.ledger import BalanceChange
from simulator.engine.order import ZERO, Fill

TYPES = {"FUNDING_FEE": "SETTLEMENT", "DEPOSIT": "TRANSFER_IN", "INSURANCE_CLEAR": "BONUS"}
IDS = 1 << 65
COIN_IDS = 1 << 68


def transaction_log(ctx: Context) -> object:
    """GET /v5/account/transaction-log, newest first."""
    params, now = ctx.params, ctx.exchange.state.now()
    wanted = {name: params.optional(name) for name in ("type", "category", "currency")}
    if wanted["category"] is not None:
        params.member("category", KINDS)
    first, last = params.window(now, DAY_MS)
    rows = [row for fill in ctx.account.fills if fill.visible_ms <= now for row in _traded(ctx, fill)]
    rows += [row for change in ctx.account.changes if (row := _moved(change)) is not None]
    chosen = [
        row
        for at, row in sorted(rows, key=lambda entry: entry[0])[::-1]
        if first <= at <= last and all(value in (None, row[name]) for name, value in wanted.items())
    ]
    page, cursor = params.page(chosen, 20, 50)
    return {"nextPageCursor": cursor, "list": page}


def _traded(ctx: Context, fill: Fill) -> list[tuple[int, Json]]:
    """Return the entry of an execution; at spot there is one for each of the two assets."""
    order = ctx.account.orders[fill.order_id]
    instrument = ctx.exchange.state.instruments[fill.symbol]
    row: Json = {
        "symbol": venue_name(fill.symbol),
        "category": word_of(fill.symbol),
        "side": SIDES[fill.side],
        "transactionTime": str(fill.time_ms),
        "type": "TRADE",
        "tradePrice": plain(fill.price),
        "funding": "",
        "tradeId": id_text(EXECUTIONS + fill.trade_id),
        "orderId": order_id(order, became(ctx.exchange.conditionals, ctx.account, order)),
        "orderLinkId": link_text(fill.client_order_id),
    }
    if kind_of(fill.symbol) is not Kind.SPOT:
        moved = {instrument.settle: fill.realised_pnl}
    else:
        worth = instrument.value(fill.quantity, fill.price) * fill.side.sign
        moved = {instrument.quote: -worth, instrument.base: fill.quantity * fill.side.sign}
    rows: list[tuple[int, Json]] = []
    for number, (asset, amount) in enumerate(moved.items()):
        fee = fill.commission if asset == fill.commission_asset else ZERO
        own: Json = {
            "id": id_text(IDS + number * COIN_IDS + fill.seq),
            "qty": plain(fill.quantity if len(moved) == 1 else amount),
            "currency": asset,
            "fee": money(fee),
            "cashFlow": money(amount),
            "change": money(amount - fee),
        }
        rows.append((fill.time_ms, row | own))
    return rows


def _moved(change: BalanceChange) -> tuple[int, Json] | None:
    """Return the entry of money that moved without a trade."""
    kind = TYPES.get(change.kind)
    if kind is None:
        return None
    if kind == "TRANSFER_IN" and change.amount < 0:
        kind = "TRANSFER_OUT"
    funding = kind == "SETTLEMENT"
    row: Json = {
        "id": id_text(IDS + change.seq),
        "symbol": venue_name(change.symbol),
        "category": word_of(change.symbol) if funding else "",
        "side": "None",
        "transactionTime": str(change.time_ms),
        "type": kind,
        "qty": "0",
        "currency": change.asset,
        "tradePrice": "0",
        "funding": money(change.amount) if funding else "",
        "fee": "0",
        "cashFlow": "0" if funding else money(change.amount),
        "change": money(change.amount),
        "cashBalance": money(change.balance),
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
    }
    return change.time_ms, row
