"""One round of kills: the storm, then the calm, then the count.

Each slot holds one worker or feed at a time, born with a trap; when the trap has killed it, the next is born. Meanwhile
the leader trades on several markets, the exchange fails as the plan says, and the servers are disturbed once. Then the
faults end, what is left is killed, and one fresh worker and one fresh feed must bring everything to an end.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tools.chaos.convergence import converged, count, open_work
from tools.chaos.counts import Counts
from tools.chaos.disturbances import ACTS, exchange_fails
from tools.chaos.leading import Leader
from tools.chaos.nursery import Child
from tools.chaos.plan import Round
from tools.chaos.proxy import cutting
from tools.chaos.stage import Stage

FORKED: Final = "forked"
SLOTS: Final = (("worker", 0), ("worker", 1), ("worker", 2), ("worker", 3), ("worker", 4), ("feed", 0))
CONVERGES_S: Final = 90.0
_PATIENCE_S: Final = {"worker": 5.0, "feed": 8.0}
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
    moves: int = 0
    storm_s: float = 0.0
    converged_s: float = 0.0
    counts: Counts = field(default_factory=Counts)

    def line(self) -> str:
        """Return the round in one line."""
        faults = ", ".join(fault.name for fault in self.plan.faults) or "none"
        servers = self.plan.disturbance if self.workers == FORKED else "none"
        return (
            f"round {self.plan.number} ({self.workers}): ids {self.plan.uniqueness}; faults: {faults}; servers: {servers}; "
            f"{self.moves} leader trades, {self.kills.total()} kills in {self.storm_s:.0f} s, "
            f"converged in {self.converged_s:.1f} s: {self.counts.sentence()}"
        )


class Storm:
    """Plays one round on a stage."""

    def __init__(self, stage: Stage, plan: Round, points: list[str]) -> None:
        self._stage = stage
        self._plan = plan
        self._points = points
        self._leader = Leader(stage.system, plan.moves())
        self.told = Told(plan)

    async def play(self, kills: int) -> Told:
        """Rage until so many kills have struck, then calm down and count."""
        began = time.monotonic()
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
            if self._leader.trades == _MOVES_MIN // 2:
                await disturb(self._stage)
            if self._leader.trades % _AT_ONCE == 0:
                await self._wait_a_little()
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
            child = await self._stage.nursery.born(role, trap)
            await self._outlive(child)

    async def _outlive(self, child: Child) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S[child.role]):
                await child.struck.wait()
        except TimeoutError:  # the point was not passed: the next trap's turn
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
        self.told.converged_s = await converged(system, CONVERGES_S)
        await nursery.kill_all()
        self.told.counts = await count(system)
