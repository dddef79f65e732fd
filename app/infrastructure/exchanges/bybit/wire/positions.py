"""Positions and whether they net: GET /v5/position/list, and the stream's `position` topic."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.execution import VenuePosition
from app.domain.shared.market import Symbol
from app.infrastructure.exchanges.bybit.wire.answer import Answer, Page, cursor_of, result_of
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.order_row import SIDES
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number, size


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position; queries say `avgPrice`, the stream `entryPrice`. Its index is 0 where positions net."""

    symbol: str
    side: str
    size: str
    avg_price: str = ""
    entry_price: str = ""
    unrealised_pnl: str = ""
    leverage: str = ""
    category: str = ""
    position_idx: int = 0


_POSITIONS: Final = msgspec.json.Decoder(Answer[Page[PositionRow]])


def positions_text(category: Category, cursor: str) -> str:
    """Return the query of GET /v5/position/list for everything of ours that is open."""
    text = "&".join(part for part in (f"category={category.word}", category.settled, "limit=200") if part)
    return f"{text}&cursor={cursor}" if cursor else text


def position_text(category: Category, contract: str) -> str:
    """Return the query for the position on one contract, which is told though it may be flat."""
    return f"category={category.word}&symbol={contract}"


def read_positions(body: bytes, names: Names) -> tuple[list[VenuePosition], list[str], str]:
    """Read one page: positions that are not flat, the venue's names of those that `names` lacks, and the cursor."""
    page, _ = result_of(_POSITIONS, body)
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for row in page.rows:
        if size(row.size or "0", "size") == ZERO:
            continue
        symbol = names.get(row.symbol)
        if symbol is None:
            strangers.append(row.symbol)
        else:
            found.append(position_of(row, symbol))
    return found, strangers, cursor_of(page)


def read_indexes(body: bytes) -> tuple[list[int], str]:
    """Read one page of positions: the index of each, and the cursor."""
    page, _ = result_of(_POSITIONS, body)
    return [row.position_idx for row in page.rows], cursor_of(page)


def mode_of(indexes: set[int]) -> PositionMode:
    """Return what these indexes say; the venue keeps the mode by contract, so they may contradict each other."""
    if not indexes:
        raise Unreadable("no position tells the mode")
    if not indexes <= {0, 1, 2}:
        raise Unreadable("a position of unknown index")
    if indexes == {0}:
        return PositionMode.ONE_WAY
    if 0 not in indexes:
        return PositionMode.HEDGE
    raise VenueRefused(
        "Some contracts of the account are in one-way and some in hedge mode.", RefusalKind.MODE, "mixed"
    )


def position_of(row: PositionRow, symbol: Symbol) -> VenuePosition:
    """Build a position; a flat one has no side, and a leverage that the venue does not say (portfolio margin) is 0."""
    held, side = size(row.size or "0", "size"), SIDES.get(row.side)
    if held and side is None:
        raise Unreadable("a position without a side")
    leverage = number(row.leverage or "0", "leverage")
    if not ZERO <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    return VenuePosition(
        symbol=symbol,
        quantity=held * side.sign if side is not None else ZERO,
        entry_price=number(row.avg_price or row.entry_price or "0", "entry price"),
        unrealised_pnl=amount(row.unrealised_pnl or "0", "unrealised profit"),
        leverage=int(leverage),
    )
