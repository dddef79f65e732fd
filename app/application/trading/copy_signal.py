"""Copy one signal to every follower: the hot path, a chunk at a time, so that the first orders leave early.

Rules.
 - Every follow of the leader gets exactly one stored decision, with its code, reason and inputs.
 - Nothing is sent that is not committed first; what is sent is what was committed.
 - Only the worker that holds the signal's claim commits; one that lost it stops.
 - Entries stop when the leader has left again or the signal has expired; exits never stop.
 - A follower whose funds were reserved by someone else since the snapshot is planned again on fresh facts.
 - No follower is always last: each signal starts at another place in the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from app.application.shared.telemetry import Metrics
from app.application.trading.place import Placer, ToSend
from app.application.trading.ports import Candidate, CopyBook, Prepared, Quotes, VenueClock, Window
from app.application.trading.settle import Settler
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.venue import FenceRule
from app.domain.risk.assess import assess
from app.domain.risk.denials import Denial
from app.domain.shared.clock import Clock
from app.domain.shared.ids import FollowId, client_order_id
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import Price, plain
from app.domain.signals.signal import Signal
from app.domain.trading.copying import (
    CopyOrder,
    LeaderTrade,
    finish_entry,
    plan_exit,
    want_entry,
)
from app.domain.trading.decision import (
    DECISION_SENTENCES,
    Decision,
    DecisionCode,
    DecisionOutcome,
    decision,
)

_FIRST_CHUNK: Final = 32
_ROUNDS_MAX: Final = 8
_SIX_PLACES: Final = Decimal("0.000001")

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
    chunk_max: int = 128

    async def __call__(self, signal: Signal, owner: str, superseded: Superseded) -> CopyResult:
        """Return when every follower has a decision and every order that was sent has an answer in the books."""
        instrument = await self.quotes.instrument(signal.venue, signal.symbol)
        decided = sent = 0
        complete = False
        for _ in range(_ROUNDS_MAX):
            candidates = _turned(await self.book.snapshot(signal, self.clock.now()), signal)
            done, out = await self._round(signal, owner, instrument, candidates, superseded)
            decided += done
            sent += out
            complete = done == len(candidates)
            if complete:
                break
        await self.settler.drained()
        return CopyResult(decided, sent, complete=complete, expired=signal.is_expired(self.clock.now()))

    async def _round(
        self,
        signal: Signal,
        owner: str,
        instrument: Instrument,
        candidates: Sequence[Candidate],
        superseded: Superseded,
    ) -> tuple[int, int]:
        decided = sent = 0
        paused = not signal.is_exit and await self.book.whale_paused(signal)
        sending: list[asyncio.Task[None]] = []
        try:
            for chunk in _chunks(candidates, self.chunk_max):
                trade = LeaderTrade(
                    action=signal.action,
                    side=signal.side,
                    quantity=signal.quantity,
                    fraction=signal.fraction,
                    price=signal.reference_price,
                    mark_price=await self._mark(signal),
                    instrument=instrument,
                    equity=signal.leader_equity,
                    leverage=signal.leader_leverage,
                    expired=signal.is_expired(self.clock.now()),
                    superseded=not signal.is_exit and await superseded(signal),
                    whale_paused=paused,
                )
                prepared, decisions = self._plan(signal, trade, chunk)
                window = self._window(signal) if prepared else None
                committed = await self.book.commit(signal, owner, prepared, decisions, window)
                if window is not None and committed:
                    orders = [_to_send(item) for item in prepared if item.order.follow_id in committed]
                    sending.append(
                        asyncio.create_task(self.placer.send(instrument, orders, window, signal.leader_at))
                    )
                decided += len(decisions) + len(committed)
                sent += len(committed)
                if (
                    len(sending) > 1
                ):  # this chunk may still be on its way while the next is reserved; no more than that
                    await sending[-2]
        finally:
            await asyncio.gather(*sending)  # what was committed is sent, whatever stopped the rest
        return decided, sent

    async def _mark(self, signal: Signal) -> Price:
        try:
            return await self.quotes.mark(signal.venue, signal.symbol)
        except VenueUnavailable:
            if signal.is_exit:
                return signal.reference_price
            raise

    def _window(self, signal: Signal) -> Window:
        fence = self.fences(signal.venue)
        valid_ms = fence.validity // timedelta(milliseconds=1)
        return Window(
            signed_ms=self.venue_clock.now_ms(signal.venue),
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
            pending = candidate.follower.exit_pending
            prepared.append(
                Prepared(planned, first, pending, made, cid, candidate.risk_version, candidate.sealed)
            )
        return prepared, decisions


def plan_one(trade: LeaderTrade, candidate: Candidate) -> tuple[CopyOrder | None, Decision]:
    """Return one follower's order (None when there is none) and its decision. Pure."""
    follower = candidate.follower
    if trade.action.is_exit:
        way_out = plan_exit(trade, follower)
        if isinstance(way_out, Decision):
            return None, way_out
        return way_out, _copied(way_out, None, candidate)
    wanted = want_entry(trade, follower)
    if isinstance(wanted, Decision):
        return None, wanted
    verdict = assess(wanted, candidate.exposure, candidate.limits)
    if verdict.because is not None and verdict.notional <= 0:
        return None, _denied(follower.follow_id, wanted, verdict.because, candidate)
    finished = finish_entry(trade, follower, wanted, verdict.notional)
    if isinstance(finished, Decision):
        if verdict.because is not None:
            return None, _denied(follower.follow_id, wanted, verdict.because, candidate)
        return None, finished
    return finished, _copied(finished, verdict.because, candidate)


def _denied(follow_id: FollowId, wanted: CopyOrder, denial: Denial, candidate: Candidate) -> Decision:
    facts = _facts(wanted, candidate) | {"actual": plain(denial.actual), "limit": plain(denial.limit)}
    if denial.room is not None:
        facts["would_pass_notional"] = plain(denial.room.quantize(_SIX_PLACES))
    return Decision(follow_id, DecisionOutcome.SKIPPED, denial.code.value, denial.sentence(), facts)


def _copied(order: CopyOrder, denial: Denial | None, candidate: Candidate) -> Decision:
    facts = _facts(order, candidate)
    if denial is not None:
        facts |= {"actual": plain(denial.actual), "limit": plain(denial.limit)}
        return Decision(order.follow_id, DecisionOutcome.REDUCED, denial.code.value, denial.sentence(), facts)
    if order.cut_by in (None, DecisionCode.RAISED_TO_MINIMUM):
        code = order.cut_by or DecisionCode.AS_ASKED
        return decision(order.follow_id, DecisionOutcome.COPIED, code, facts)
    return Decision(
        order.follow_id, DecisionOutcome.REDUCED, order.cut_by.value, DECISION_SENTENCES[order.cut_by], facts
    )


def _facts(order: CopyOrder, candidate: Candidate) -> dict[str, str]:
    return {
        "mode": candidate.follower.terms.mode.value,
        "value": plain(candidate.follower.terms.value),
        "notional": plain(order.notional.quantize(_SIX_PLACES)),
        "leverage": str(order.leverage),
        "leader_price": plain(order.reference_price),
        "mark_price": plain(order.mark_price),
        "wallet": plain(candidate.exposure.wallet),
        "free": plain(candidate.exposure.free),
        "held": plain(candidate.follower.held),
        "hold": plain(order.hold),
    }


def _to_send(item: Prepared) -> ToSend:
    order = item.order
    return ToSend(
        account_id=order.account_id,
        sealed=item.sealed,
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
