"""The portfolio: what a user's accounts hold, what it is worth at the mark, and what it has earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.application.queries import FundsRow, PositionRow
from app.application.readers import MarkSource, TradingReader
from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import GatewayFactory
from app.domain.shared.ids import UserId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import NO_MONEY, Money, Price

_POSITIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    """An open position with the venue's mark price; both figures are None when the mark is not known now."""

    row: PositionRow
    mark: Price | None
    unrealised: Money | None


@dataclass(frozen=True, slots=True)
class AccountSheet:
    """One account: its money, its open positions, and what they would add if closed at the mark.

    `unrealised` is None when a position's mark is not known: a sum of some would mislead.
    """

    funds: FundsRow
    positions: Sequence[MarkedPosition]
    unrealised: Money | None

    @property
    def free(self) -> Money:
        """Wallet less margin in use and holds, never below zero."""
        return max(NO_MONEY, Money(self.funds.wallet - self.funds.held - self.funds.margin))


@dataclass(frozen=True, slots=True)
class VenueMarks:
    """Mark prices straight from the venues' public side; nothing when a venue does not answer."""

    gateways: GatewayFactory

    async def marks(self, venue: Venue) -> Mapping[Symbol, Price]:
        """Return the newest marks, or none."""
        try:
            return await self.gateways.market(venue).marks()
        except VenueError:
            return {}


@dataclass(frozen=True, slots=True)
class ReadPortfolio:
    """Show the caller's accounts.

    - Free is the wallet less margin in use and holds for orders on their way.
    - Realised results are price results; fees and funding stand beside them, never inside.
    - Unrealised results are at the venue's mark price, and absent while it is not known.
    """

    reader: TradingReader
    marks: MarkSource

    async def __call__(self, user_id: UserId) -> Sequence[AccountSheet]:
        """Return one sheet for each account, oldest account first."""
        funds = await self.reader.funds(user_id)
        rows: list[PositionRow] = []
        page = await self.reader.positions(user_id, limit=_POSITIONS_MAX)
        rows.extend(page.rows)
        while page.after is not None:
            page = await self.reader.positions(user_id, limit=_POSITIONS_MAX, after=page.after)
            rows.extend(page.rows)
        marks = {venue: await self.marks.marks(venue) for venue in {row.venue for row in rows}}
        marked = [_marked(row, marks[row.venue].get(row.symbol)) for row in rows]
        return [
            _sheet(one, [each for each in marked if each.row.account_id == one.account_id]) for one in funds
        ]


def _marked(row: PositionRow, mark: Price | None) -> MarkedPosition:
    return MarkedPosition(row, mark, None if mark is None else row.position.unrealised(mark))


def _sheet(funds: FundsRow, positions: Sequence[MarkedPosition]) -> AccountSheet:
    total: Money | None = NO_MONEY
    for each in positions:
        total = None if total is None or each.unrealised is None else Money(total + each.unrealised)
    return AccountSheet(funds, positions, total)
