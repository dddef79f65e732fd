"""Executions: GET /v5/execution/list, the stream's `execution` topic, and the transaction log that tells their profit.

The list does not tell the realised profit of an execution; the log does (`cashFlow`, by the execution's id).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.bybit.wire.answer import (
    Answer,
    Page,
    cursor_of,
    milliseconds,
    name_of,
    result_of,
)
from app.infrastructure.exchanges.bybit.wire.orders import CATEGORY, SIDES, VENUE
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import ZERO, Unreadable, amount, positive_price, size

MOVING: Final = frozenset(
    {"Trade", "AdlTrade", "BustTrade", "Delivery", "BlockTrade", "MovePosition", "FutureSpread"}
)
"""Execution types that move quantity; the others are entries of money."""

FUNDING: Final = "Funding"


class ExecutionRow(msgspec.Struct, frozen=True, rename="camel"):
    """An execution as the list and the stream show it."""

    symbol: str
    order_id: str
    side: str
    exec_id: str
    exec_price: str
    exec_qty: str
    exec_time: str
    exec_type: str
    exec_fee: str = "0"
    fee_currency: str = ""
    order_link_id: str = ""
    leaves_qty: str = ""
    closed_size: str = ""
    exec_pnl: str = ""
    category: str = CATEGORY


class _LogRow(msgspec.Struct, frozen=True, rename="camel"):
    trade_id: str
    cash_flow: str
    type: str


_EXECUTIONS: Final = msgspec.json.Decoder(Answer[Page[ExecutionRow]])
_LOG: Final = msgspec.json.Decoder(Answer[Page[_LogRow]])


def fills_text(
    instrument: Instrument, *, order_id: str | None, window: tuple[int, int] | None, cursor: str
) -> str:
    """Return the query of GET /v5/execution/list; `window` is (first, last) epoch ms, at most seven days apart."""
    text = f"category={CATEGORY}&symbol={instrument.venue_symbol}&limit=100"
    if order_id is not None:
        text += f"&orderId={quote(order_id, safe='')}"
    if window is not None:
        text += f"&startTime={window[0]}&endTime={window[1]}"
    return f"{text}&cursor={cursor}" if cursor else text


def profits_text(window: tuple[int, int], cursor: str) -> str:
    """Return the query of GET /v5/account/transaction-log for trades within (first, last) epoch ms."""
    text = (
        f"accountType=UNIFIED&category={CATEGORY}&currency=USDT&type=TRADE"
        f"&startTime={window[0]}&endTime={window[1]}&limit=50"
    )
    return f"{text}&cursor={cursor}" if cursor else text


def read_fills(instrument: Instrument, body: bytes, rates: Rates) -> tuple[list[Fill], frozenset[str], str]:
    """Read one page of executions, newest first; the ids of those whose profit is still to be asked for; the cursor."""
    page, _ = result_of(_EXECUTIONS, body)
    fills: list[Fill] = []
    unpriced: set[str] = set()
    for row in page.rows:
        if row.exec_type not in MOVING:
            continue
        if row.symbol != instrument.venue_symbol:
            raise Unreadable("an execution on another market")
        fill = fill_of(row, instrument.symbol, rates)
        fills.append(replace(fill, order_final=False))
        if not row.exec_pnl and size(row.closed_size or "0", "closed size") > ZERO:
            unpriced.add(fill.trade_id)
    return fills, frozenset(unpriced), cursor_of(page)


def read_profits(body: bytes) -> tuple[Mapping[str, Money], str]:
    """Read one page of the log: realised profit by the execution's id, and the cursor."""
    page, _ = result_of(_LOG, body)
    return {
        row.trade_id: amount(row.cash_flow or "0", "cash flow") for row in page.rows if row.type == "TRADE"
    }, cursor_of(page)


def with_profits(fills: Sequence[Fill], profits: Mapping[str, Money]) -> list[Fill]:
    """Return the fills with the profits that the log told."""
    return [
        replace(fill, realised_pnl=profits[fill.trade_id]) if fill.trade_id in profits else fill
        for fill in fills
    ]


def fill_of(row: ExecutionRow, symbol: Symbol, rates: Rates) -> Fill:
    """Build a fill; Unreadable unless it has ids, a side, a price above zero and a quantity above zero."""
    side, done = SIDES.get(row.side), size(row.exec_qty, "executed quantity")
    if side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    quote_asset = symbol.rpartition("-")[2]
    fee = fee_in_quote(symbol, amount(row.exec_fee or "0", "fee"), row.fee_currency or quote_asset, rates)
    return Fill(
        venue=VENUE,
        symbol=symbol,
        trade_id=name_of(row.exec_id, "the execution id"),
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.order_link_id,
        side=side,
        price=positive_price(row.exec_price, "price"),
        quantity=done,
        fee=fee,
        realised_pnl=amount(row.exec_pnl, "realised profit") if row.exec_pnl else NO_MONEY,
        at=from_epoch_ms(milliseconds(row.exec_time, "the time of the execution")),
        order_final=bool(row.leaves_qty) and size(row.leaves_qty, "the rest") == ZERO,
    )
