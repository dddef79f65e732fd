"""One round of kills: the storm, then the calm, then the count.

Each slot holds one worker or feed at a time, born with a trap; when the trap has killed it, the next is born. Meanwhile
the leader trades on several markets, the exchange fails as the plan says, and the servers are disturbed once. Then the
faults end, what is left is killed, and one fresh worker and one fresh feed must bring everything to an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tools.chaos.convergence import at_rest, count, open_work
from tools.chaos.counts import Counts, total
from tools.chaos.crowd import Crowd
from tools.chaos.disturbances import ACTS, exchange_fails
from tools.chaos.drift import Owners
from tools.chaos.leading import Leader
from tools.chaos.market import Market
from tools.chaos.nursery import Child
from tools.chaos.plan import Round
from tools.chaos.proxy import cutting
from tools.chaos.stage import Stage

FORKED: Final = "forked"
SLOTS: Final = (
    ("worker", 0),
    ("worker", 1),
    ("worker", 2),
    ("worker", 3),
    ("worker", 4),
    ("feed", 0),
    ("people", 0),
)
CONVERGES_S: Final = 150.0
_PATIENCE_S: Final = {"worker": 5.0, "feed": 8.0, "people": 8.0}
_ENDING_S: Final = 2.0
_FROZEN_S: Final = 2.5
_ROUND_S: Final = 120.0
_MOVES_MIN: Final = 6
_AFTER_MOVES_S: Final = 5.0
_LOOK_S: Final = 0.1
_AT_ONCE: Final = 3
_BACKLOG: Final = 6


@dataclass
class Told:
    """What happened in one round: where it struck, how long the end took, and what was counted."""

    plan: Round
    workers: str = FORKED
    kills: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    swings: int = 0
    touches: int = 0
    storm_s: float = 0.0
    converged_s: float = 0.0
    counts: Counts = field(default_factory=Counts)

    def line(self) -> str:
        """Return the round in one line."""
        faults = ", ".join(fault.name for fault in self.plan.faults) or "none"
        servers = self.plan.disturbance if self.workers == FORKED else "none"
        return (
            f"round {self.plan.number} ({self.workers}): ids {self.plan.uniqueness}; faults: {faults}; servers: {servers}; "
            f"{self.moves} leader trades, {self.swings} swings, {self.touches} touches by hand, {self.answers.total()} errands, {self.kills.total()} kills in {self.storm_s:.0f} s, "
            f"converged in {self.converged_s:.1f} s: {self.counts.sentence()}"
        )


class Storm:
    """Plays one round on a stage."""

    def __init__(self, stage: Stage, plan: Round, points: list[str]) -> None:
        self._stage = stage
        self._plan = plan
        self._points = points
        self._leader = Leader(stage.system, plan.moves())
        self._crowd = Crowd(stage, plan)
        self._owners = Owners(stage, plan, plan.touches(len(stage.followers)))
        self._market = Market(stage.system.simulator.operator, plan.swings())
        self.told = Told(plan)

    async def play(self, kills: int) -> Told:
        """Rage until so many kills have struck, then calm down and count."""
        began = time.monotonic()
        await self._market.begin(self._stage.home)
        await self._crowd.begin()
        async with exchange_fails(self._stage, self._plan), self._commits_cut():
            keepers = [asyncio.create_task(self._keep(role, slot)) for role, slot in SLOTS]
            try:
                await self._trade(kills, began)
            finally:
                for keeper in keepers:
                    keeper.cancel()
                ended = await asyncio.gather(*keepers, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception):
                    raise error
            await self._stage.nursery.kill_all()
        self.told.storm_s = time.monotonic() - began
        await self._calm()
        return self.told

    async def _trade(self, kills: int, began: float) -> None:
        disturb = ACTS[self._plan.disturbance]
        while True:
            self.told.moves = self._leader.trades
            enough = self.told.kills.total() >= kills and self.told.moves >= _MOVES_MIN
            if enough or time.monotonic() - began > _ROUND_S:
                break
            await self._leader.go_on()
            await self._market.go_on()
            await self._owners.go_on()
            if self._leader.trades == _MOVES_MIN // 2:
                await disturb(self._stage)
            if self._leader.trades % _AT_ONCE == 0:
                await self._wait_a_little()
        self.told.swings, self.told.touches = self._market.swings, self._owners.touched
        if not self._plan.leaves_late:
            await self._leader.leave()
            await self._wait_a_little()

    async def _wait_a_little(self) -> None:
        """Let the trade be copied if it can be: the next one comes anyway."""
        ends = time.monotonic() + _AFTER_MOVES_S
        while time.monotonic() < ends:
            left = await open_work(self._stage.system)
            if left is not None and left.get("signals", 0) + left.get("leader_fills", 0) < _BACKLOG:
                return
            # A short look at a condition with its own end: nothing tells us when a row changes.
            await asyncio.sleep(_LOOK_S)

    async def _keep(self, role: str, slot: int) -> None:
        for trap in self._plan.traps(role, slot, self._points):
            if role != "people":
                await self._outlive(await self._stage.nursery.born(role, trap))
                continue
            child = await self._crowd.next(trap)
            try:
                await self._outlive(child)
            finally:
                # Frozen or failed, it is no longer heard: what it did not tell of is asked again.
                child.signal(signal.SIGKILL)
                await child.dead.wait()
                self._crowd.heard(child)

    async def _outlive(self, child: Child) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S[child.role]):
                await _first(child.struck, child.dead)
            if not child.struck.is_set():
                self.told.others[f"{child.role} who ended unharmed"] += 1
                return
        except TimeoutError:  # the point was not passed: the next trap's turn
            if child.role == "feed" and await self._ends(child):
                return
            child.signal(signal.SIGKILL)
            await child.dead.wait()
            self.told.others["killed at no point"] += 1
            return
        if child.action == "kill":
            await child.dead.wait()
            self.told.kills[child.point] += 1
            return
        self.told.others[f"{child.action} at {child.point}"] += 1
        if child.action == "stop":
            # Frozen for longer than its orders are valid, then let go: it must not send what it was about to.
            asyncio.get_running_loop().call_later(_FROZEN_S, child.signal, signal.SIGCONT)

    async def _ends(self, child: Child) -> bool:
        """Tell a feed to end, as who deploys anew does; return whether its trap struck while it did."""
        child.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDING_S):
                await child.dead.wait()
        if child.struck.is_set() and child.action == "kill":
            self.told.kills[child.point] += 1
            return True
        return False

    @asynccontextmanager
    async def _commits_cut(self) -> AsyncIterator[None]:
        if self._plan.disturbance != "commits cut off":
            yield
            return
        nursery, dsn = self._stage.nursery, self._stage.system.env["COPYTRADE_DATABASE_URL"]
        async with cutting(dsn, self._plan.chance("commits")) as (address, cutter):
            nursery.tell_env({"COPYTRADE_DATABASE_URL": address})
            try:
                yield
            finally:
                nursery.tell_env({"COPYTRADE_DATABASE_URL": dsn})
            for moment, number in cutter.cut.items():
                self.told.others[f"commit cut off {moment} it was heard"] += number

    async def _calm(self) -> None:
        nursery, system = self._stage.nursery, self._stage.system
        await nursery.born("worker")
        await nursery.born("feed")
        began = time.monotonic()
        await self._crowd.settle()
        self.told.answers = self._crowd.answers
        await at_rest(system, CONVERGES_S)
        self.told.converged_s = time.monotonic() - began
        counts = [await count(system, self._crowd.leavings)]
        if self._plan.leaves_late:
            await self._leader.leave()
            self.told.moves = self._leader.trades
            await at_rest(system, CONVERGES_S)
            counts.append(await count(system, self._crowd.leavings))
        await nursery.kill_all()
        self.told.counts = total(counts)


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is there."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
