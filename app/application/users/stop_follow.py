"""Ending a follow, and leaving what it holds if the user asks for that.

The exits are stored in the transaction that ends the follow, so neither comes without the other. An entry that was on
its way may still fill afterwards: `CloseStoppedFollow` runs on the event of the stop and asks again for the markets
that were not seen then. Both name a market's exit by the same id, so a market is left once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.application.queries import HeldMarket
from app.application.readers import HeldMarkets
from app.application.shared.uow import UnitOfWork, UnitOfWorkFactory
from app.application.users.follows import owned_follow
from app.domain.shared.clock import Clock
from app.domain.shared.ids import FollowId, UserId
from app.domain.signals.ports import SignalBell
from app.domain.signals.signal import Signal
from app.domain.users.follow import Follow


class FollowExits(Protocol):
    """Stores the signals that close what a follow holds, within somebody's unit of work."""

    async def __call__(
        self, work: UnitOfWork, follow: Follow, held: Sequence[HeldMarket], purpose: str, trace_id: str
    ) -> Sequence[Signal]:
        """Add one exit for each held market; return those that are new."""
        ...


@dataclass(frozen=True, slots=True)
class StopFollow:
    """End a follow.

    - A stopped follow never copies an entry again; follow the leader anew instead.
    - With `close_positions`, everything that the follow holds is closed now; exits are never blocked.
    - Without it, what is held stays and is closed when the leader closes.
    """

    uow: UnitOfWorkFactory
    clock: Clock
    held: HeldMarkets
    exits: FollowExits
    bell: SignalBell

    async def __call__(
        self, user_id: UserId, follow_id: FollowId, *, close_positions: bool, trace_id: str
    ) -> Follow:
        """Return the stopped follow; NotFound or IllegalTransition otherwise."""
        signals: Sequence[Signal] = ()
        held = await self.held.of_follow(follow_id) if close_positions else ()
        async with self.uow() as work:
            follow = await owned_follow(work, user_id, follow_id)
            follow.stop(self.clock.now(), close_positions=close_positions)
            await work.follows.save(follow)
            if close_positions:
                signals = await self.exits(work, follow, held, "stop", trace_id)
            await work.commit()
        for signal in signals:
            await self.bell.ring(signal.id, signal.lane)
        return follow


@dataclass(frozen=True, slots=True)
class CloseStoppedFollow:
    """Close what a stopped follow turned out to hold; carries out the event `follow.stopped` with `close_positions`.

    - Asking again for a market that is being left already changes nothing.
    """

    uow: UnitOfWorkFactory
    held: HeldMarkets
    exits: FollowExits
    bell: SignalBell

    async def __call__(self, follow_id: FollowId, trace_id: str) -> int:
        """Return how many exits were still missing; NotFound when there is no such follow."""
        held = await self.held.of_follow(follow_id)
        async with self.uow() as work:
            follow = await work.follows.get(follow_id)
            signals = await self.exits(work, follow, held, "stop", trace_id)
            await work.commit()
        for signal in signals:
            await self.bell.ring(signal.id, signal.lane)
        return len(signals)
