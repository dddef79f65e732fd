"""The proof of absence: what it takes to say that an order which the venue does not find was never executed. Rules.

- "Not found" is evidence, never proof, until the fence has closed (the venue would refuse any late copy of the
request), several answers, spread in time, said so, and no fill of an order that we do not know exists since then.
- Such a fill's order is asked for by the venue's own id: it is ours under a late name, or the owner's own trade, which
explains it. Where the venue cannot say, it delays the proof, and after a dozen answers no longer prevents it.
- A proven absence lets an exit try again, as reduce-only and for at most what is held; beside another follow's lot, which
it would reduce as well, once the venue holds all of our books, or after a dozen answers; where a venue knows no
reduce-only orders, only while it holds every coin of our books. Where the coins stay missing for an hour the owner has
sold them, and the sale is given up: its decision is final, the owner is told, and comparing the account mends the lot. An entry tries again only while its signal lives
and only where the operator states a bound on how late an order may become visible; else it ends as ABSENT, its
hold kept until a late appearance is ruled out. Until then it is looked for, once a minute at least: a position that
nobody knows of would miss its leader's exit.
- The exit of a protection that triggered, and whose order the venue then failed to place, goes on as an order of ours,
once no fill says otherwise and, where it could sell more than its follow's lot, the venue holds all of our books.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.application.trading.evidence import Evidence, resting_pause
from app.application.trading.execution_ports import Doubt, ExecutionBook, StoredAttempt
from app.application.trading.ports import VenueClock
from app.domain.exchanges.ports import ExchangeGateway
from app.domain.exchanges.venue import CAPABILITIES, FenceRule
from app.domain.shared.clock import Clock, from_epoch_ms
from app.domain.shared.execution import OrderReport
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import ZERO
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.trade import TradeState

_LOOK_MAX: Final = timedelta(seconds=15)
_LOOKS_MAX: Final = 12
_HORIZON: Final = timedelta(hours=24)
_STRANGERS_MAX: Final = 20
_FAILED: Final = frozenset({ProtectionStatus.REJECTED, ProtectionStatus.EXPIRED, ProtectionStatus.CANCELED})
COINS_PATIENCE: Final = timedelta(hours=1)
TRIGGER_FAILED: Final = "TRIGGER_FAILED"
"""The code of the order that a protection was to become when its price was reached, and never became."""


async def found(
    gateway: ExchangeGateway, instrument: Instrument, attempt: StoredAttempt, report: OrderReport
) -> Evidence:
    """Return an order that was found as evidence, with its fills."""
    fills = await gateway.fills(instrument, order_id=report.order_id) if report.executed else ()
    return Evidence(attempt.client_order_id, report=report, fills=tuple(fills), looks=attempt.looks + 1)


@dataclass(frozen=True, slots=True)
class Absence:
    """Judges an answer of "not found"; see the rules above. What the venue does not answer raises VenueError."""

    book: ExecutionBook
    venue_clock: VenueClock
    clock: Clock
    fences: Callable[[Venue], FenceRule]

    async def __call__(
        self, doubt: Doubt, gateway: ExchangeGateway, instrument: Instrument
    ) -> Sequence[Evidence]:
        """Return the evidence in the order in which it is to be booked."""
        attempt, fence = doubt.attempt, self.fences(doubt.attempt.venue)
        now = self.clock.now()
        if attempt.order_state is OrderState.ABSENT:
            return [await self._still_absent(attempt, now)]
        if attempt.order_state in (OrderState.OPEN, OrderState.PARTIAL):
            if await self._never_became(attempt, gateway, instrument):
                return [await self._failed_trigger(doubt, gateway, instrument, fence)]
            return [self._seen(attempt)]
        signed_at = from_epoch_ms(attempt.signed_ms)
        venue_now = from_epoch_ms(self.venue_clock.now_ms(attempt.venue))
        counts_from = signed_at + fence.first_look_after
        if venue_now < counts_from:
            return [_lost(attempt, 0, min(now + _LOOK_MAX, now + (counts_from - venue_now)))]
        looks = attempt.looks + 1
        if looks < fence.answers:
            return [_lost(attempt, looks, now + fence.spread)]
        stranger = await self._unexplained(attempt, gateway, instrument, signed_at, fence)
        if isinstance(stranger, OrderReport):
            return [await found(gateway, instrument, attempt, stranger)]
        if stranger and looks < _LOOKS_MAX:
            return [_lost(attempt, looks, now + _LOOK_MAX, "UNEXPLAINED_FILL")]
        return await self._proven(doubt, gateway, fence, now, looks)

    async def _never_became(
        self, attempt: StoredAttempt, gateway: ExchangeGateway, instrument: Instrument
    ) -> bool:
        """Return whether this is the exit of a protection that the venue first called triggered, and then failed."""
        if not attempt.reduce_only or attempt.order_executed or not CAPABILITIES[attempt.venue].protects:
            return False
        said = await gateway.protection(instrument, attempt.client_order_id)
        return said is not None and said.status in _FAILED

    async def _failed_trigger(
        self, doubt: Doubt, gateway: ExchangeGateway, instrument: Instrument, fence: FenceRule
    ) -> Evidence:
        """Judge a trigger that the venue says became no order: some say so before they tell which order it became."""
        attempt, reduces = doubt.attempt, CAPABILITIES[doubt.attempt.venue].reduces
        placed_at, patient = from_epoch_ms(attempt.signed_ms), attempt.looks < _LOOKS_MAX
        stranger = await self._unexplained(attempt, gateway, instrument, placed_at, fence)
        if isinstance(stranger, OrderReport):
            return await found(gateway, instrument, attempt, stranger)
        held = (reduces and not doubt.shared) or await self._still_held(attempt, gateway)
        if patient and (stranger or not held):
            return self._seen(attempt)
        return Evidence(
            attempt.client_order_id, event=OrderEvent.REFUSED, code=TRIGGER_FAILED, resend=held or reduces
        )

    def _seen(self, attempt: StoredAttempt) -> Evidence:
        """Look again later at what the venue has shown: its end is only not told yet."""
        look_at = self.clock.now() + resting_pause(attempt.looks)
        return Evidence(attempt.client_order_id, looks=attempt.looks + 1, look_at=look_at)

    async def _unexplained(
        self,
        attempt: StoredAttempt,
        gateway: ExchangeGateway,
        instrument: Instrument,
        signed_at: datetime,
        fence: FenceRule,
    ) -> OrderReport | bool:
        """Return the order after all, or whether a fill exists that nobody can explain."""
        known = await self.book.known_order_ids(attempt.account_id, attempt.symbol, signed_at - _HORIZON)
        since = await gateway.fills(instrument, since=signed_at - fence.clock_error)
        strange = {f.order_id for f in since if f.order_id not in known and f.side is attempt.side}
        if len(strange) > _STRANGERS_MAX:
            return True
        for order_id in sorted(strange):
            report = await gateway.order_by_venue_id(instrument, order_id)
            if report is None:
                return True
            if report.client_order_id == attempt.client_order_id:
                return report
        return False

    async def _proven(
        self, doubt: Doubt, gateway: ExchangeGateway, fence: FenceRule, now: datetime, looks: int
    ) -> Sequence[Evidence]:
        attempt = doubt.attempt
        if attempt.reduce_only:
            reduces = CAPABILITIES[attempt.venue].reduces
            is_free = reduces and (not doubt.shared or looks >= _LOOKS_MAX)
            resend = is_free or await self._still_held(attempt, gateway)
            if not resend and (reduces or now < from_epoch_ms(attempt.signed_ms) + COINS_PATIENCE):
                return [_lost(attempt, looks, now + _LOOK_MAX, "HOLDING_MISSING")]
        else:
            expired = doubt.signal_expires_at is not None and now >= doubt.signal_expires_at
            resend = fence.visibility_bound is not None and not expired
        absent = Evidence(
            attempt.client_order_id,
            event=OrderEvent.PROVEN_ABSENT,
            code=DecisionCode.COINS_MISSING.value if attempt.reduce_only and not resend else "ABSENT",
            looks=looks,
            look_at=now + resting_pause(looks),
            resend=resend,
            retry_at=now,
        )
        if attempt.order_state is OrderState.SUBMITTING:
            return [Evidence(attempt.client_order_id, event=OrderEvent.LOST, looks=looks), absent]
        return [absent]

    async def _still_held(self, attempt: StoredAttempt, gateway: ExchangeGateway) -> bool:
        """Return whether the venue holds all that our books do: then the exit that was lost never happened.

        It is asked where an exit sent twice would close more than its follow's lot: coins of the owner, or another's lot.
        While an entry is on its way nobody can say.
        """
        ours = await self.book.held(attempt.account_id, attempt.symbol)
        if ours is None:
            return False
        legs = [p.quantity for p in await gateway.positions() if p.symbol == attempt.symbol]
        return abs(sum((leg for leg in legs if leg * ours > 0), ZERO)) >= abs(ours)

    async def _still_absent(self, attempt: StoredAttempt, now: datetime) -> Evidence:
        """Look again, ever more seldom, for an order that becomes visible late; give it up at the horizon."""
        horizon = from_epoch_ms(attempt.signed_ms) + _HORIZON
        if now < horizon:
            look_at = min(now + resting_pause(attempt.looks), horizon)
            return Evidence(attempt.client_order_id, looks=attempt.looks + 1, look_at=look_at)
        newest = attempt.key.attempt == attempt.trade_attempt
        if attempt.trade_state is not TradeState.ABSENT or not newest:
            return Evidence(attempt.client_order_id, forget=True)
        reason = DECISION_SENTENCES[DecisionCode.ORDER_ABSENT]
        await self.book.abandon([(attempt.key, DecisionCode.ORDER_ABSENT.value, reason)])
        return Evidence(attempt.client_order_id, forget=True)


def _lost(attempt: StoredAttempt, looks: int, look_at: datetime, code: str | None = None) -> Evidence:
    return Evidence(attempt.client_order_id, event=OrderEvent.LOST, code=code, looks=looks, look_at=look_at)
