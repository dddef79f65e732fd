"""The share of a rehearsal that runs on real Celery workers: the programs as deployed, with every wait as in production.

A worker is armed by its environment, killed by its trap and started again, as a supervisor would; beat and feed go on.
While workers die, every task that was ever rung for is delivered again, three times over.
"""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Final

from tests.support.processes import ChildProcess
from tests.support.system import until
from tools.chaos.convergence import at_rest, count
from tools.chaos.disturbances import exchange_fails, redeliver
from tools.chaos.drift import Owners
from tools.chaos.leading import Leader
from tools.chaos.market import Market
from tools.chaos.plan import Round
from tools.chaos.rounds import Told
from tools.chaos.stage import Stage

CONVERGES_S: Final = 240.0
_STRUCK: Final = r"failpoint struck: \w+ at (\S+)"
_PATIENCE_S: Final = 30.0
_BETWEEN_S: Final = 3.0
_SURE: Final = "order.send.before:2:kill"


class CeleryStorm:
    """Plays one round with Celery workers on a stage."""

    def __init__(self, stage: Stage, plan: Round, points: list[str]) -> None:
        self._stage = stage
        self._plan = plan
        self._points = points
        self._leader = Leader(stage.system, plan.moves())
        self._owners = Owners(stage, plan, plan.touches(len(stage.followers)))
        self._market = Market(stage.system.simulator.operator, plan.swings())
        self.told = Told(plan, workers="Celery, every task delivered again three times")

    async def play(self, kills: int) -> Told:
        """Let so many workers die in the middle of their work, then let one work in peace, and count."""
        began = time.monotonic()
        system = self._stage.system
        await self._market.begin(self._stage.home)
        traps = self._plan.traps("worker", 0, self._points)
        with system.start("beat"), system.start("feed"):
            async with exchange_fails(self._stage, self._plan):
                while self.told.kills.total() < kills:
                    with self._worker(next(traps)) as worker:
                        await self._until_struck(worker)
            self.told.storm_s = time.monotonic() - began
            with system.start("work"):
                await self._leader.leave()
                self.told.swings, self.told.touches = self._market.swings, self._owners.touched
                self.told.moves = self._leader.trades
                self.told.converged_s = await at_rest(system, CONVERGES_S)
        self.told.counts = await count(system)
        return self.told

    def _worker(self, traps: str) -> ChildProcess:
        killing = [trap for trap in traps.split("|") if ":kill" in trap]
        env = {**self._stage.system.env, "COPYTRADE_FAILPOINT": "|".join([*killing, _SURE])}
        return ChildProcess.python("-m", "app", "work", env=env)

    async def _until_struck(self, worker: ChildProcess) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while worker.is_running() and time.monotonic() < ends:
            await self._leader.go_on()
            await self._market.go_on()
            await self._owners.go_on()
            await redeliver(self._stage)
            await _ended(worker, _BETWEEN_S)
        if worker.is_running():
            self.told.others["a Celery worker killed at no point"] += 1
            return
        assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL, worker.output
        self.told.kills[worker.wait_for_line(_STRUCK)[1]] += 1
        self.told.others["of the kills, Celery workers"] += 1


async def _ended(worker: ChildProcess, within_s: float) -> None:
    async def is_over() -> bool:
        return not worker.is_running()

    try:
        await until(is_over, within_s)
    except AssertionError:
        return  # it lives on: the leader trades again
