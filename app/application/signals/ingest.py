"""Take a leader's burst of fills in, once: net it, make its signals, store all in one commit, ring.

Rules.
 - Each fill of a leader is part of exactly one signal (or of none, when nothing tradable came of it), whatever is
   delivered twice, late or by two feeders.
 - A flip is two signals: a close, then an open; the open waits for the close in the same line.
 - An entry expires a fixed time after the leader's fill; an exit never does.
 - PostgreSQL is the truth and the broker only a bell: a lost ring is rung again from the stored rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.application.shared.telemetry import Metrics
from app.application.shared.uow import UnitOfWorkFactory
from app.domain.shared.clock import Clock
from app.domain.shared.ids import SignalId, leader_signal_id
from app.domain.shared.market import Instrument, MarketKind
from app.domain.shared.money import Money, Quantity, settle_down
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import priority_of
from app.domain.signals.signal import Signal, SignalSource
from app.domain.whales.intent import Burst, Step, net
from app.domain.whales.whale import TIER_RANK, Whale


@dataclass(frozen=True, slots=True)
class LeaderFacts:
    """What is known of a leader's account when it trades; None where the venue has not said."""

    equity: Money | None
    leverage: int | None


@dataclass(frozen=True, slots=True)
class IngestBurst:
    """Turns one burst into stored signals; see the rules above."""

    uow: UnitOfWorkFactory
    bell: SignalBell
    clock: Clock
    metrics: Metrics
    entry_ttl: timedelta

    async def __call__(
        self, whale: Whale, burst: Burst, instrument: Instrument, facts: LeaderFacts
    ) -> Sequence[Signal]:
        """Return the new signals, none when the fills were consumed before or changed nothing."""
        async with self.uow() as uow:
            before = await uow.leaders.position(whale.id, burst.symbol)
            fresh = await uow.leaders.unseen(whale.id, burst)
            if fresh is None:
                return ()
            intent = net(before, fresh.signed_quantity, instrument.step)
            after = before + fresh.signed_quantity
            steps = () if intent is None else intent.steps
            first = leader_signal_id(whale.id, burst.symbol, fresh.fills[0].trade_id, 0)
            made = [
                self._signal(whale, fresh, instrument, facts, step, part, first, flip=len(steps) > 1)
                for part, step in enumerate(steps)
            ]
            new = [signal for signal in made if await uow.signals.add(signal)]
            await uow.leaders.consume(whale.id, fresh, after, made[0].id if made else None)
            await uow.commit()
        for signal in new:
            self.metrics.count("signals_accepted", action=signal.action.value)
            await self.bell.ring(signal.id, signal.lane)
        return new

    def _signal(
        self,
        whale: Whale,
        burst: Burst,
        instrument: Instrument,
        facts: LeaderFacts,
        step: Step,
        part: int,
        first: SignalId,
        *,
        flip: bool,
    ) -> Signal:
        quantity = step.quantity
        if (
            instrument.kind is MarketKind.INVERSE
        ):  # followers copy coins, whatever the leader's contracts are made of
            quantity = Quantity(settle_down(quantity / burst.average_price))
        notional = quantity * burst.average_price
        share = notional / facts.equity if facts.equity is not None and facts.equity > 0 else None
        signal = Signal(
            id=leader_signal_id(whale.id, burst.symbol, burst.fills[0].trade_id, part),
            source=SignalSource.LEADER,
            whale_id=whale.id,
            venue=instrument.venue,
            symbol=burst.symbol,
            action=step.action,
            side=step.side,
            quantity=quantity,
            fraction=step.fraction,
            reference_price=burst.average_price,
            priority=priority_of(step.action, TIER_RANK[whale.tier], share),
            leader_at=burst.last_at,
            created_at=self.clock.now(),
            trace_id=first.hex,
            leader_equity=facts.equity,
            leader_leverage=facts.leverage,
            expires_at=None if step.action.is_exit else burst.last_at + self.entry_ttl,
            flip=flip,
        )
        signal.accepted()
        return signal
