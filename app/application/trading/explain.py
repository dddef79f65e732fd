"""Explaining: why the venue holds less on a market than our lots, asked of the venue's own fills. Rules.

- A fill of an order of ours is a lost message: it is booked the ordinary way, and nothing else is judged before that.
- What closed our lots and was no order of ours is booked as an outside exit, from the venue's own figures.
- Fills that do not explain the whole difference explain nothing.
- What an operator accepted is not judged again: only executions after it explain anything.
- An error is no answer, and a position that moves while it is looked at is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from app.application.trading.drift import AccountToCompare
from app.application.trading.evidence import Evidence
from app.application.trading.outside_exit import book_outside, exits_of
from app.application.trading.ports import Quotes
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.reconcile_ports import DriftCause, Known, OutsideExit, ReconcileBook
from app.application.trading.settle import Settler
from app.domain.exchanges.ports import ExchangeGateway
from app.domain.exchanges.requests import PositionMode
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.execution import Fill, FillCause, OrderReport, VenuePosition
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import ZERO
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.divergence import Lot, Share, attribute, on_our_side, sum_of

_BEFORE_OPENING: Final = timedelta(minutes=1)
_LOOKBACK: Final = timedelta(days=6)  # venues tell at most seven days of executions at once
_ORDERS_MAX: Final = 50
DRIFT_CAUSE: Final[Mapping[FillCause, DriftCause]] = MappingProxyType(
    {
        FillCause.TRADE: DriftCause.EXTERNAL_CLOSE,
        FillCause.LIQUIDATION: DriftCause.LIQUIDATION,
        FillCause.DELEVERAGING: DriftCause.DELEVERAGING,
    }
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A market on which the venue holds `theirs`, less than our lots; the oldest of them was opened at `opened`."""

    symbol: Symbol
    lots: tuple[Lot, ...]
    theirs: Decimal
    opened: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found and done: messages that were lost, or exits that were booked."""

    lost_messages: bool = False
    exits: tuple[OutsideExit, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainShortfall:
    """Explains one market's shortfall and books what explains it; see the rules above."""

    book: ReconcileBook
    settler: Settler
    desk: ProtectionDesk
    quotes: Quotes
    clock: Clock
    id_secret: bytes

    async def __call__(
        self, account: AccountToCompare, gateway: ExchangeGateway, short: Shortfall
    ) -> Explanation | None:
        """Return what explains it, None when nothing does. Raises what the venue raises, or ConcurrencyConflict."""
        instrument = await self.quotes.instrument(account.venue, short.symbol)
        since = max(short.opened - _BEFORE_OPENING, self.clock.now() - _LOOKBACK)
        since = max(since, await self.book.accepted_until(account.account_id, short.symbol) or since)
        fills = tuple(await gateway.fills(instrument, since=since))
        known = await self.book.known(account.account_id, short.symbol, fills)
        missed = _missed(fills, known)
        if missed:
            return Explanation(lost_messages=True) if await self._booked(account, short, missed) else None
        if await self._protection_triggered(account, gateway, instrument):
            return Explanation(lost_messages=True)
        theirs, legs = await _of_our_leg(account, gateway, short, fills)
        shares = attribute(short.lots, theirs, legs, known.booked)
        if not shares:
            return None
        asked = await self._asked(account, gateway, instrument, shares, fills)
        if asked is None:
            return Explanation(lost_messages=True)
        if _theirs(short, await gateway.positions()) != short.theirs:
            raise ConcurrencyConflict("The position changed while its executions were read.")
        exits = exits_of(account, short.symbol, asked, self.id_secret)
        if not await book_outside(self.book, exits, short.lots, self.clock.now()):
            raise ConcurrencyConflict("Our books changed while the venue was asked.")
        return Explanation(exits=tuple(exits))

    async def _booked(
        self, account: AccountToCompare, short: Shortfall, missed: Mapping[ClientOrderId, Sequence[Fill]]
    ) -> bool:
        """Book fills of our own orders; False where the books would not take them: they contradict what was sent."""
        for client_id, fills in missed.items():
            self.settler.submit(Evidence(client_id, fills=tuple(fills)))
        await self.settler.drained()
        told = [fill for fills in missed.values() for fill in fills]
        known = await self.book.known(account.account_id, short.symbol, told)
        return all(fill.trade_id in known.booked for fill in told)

    async def _protection_triggered(
        self, account: AccountToCompare, gateway: ExchangeGateway, instrument: Instrument
    ) -> bool:
        """Ask for what we believe to rest: where one triggered, the desk makes it an exit that recovery books."""
        triggered = False
        for row in await self.book.protections(account.account_id, instrument.symbol):
            report = await gateway.protection(instrument, row.client_order_id)
            if report is not None and report.status is ProtectionStatus.TRIGGERED:
                await self.desk.told(row, report)
                triggered = True
        return triggered

    async def _asked(
        self,
        account: AccountToCompare,
        gateway: ExchangeGateway,
        instrument: Instrument,
        shares: Sequence[Share],
        fills: Sequence[Fill],
    ) -> Sequence[Share] | None:
        """Return the shares with what the orders behind them say of their cause; None when one is ours after all."""
        order_ids = sorted({share.fill.order_id for share in shares})
        if len(order_ids) > _ORDERS_MAX:
            raise ConcurrencyConflict("Too many orders are behind the difference to ask for each.")
        reports = {order_id: await gateway.order_by_venue_id(instrument, order_id) for order_id in order_ids}
        names = {order_id: report.client_order_id for order_id, report in reports.items() if report}
        names |= {
            share.fill.order_id: share.fill.client_order_id for share in shares if share.fill.client_order_id
        }
        ours = await self.book.ours(account.account_id, sorted(set(names.values())))
        late = {order_id: name for order_id, name in names.items() if name in ours}
        for order_id, name in late.items():
            executed = tuple(fill for fill in fills if fill.order_id == order_id)
            report = reports[order_id]
            told = None if report is None else replace(report, client_order_id=name)
            self.settler.submit(Evidence(name, report=told, fills=executed))
        if late:
            await self.settler.drained()
            return None
        return [_with_cause(share, reports[share.fill.order_id]) for share in shares]


def _missed(fills: Sequence[Fill], known: Known) -> Mapping[ClientOrderId, Sequence[Fill]]:
    """Return the fills of orders of ours that are not booked, by order."""
    found: dict[ClientOrderId, list[Fill]] = {}
    for fill in fills:
        if fill.trade_id not in known.booked and fill.order_id in known.orders:
            found.setdefault(known.orders[fill.order_id], []).append(fill)
    return found


def _with_cause(share: Share, report: OrderReport | None) -> Share:
    if report is None or share.fill.cause is not FillCause.TRADE:
        return share
    return replace(share, fill=replace(share.fill, cause=report.cause))


async def _of_our_leg(
    account: AccountToCompare, gateway: ExchangeGateway, short: Shortfall, fills: Sequence[Fill]
) -> tuple[Decimal, Sequence[Fill]]:
    """Return the position and the fills of our lots' side alone where the account keeps both sides apart."""
    side = Side.of(sum_of(short.lots))
    elsewhere = [fill for fill in fills if fill.position_side not in (None, side)]
    if not (elsewhere or short.theirs * side.sign < 0) or not CAPABILITIES[account.venue].hedges:
        return short.theirs, fills
    if await gateway.position_mode() is not PositionMode.HEDGE:
        return short.theirs, fills
    theirs = short.theirs if short.theirs * side.sign > 0 else ZERO
    return theirs, [fill for fill in fills if fill.position_side in (None, side)]


def _theirs(short: Shortfall, held: Sequence[VenuePosition]) -> Decimal:
    return on_our_side(sum_of(short.lots), [each for each in held if each.symbol == short.symbol])
