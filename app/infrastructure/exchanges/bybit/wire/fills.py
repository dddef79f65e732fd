"""Executions: GET /v5/execution/list and the stream's `execution` topic.

The list does not tell the realised profit of an execution; the transaction log does. At spot there is none, and the
fee of a purchase is usually kept from the coins bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, FillCause
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Price, Quantity, settle_up
from app.infrastructure.exchanges.bybit.wire.answer import (
    Answer,
    Page,
    cursor_of,
    milliseconds,
    name_of,
    result_of,
)
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.bybit.wire.order_row import SIDES
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import ZERO, Unreadable, amount, positive_price, size

MOVING: Final = frozenset(
    {"Trade", "AdlTrade", "BustTrade", "Delivery", "BlockTrade", "MovePosition", "FutureSpread"}
)
"""Execution types that move quantity; the others are entries of money."""

_CAUSES: Final[Mapping[str, FillCause]] = MappingProxyType(
    {"BustTrade": FillCause.LIQUIDATION, "AdlTrade": FillCause.DELEVERAGING}
)
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
    category: str = ""


_EXECUTIONS: Final = msgspec.json.Decoder(Answer[Page[ExecutionRow]])


def fills_text(
    instrument: Instrument, *, order_id: str | None, window: tuple[int, int] | None, cursor: str
) -> str:
    """Return the query of GET /v5/execution/list; `window` is (first, last) epoch ms, at most seven days apart."""
    text = f"category={CATEGORIES[instrument.venue].word}&symbol={instrument.venue_symbol}&limit=100"
    if order_id is not None:
        text += f"&orderId={quote(order_id, safe='')}"
    if window is not None:
        text += f"&startTime={window[0]}&endTime={window[1]}"
    return f"{text}&cursor={cursor}" if cursor else text


def read_fills(instrument: Instrument, body: bytes, rates: Rates) -> tuple[list[Fill], frozenset[str], str]:
    """Read one page of executions, newest first; the ids of those whose profit is still to be asked for; the cursor."""
    page, _ = result_of(_EXECUTIONS, body)
    category = CATEGORIES[instrument.venue]
    fills: list[Fill] = []
    unpriced: set[str] = set()
    for row in page.rows:
        if row.exec_type not in MOVING:
            continue
        if row.symbol != instrument.venue_symbol:
            raise Unreadable("an execution on another market")
        fill = fill_of(row, instrument.symbol, category, rates)
        fills.append(replace(fill, order_final=False))
        if not category.is_spot and not row.exec_pnl and size(row.closed_size or "0", "closed size") > ZERO:
            unpriced.add(fill.trade_id)
    return fills, frozenset(unpriced), cursor_of(page)


def with_profits(fills: Sequence[Fill], profits: Mapping[str, Money]) -> list[Fill]:
    """Return the fills with the profits that the log told."""
    return [
        replace(fill, realised_pnl=profits[fill.trade_id]) if fill.trade_id in profits else fill
        for fill in fills
    ]


def fill_of(row: ExecutionRow, symbol: Symbol, category: Category, rates: Rates) -> Fill:
    """Build a fill; Unreadable unless it has ids, a side, a price above zero and a quantity above zero."""
    side, done = SIDES.get(row.side), size(row.exec_qty, "executed quantity")
    if side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    price = positive_price(row.exec_price, "price")
    fee, base_fee = _fee(row, symbol, category, price, rates)
    if base_fee > done:
        raise Unreadable("a fee above what was bought")
    return Fill(
        venue=category.venue,
        symbol=symbol,
        trade_id=name_of(row.exec_id, "the execution id"),
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.order_link_id,
        side=side,
        price=price,
        quantity=done,
        fee=fee,
        realised_pnl=(
            amount(row.exec_pnl, "realised profit") if row.exec_pnl and not category.is_spot else NO_MONEY
        ),
        at=from_epoch_ms(milliseconds(row.exec_time, "the time of the execution")),
        order_final=bool(row.leaves_qty) and size(row.leaves_qty, "the rest") == ZERO,
        base_fee=base_fee,
        cause=_CAUSES.get(row.exec_type, FillCause.TRADE),
        position_side=None if category.is_spot or not row.closed_size else _leg(row, side),
    )


def _leg(row: ExecutionRow, side: Side) -> Side:
    """Return which position an execution moves in hedge mode: the list names none, but whether it closed something."""
    return side.opposite if size(row.closed_size, "closed size") > ZERO else side


def _fee(
    row: ExecutionRow, symbol: Symbol, category: Category, price: Price, rates: Rates
) -> tuple[Money, Quantity]:
    """Return the fee in the settle asset, and the part that was kept from coins bought; a rebate in coins keeps none."""
    told = amount(row.exec_fee or "0", "fee")
    settle, base = category.settle(symbol), symbol.rpartition("-")[0]
    asset = row.fee_currency or settle
    if asset == settle:
        return told, NO_QUANTITY
    if category.is_spot and asset == base:
        kept = Quantity(told) if told > ZERO and row.side == "Buy" else NO_QUANTITY
        return Money(settle_up(told * price)), kept
    return fee_in_quote(Symbol(f"{base}-{settle}"), told, asset, rates), NO_QUANTITY
