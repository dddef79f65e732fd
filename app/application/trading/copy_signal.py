"""Copy one signal to every follower: the hot path, a chunk at a time, so that the first orders leave early.

Rules.
 - Every follow of the leader gets exactly one stored decision, with its code, reason and inputs.
 - Nothing is sent that is not committed first; what is sent is what was committed.
 - Only the worker that holds the signal's claim commits; one that lost it stops.
 - Entries stop when the leader has left again or the signal has expired; exits never stop.
 - A follower whose funds were reserved by someone else since the snapshot is planned again on fresh facts.
 - Where a protection could sell beside an exit, it is withdrawn first and the exit planned again: what was freed does not
   count as decided, and is served in the next round.
 - No follower is always last: each signal starts at another place in the line.
 - Followers are served at their own venues, all venues at once; one that is away delays nobody else: its exits are put
   off, so that the leader's next signal does not wait for them, and an entry of a leader who has left waits for no price.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from app.application.shared.telemetry import Metrics
from app.application.trading.markets import Markets, find_markets, of_each_follow, put_off
from app.application.trading.place import Placer, ToSend
from app.application.trading.plan import plan_one
from app.application.trading.ports import Candidate, CopyBook, Prepared, Quotes, VenueClock, Window
from app.application.trading.settle import Settler
from app.application.trading.withdraw import Withdrawal, left_to_the_keeper
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import Clock
from app.domain.shared.ids import FollowId, client_order_id
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import Price
from app.domain.signals.signal import Signal
from app.domain.trading.copying import LeaderTrade
from app.domain.trading.decision import Decision, DecisionCode

_FIRST_CHUNK: Final = 32
_ROUNDS_MAX: Final = 8

Superseded: TypeAlias = Callable[[Signal], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class CopyResult:
    """How many followers were decided and how many orders were sent; `complete` when no follower is left undecided."""

    decided: int
    sent: int
    complete: bool
    expired: bool


@dataclass(frozen=True, slots=True)
class CopySignal:
    """Plans, commits and sends one signal for all its followers; see the rules above."""

    book: CopyBook
    placer: Placer
    settler: Settler
    quotes: Quotes
    venue_clock: VenueClock
    clock: Clock
    metrics: Metrics
    id_secret: bytes
    fences: Callable[[Venue], FenceRule]
    venues: Sequence[Venue]
    chunk_max: int = 128
    withdraw: Withdrawal = left_to_the_keeper

    async def __call__(self, signal: Signal, owner: str, superseded: Superseded) -> CopyResult:
        """Return when every follower has a decision and every order that was sent has an answer in the books.

        Raises VenueUnavailable at the end when a venue could not be asked: its followers are served in a later turn.
        """
        decided = sent = 0
        complete, away = False, True
        for _ in range(_ROUNDS_MAX):
            markets = await find_markets(self.quotes, self.venues, signal)
            found = await self.book.snapshot(signal, self.clock.now(), markets.symbols(signal))
            candidates = _turned(of_each_follow(found), signal)
            done, out, away = await self._round(signal, owner, markets, candidates, superseded)
            decided += done
            sent += out
            complete = done == len(candidates)
            if complete or away:
                break
        await self.settler.drained()
        if away and not complete:
            raise VenueUnavailable("A venue cannot be asked; its followers are served when it can.")
        return CopyResult(decided, sent, complete=complete, expired=signal.is_expired(self.clock.now()))

    async def _round(
        self,
        signal: Signal,
        owner: str,
        markets: Markets,
        candidates: Sequence[Candidate],
        superseded: Superseded,
    ) -> tuple[int, int, bool]:
        """Serve the followers of every venue at once; the last figure says whether a venue was away."""
        paused = not signal.is_exit and await self.book.whale_paused(signal)
        groups: dict[Venue, list[Candidate]] = {}
        for candidate in candidates:
            groups.setdefault(candidate.venue, []).append(candidate)
        results = await asyncio.gather(
            *(
                self._venue(signal, owner, markets, venue, group, superseded, paused=paused)
                for venue, group in groups.items()
            ),
            return_exceptions=True,
        )
        decided = sent = 0
        away = False
        for result in results:
            if isinstance(result, VenueUnavailable):
                away = True
            elif isinstance(result, BaseException):
                raise result
            else:
                decided, sent = decided + result[0], sent + result[1]
        return decided, sent, away

    async def _venue(
        self,
        signal: Signal,
        owner: str,
        markets: Markets,
        venue: Venue,
        candidates: Sequence[Candidate],
        superseded: Superseded,
        *,
        paused: bool,
    ) -> tuple[int, int]:
        instrument = markets.found.get(venue)
        if instrument is None:
            made = markets.without(signal, venue, candidates, over=await self._over(signal, superseded))
            await self.book.commit(signal, owner, (), made, None)
            if unlisted := sum(each.code == DecisionCode.MARKET_UNLISTED for each in made):
                self.metrics.count("exits_unlisted", unlisted, venue=venue.value)
            return len(made), 0
        decided = sent = 0
        sending: list[asyncio.Task[None]] = []
        freeing: list[asyncio.Task[frozenset[FollowId]]] = []
        try:
            for chunk in _chunks(candidates, self.chunk_max):
                over = await self._over(signal, superseded)
                trade = LeaderTrade(
                    action=signal.action,
                    side=signal.side,
                    quantity=signal.quantity,
                    fraction=signal.fraction,
                    price=signal.reference_price,
                    mark_price=await self._mark(signal, instrument, over),
                    instrument=instrument,
                    equity=signal.leader_equity,
                    leverage=signal.leader_leverage,
                    expired=over is DecisionCode.SIGNAL_EXPIRED,
                    superseded=over is DecisionCode.LEADER_ALREADY_OUT,
                    whale_paused=paused,
                    by_quantity=signal.is_of_late_entry,
                )
                prepared, decisions = self._plan(signal, trade, chunk)
                window = self._window(venue, signal) if prepared else None
                if prepared and window is None:
                    away = put_off(venue, [item.order.follow_id for item in prepared])
                    prepared, decisions = [], [*decisions, *away]
                committed = await self.book.commit(signal, owner, prepared, decisions, window)
                if window is not None and committed:
                    orders = [_to_send(item) for item in prepared if item.order.follow_id in committed]
                    sending.append(
                        asyncio.create_task(self.placer.send(instrument, orders, window, signal.leader_at))
                    )
                if wait := _waiting_for_protections(decisions):
                    freeing.append(asyncio.create_task(self.withdraw(wait, instrument.symbol)))
                decided, sent = decided + len(decisions) + len(committed), sent + len(committed)
                if len(sending) > 1:
                    # This chunk may still be on its way while the next is reserved; no more than that.
                    await sending[-2]
        finally:
            await asyncio.gather(*sending)  # what was committed is sent, whatever stopped the rest
            freed = await asyncio.gather(*freeing)
        return decided - sum(map(len, freed)), sent

    async def _over(self, signal: Signal, superseded: Superseded) -> DecisionCode | None:
        """Return why no entry of the signal may be made any more; None while one may, and for exits."""
        if signal.is_exit:
            return None
        if await superseded(signal):
            return DecisionCode.LEADER_ALREADY_OUT
        return DecisionCode.SIGNAL_EXPIRED if signal.is_expired(self.clock.now()) else None

    async def _mark(self, signal: Signal, instrument: Instrument, over: DecisionCode | None) -> Price:
        try:
            return await self.quotes.mark(instrument.venue, instrument.symbol)
        except VenueUnavailable:
            if signal.is_exit or over is not None:
                return signal.reference_price  # no entry is made at it, and an exit needs no price
            raise

    def _window(self, venue: Venue, signal: Signal) -> Window | None:
        """Return the window of orders that are sent now; None for exits whose venue's time is not known."""
        fence = self.fences(venue)
        valid_ms = fence.validity // timedelta(milliseconds=1)
        try:
            signed_ms = self.venue_clock.now_ms(venue)
        except VenueUnavailable:
            if not signal.is_exit:
                raise
            return None
        return Window(
            signed_ms=signed_ms,
            valid_ms=valid_ms,
            look_at=self.clock.now() + fence.validity,
        )

    def _plan(
        self, signal: Signal, trade: LeaderTrade, chunk: Sequence[Candidate]
    ) -> tuple[list[Prepared], list[Decision]]:
        prepared: list[Prepared] = []
        decisions: list[Decision] = []
        for candidate in chunk:
            planned, made = plan_one(trade, candidate)
            if planned is None:
                decisions.append(made)
                continue
            cid = client_order_id(self.id_secret, signal.id, planned.follow_id, signal.leg, 0)
            largest = trade.instrument.round_quantity(trade.instrument.quantity_max)
            first = min(planned.quantity, largest)
            follower = candidate.follower
            prepared.append(
                Prepared(
                    trade.instrument,
                    planned,
                    first,
                    follower.exit_pending,
                    follower.held,
                    made,
                    cid,
                    candidate.risk_version,
                    candidate.sealed,
                    candidate.hedged,
                )
            )
        return prepared, decisions


def _waiting_for_protections(decisions: Sequence[Decision]) -> list[FollowId]:
    return [made.follow_id for made in decisions if made.code == DecisionCode.PROTECTION_STILL_RESTS]


def _to_send(item: Prepared) -> ToSend:
    order = item.order
    return ToSend(
        account_id=order.account_id,
        sealed=item.sealed,
        hedged=item.hedged,
        client_order_id=item.client_order_id,
        side=order.side,
        quantity=item.first_quantity,
        reduce_only=order.reduce_only,
        attempt=0,
        set_leverage=order.leverage if order.leverage_changes else None,
    )


def _turned(candidates: Sequence[Candidate], signal: Signal) -> Sequence[Candidate]:
    if not candidates:
        return candidates
    start = signal.id.int % len(candidates)
    return [*candidates[start:], *candidates[:start]]


def _chunks(candidates: Sequence[Candidate], largest: int) -> Iterator[Sequence[Candidate]]:
    start, size = 0, min(_FIRST_CHUNK, largest)
    while start < len(candidates):
        yield candidates[start : start + size]
        start += size
        size = min(size * 2, largest)
