"""Reconciling: an account at its venue against our books, and what follows from a difference. Rules.

- An error, and books that change while the venue is asked, are unknown: nothing is written, no look is counted.
- Less than our lots: `ExplainShortfall`. Unexplained on several looks, spread in time: entries of this account on this
market are refused until it agrees again, and a person is told. No order is ever sent to mend a difference.
- More than our lots, or another market: the owner's own business; told once, never touched.
- When all else agrees and no order is out, a wallet that differs the same on several looks is adjusted, once.
- It is a fixpoint: a pass over what was already answered writes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from app.application.shared.telemetry import Metrics
from app.application.trading.drift import AccountToCompare
from app.application.trading.execution_ports import ExecutionBook, LedgerEntry
from app.application.trading.explain import DRIFT_CAUSE, ExplainShortfall, Shortfall
from app.application.trading.reconcile_ports import WALLET, AccountState, DriftCause, Mark, ReconcileBook
from app.domain.exchanges.ports import ExchangeGateway, GatewayFactory
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError
from app.domain.shared.events import Event
from app.domain.shared.execution import VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import MarketKind, Symbol
from app.domain.shared.money import ZERO, Money, plain
from app.domain.trading.divergence import missing, on_our_side, sum_of
from app.domain.trading.events import MarketFrozen

_FUNDING_LOOKBACK: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference and what became of it. `what` is a market, WALLET or the account; `is_open`: it still stands and
    is not the owner's business alone.
    """

    account_id: AccountId
    cause: DriftCause
    what: str
    ours: str
    theirs: str
    told: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """When a difference counts: so many looks, over at least so long, the same each time."""

    looks: int = 3
    spread: timedelta = timedelta(seconds=30)

    def is_over(self, mark: Mark) -> bool:
        """Return whether a difference was seen often and long enough."""
        return mark.looks >= self.looks and mark.looked_at - mark.since >= self.spread


@dataclass(frozen=True, slots=True)
class Reconcile:
    """One pass over one account; see the rules above."""

    book: ReconcileBook
    executions: ExecutionBook
    gateways: GatewayFactory
    explain: ExplainShortfall
    clock: Clock
    metrics: Metrics
    patience: Patience
    pause: Callable[[], Awaitable[None]]

    async def __call__(self, account: AccountToCompare) -> Sequence[Finding]:
        """Return what differs and what was done about it; never raises what the venue or the database raise."""
        try:
            found = await self._pass(account)
        except DomainError as error:
            found = [_unknown(account, f"{error.code}: {error.message}")]
        for finding in found:
            self.metrics.count("drift_found", cause=finding.cause.value, venue=account.venue.value)
        return found

    async def _pass(self, account: AccountToCompare) -> Sequence[Finding]:
        gateway = self.gateways.gateway(account.account_id, account.venue, account.sealed)
        picture = await self._look(account, gateway)
        if picture is None or _shorts(*picture):  # an execution may be on its way to the books
            await self.pause()
            picture = await self._look(account, gateway)
        if picture is None:
            return [_unknown(account, "our books changed while the venue was asked")]
        state, held = picture
        found: list[Finding] = []
        for short in _shorts(state, held):
            found += await self._answer(account, gateway, state, short)
        if not found:
            found += await self._wallet(account, gateway, state)
        found += await self._owners(account, state, held)
        gone = [
            mark.what
            for mark in state.marks.values()
            if mark.what not in {each.what for each in found if each.told not in ("booked", "taken up")}
            and mark.what not in state.busy
            and (mark.what != WALLET or state.settled)
        ]
        if gone:
            await self.book.unmark(account.account_id, gone)
        return found

    async def _look(
        self, account: AccountToCompare, gateway: ExchangeGateway
    ) -> tuple[AccountState, Mapping[Symbol, Sequence[VenuePosition]]] | None:
        before = await self.book.state(account.account_id)
        held: dict[Symbol, list[VenuePosition]] = {}
        for position in await gateway.positions():
            held.setdefault(position.symbol, []).append(position)
        after = await self.book.state(account.account_id)
        return (after, held) if after == before else None

    async def _answer(
        self, account: AccountToCompare, gateway: ExchangeGateway, state: AccountState, short: Shortfall
    ) -> Sequence[Finding]:
        ours = sum_of(short.lots)
        try:
            explanation = await self.explain(account, gateway, short)
        except DomainError as error:
            return [replace(_unknown(account, f"{error.code}: {error.message}"), what=short.symbol)]
        if explanation is None:
            mark = await self._seen(account, state, short.symbol, DriftCause.UNKNOWN, ours, short.theirs)
            told = "frozen: nothing explains it" if mark.frozen else self._count(mark)
            return [_finding(account, mark, told, is_open=True)]
        causes = [DRIFT_CAUSE[each.fills[0].cause] for each in explanation.exits]
        told = "booked"
        if explanation.lost_messages:
            causes, told = [DriftCause.LOST_MESSAGE], "taken up"
        return [
            Finding(
                account.account_id, cause, short.symbol, plain(ours), plain(short.theirs), told, is_open=False
            )
            for cause in causes
        ]

    async def _owners(
        self, account: AccountToCompare, state: AccountState, held: Mapping[Symbol, Sequence[VenuePosition]]
    ) -> Sequence[Finding]:
        found = []
        for symbol, rows in sorted(held.items()):
            ours = sum_of(state.lots.get(symbol, ()))
            if symbol in state.busy or missing(ours, on_our_side(ours, rows)):
                continue
            if [row.quantity for row in rows] == [ours]:
                continue
            theirs = sum((row.quantity for row in rows), ZERO)
            is_new = symbol not in state.marks or state.marks[symbol].theirs != theirs
            mark = await self._seen(account, state, symbol, DriftCause.MANUAL_TRADE, ours, theirs)
            found.append(_finding(account, mark, "new" if is_new else "known", is_open=False))
        return found

    async def _wallet(
        self, account: AccountToCompare, gateway: ExchangeGateway, state: AccountState
    ) -> Sequence[Finding]:
        venue = CAPABILITIES[account.venue]
        if venue.collateral is None or not state.settled:
            return ()
        is_spot = venue.kind is MarketKind.SPOT
        told = (await gateway.balance()).wallet
        theirs = Money(told + state.coins_cost) if is_spot else told
        if theirs == state.wallet:
            return ()
        if state.lots and not is_spot and await self._funding(account, gateway, state):
            return ()  # it was funding that nobody had told of; whatever is left is seen the next time
        mark = await self._seen(account, state, WALLET, DriftCause.WALLET, state.wallet, theirs)
        if not self.patience.is_over(mark):
            return [_finding(account, mark, self._count(mark), is_open=True)]
        done = await self.book.adjust_wallet(
            account.account_id, state.wallet, told, self.clock.now(), beside_coins=is_spot
        )
        return [_finding(account, mark, "booked" if done else "still moving", is_open=not done)]

    async def _funding(
        self, account: AccountToCompare, gateway: ExchangeGateway, state: AccountState
    ) -> bool:
        """Book funding that was missed; return whether that changed the wallet."""
        payments = await gateway.funding(self.clock.now() - _FUNDING_LOOKBACK)
        entries = [
            LedgerEntry(account.account_id, f"FUNDING:{p.payment_id}", "FUNDING", p.amount, p.symbol, p.at)
            for p in payments
        ]
        if not entries:
            return False
        await self.executions.book_funding(entries)
        return (await self.book.state(account.account_id)).wallet != state.wallet

    async def _seen(
        self,
        account: AccountToCompare,
        state: AccountState,
        what: str,
        cause: DriftCause,
        ours: Decimal,
        theirs: Decimal,
    ) -> Mark:
        """Remember a difference, and count this look where it is the same as before and not too soon after."""
        now, old = self.clock.now(), state.marks.get(what)
        if old is not None and (old.cause, old.ours, old.theirs) == (cause, ours, theirs):
            too_soon = now - old.looked_at < self.patience.spread / self.patience.looks
            if cause is DriftCause.MANUAL_TRADE or too_soon or self.patience.is_over(old):
                return old
            mark = replace(old, looks=old.looks + 1, looked_at=now)
        else:
            stays_frozen = old is not None and old.frozen and cause is DriftCause.UNKNOWN
            mark = Mark(what, cause, ours, theirs, 1, frozen=stays_frozen, since=now, looked_at=now)
        events: tuple[Event, ...] = ()
        if cause is DriftCause.UNKNOWN and not mark.frozen and self.patience.is_over(mark):
            mark = replace(mark, frozen=True)
            events = (MarketFrozen(at=now, account_id=account.account_id, symbol=Symbol(what)),)
        await self.book.mark(account.account_id, mark, events)
        return mark

    def _count(self, mark: Mark) -> str:
        return f"look {mark.looks} of {self.patience.looks}"


def _shorts(state: AccountState, held: Mapping[Symbol, Sequence[VenuePosition]]) -> Sequence[Shortfall]:
    found = []
    for symbol, lots in sorted(state.lots.items()):
        ours = sum_of(lots)
        theirs = on_our_side(ours, held.get(symbol, ()))
        if symbol not in state.busy and missing(ours, theirs):
            found.append(Shortfall(symbol, lots, theirs, state.opened[symbol]))
    return found


def _finding(account: AccountToCompare, mark: Mark, told: str, *, is_open: bool) -> Finding:
    return Finding(
        account.account_id, mark.cause, mark.what, plain(mark.ours), plain(mark.theirs), told, is_open
    )


def _unknown(account: AccountToCompare, why: str) -> Finding:
    return Finding(account.account_id, DriftCause.UNKNOWN, "account", "", "", why, is_open=True)
