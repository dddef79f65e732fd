"""A copy book in memory: follows by id, a snapshot that answers, a commit that can lose races."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.application.trading.ports import Candidate, Prepared, Window
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Symbol, Venue
from app.domain.signals.signal import Signal
from app.domain.trading.decision import Decision, DecisionOutcome

Stored = Callable[[Prepared, Window], None]


async def _nothing(_: int) -> None:
    return None


@dataclass
class MemoryCopies:
    """CopyBook. `loses` are follows whose reservation is beaten once; `lost_from` is the chunk at which the claim is gone."""

    candidates: list[Candidate]
    paused: bool = False
    loses: set[FollowId] = field(default_factory=set)
    lost_from: int | None = None
    before_commit: Callable[[int], Awaitable[None]] = _nothing
    stored: Stored = lambda prepared, window: None
    decisions: dict[FollowId, Decision] = field(default_factory=dict)
    chunks: list[list[FollowId]] = field(default_factory=list)
    windows: list[Window | None] = field(default_factory=list)
    snapshots: int = 0
    symbols: Mapping[Venue, Sequence[Symbol]] = field(default_factory=dict)

    async def snapshot(
        self, signal: Signal, now: datetime, symbols: Mapping[Venue, Sequence[Symbol]]
    ) -> Sequence[Candidate]:
        self.snapshots += 1
        self.symbols = symbols
        return [one for one in self.candidates if self._undecided(one.follower.follow_id)]

    def _undecided(self, follow: FollowId) -> bool:
        made = self.decisions.get(follow)
        return made is None or (made.outcome is DecisionOutcome.DEFERRED and self.snapshots == 1)

    async def whale_paused(self, signal: Signal) -> bool:
        return self.paused

    async def commit(
        self,
        signal: Signal,
        owner: str,
        prepared: Sequence[Prepared],
        decisions: Sequence[Decision],
        window: Window | None,
    ) -> frozenset[FollowId]:
        await self.before_commit(len(self.chunks))
        if self.lost_from is not None and len(self.chunks) >= self.lost_from:
            raise ConcurrencyConflict("Another worker holds the signal by now.")
        self.chunks.append(
            [item.order.follow_id for item in prepared] + [made.follow_id for made in decisions]
        )
        self.windows.append(window)
        ours = set()
        for made in decisions:
            self.decisions[made.follow_id] = made
        for item in prepared:
            follow = item.order.follow_id
            if follow in self.loses:
                self.loses.discard(follow)
                self._bump(follow)
                continue
            assert window is not None, "what is prepared needs a window"
            self.decisions[follow] = item.decision
            self.stored(item, window)
            ours.add(follow)
        return frozenset(ours)

    def _bump(self, follow: FollowId) -> None:
        self.candidates = [
            replace(one, risk_version=one.risk_version + 1) if one.follower.follow_id == follow else one
            for one in self.candidates
        ]
