"""Executions: POST /info userFillsByTime, and the stream's userFills.

The venue lists those of all markets from a time on, oldest first, 2000 at most in one answer and no more than the 10,000
latest; it cannot be asked for those of one order. An execution does not always bear the cloid of its order.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, FillCause
from app.domain.shared.market import Symbol
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.hyperliquid.wire.answer import ROWS_MAX, question
from app.infrastructure.exchanges.hyperliquid.wire.ids import id_of
from app.infrastructure.exchanges.hyperliquid.wire.orders import SIDES, VENUE
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Number,
    Unreadable,
    amount,
    positive_price,
    read,
    size,
)

PAGE: Final = 2000
SETTLE: Final = "USDC"


class Liquidation(msgspec.Struct, frozen=True, rename="camel"):
    """Says that an execution was part of a liquidation, on either side of it."""

    method: str | None = None


class FillRow(msgspec.Struct, frozen=True, rename="camel"):
    """An execution; `closedPnl` is before the fee, and the fee includes a builder's."""

    coin: str
    px: str
    sz: str
    side: str
    time: Milliseconds
    oid: Number
    tid: Number
    fee: str
    closed_pnl: str
    fee_token: str = SETTLE
    cloid: str | None = None
    dir: str = ""
    crossed: bool = True
    liquidation: Liquidation | None = None


_FILLS: Final = msgspec.json.Decoder(Annotated[list[FillRow], msgspec.Meta(max_length=ROWS_MAX)])


def fills_question(user: str, first_ms: int, last_ms: int | None = None) -> bytes:
    """Return the question for executions of all markets within these times."""
    bounds = {"startTime": first_ms} if last_ms is None else {"startTime": first_ms, "endTime": last_ms}
    return question("userFillsByTime", user=user, **bounds)


def read_fills(body: bytes) -> list[FillRow]:
    """Read one answer, of all markets."""
    return read(_FILLS, body)


def fill_of(row: FillRow, symbol: Symbol, rates: Rates, client_id: str = "") -> Fill:
    """Build a fill; Unreadable unless it has ids, a side, a price above zero and a quantity above zero."""
    side, done = SIDES.get(row.side), size(row.sz, "executed quantity")
    if side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    fee = amount(row.fee, "fee")
    return Fill(
        venue=VENUE,
        symbol=symbol,
        trade_id=str(row.tid),
        order_id=str(row.oid),
        client_order_id=client_id or id_of(row.cloid),
        side=side,
        price=positive_price(row.px, "price"),
        quantity=done,
        fee=fee if row.fee_token == SETTLE else fee_in_quote(symbol, fee, row.fee_token, rates),
        realised_pnl=amount(row.closed_pnl, "realised profit"),
        at=from_epoch_ms(row.time),
        cause=_cause(row),
    )


def _cause(row: FillRow) -> FillCause:
    """Return why it happened. Both sides of a liquidation tell of it; only the one that took was liquidated."""
    if row.dir.startswith("Auto-Deleveraging"):
        return FillCause.DELEVERAGING
    forced = row.dir.startswith("Liquidated") or (row.liquidation is not None and row.crossed)
    return FillCause.LIQUIDATION if forced else FillCause.TRADE
