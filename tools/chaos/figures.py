"""Three figures, with every wait as in production: how long a killed worker's intents take, and a whole stop and start.

- recovery: from the moment at which a worker is killed in the middle of a trade until all of that trade's followers have a
  settled outcome, another worker being there; each kill is at a random point of the money path.
- doubt: how long an order was in doubt, from its commit to its proof, found and absent told apart (the fence of the
  rehearsal is shorter than an exchange's; what the fence adds is known beforehand).
- start: from the start of PostgreSQL, Valkey, worker, beat and feed after all of them were killed, until a leader's trade
  is copied to every follower.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.chaos.cells import Cell
from tools.chaos.convergence import converged
from tools.chaos.disturbances import kill_postgres, restart_valkey
from tools.chaos.stage import Stage, stage

_FOLLOWERS: Final = 8
_POINTS: Final[Mapping[str, int]] = {
    "copy.commit.before": 1,
    "copy.commit.after": 1,
    "order.send.before": _FOLLOWERS,
    "order.send.after": _FOLLOWERS,
    "execution.commit.before": 1,
    "execution.commit.after": 1,
    "signals.dispatch._claim.commit.after": 1,
}
"""Where a worker is killed, and how often it passes there in one trade for sure."""
_DOUBTFUL: Final = ("timeout", "reset", "503", "500", "garbage", "HTML", "empty", "visibility")
_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds of one kind: how many were measured, and where the middle, the 99th percentile and the end lie."""

    name: str
    number: int
    p50: float
    p99: float
    longest: float

    def line(self) -> str:
        """Return the figure in one line."""
        return f"{self.name}: {self.number} measured, p50 {self.p50:.2f} s, p99 {self.p99:.2f} s, longest {self.longest:.2f} s"


def figure(name: str, seconds: Sequence[float]) -> Figure:
    """Return the figure of at least one measurement; the 99th percentile is that of the nearest rank."""
    ordered = sorted(seconds)
    rank = max(0, -(-99 * len(ordered) // 100) - 1)
    return Figure(
        name,
        len(ordered),
        round(statistics.median(ordered), 2),
        round(ordered[rank], 2),
        round(ordered[-1], 2),
    )


def doubts(cells: Sequence[Cell]) -> list[Figure]:
    """Return how long the matrix's orders were in doubt: those found at once, and those sent again after a proven absence."""
    told = [
        cell for cell in cells if cell.leg in {"entry", "add", "exit"} and cell.fault.startswith(_DOUBTFUL)
    ]
    kinds = {
        "in doubt until found": [cell.seconds for cell in told if cell.attempts == 1],
        "in doubt until proven absent, sent again and settled": [
            cell.seconds for cell in told if cell.attempts > 1
        ],
    }
    return [figure(name, seconds) for name, seconds in kinds.items() if seconds]


async def measure(seed: int, *, kills: int, starts: int, say: Callable[[str], None]) -> list[Figure]:
    """Measure recovery and start; the doubts come from the matrix."""
    chance = random.Random(seed)  # noqa: S311 - a run must repeat
    recoveries: list[float] = []
    began: list[float] = []
    async with stage(seed, _FOLLOWERS) as set_up:
        nursery, system = set_up.nursery, set_up.system
        await nursery.born("feed", short=False)
        other = await nursery.born("worker", short=False)
        await system.leader_watched()
        for number in range(kills):
            point, passes = chance.choice(list(_POINTS.items()))
            count = chance.randint(1, passes)
            side = "BUY" if number % 2 == 0 else "SELL"
            other.signal(signal.SIGSTOP)  # the trade must meet the worker that is to die
            dying = await nursery.born("worker", f"{point}:{count}:kill", short=False)
            await asyncio.to_thread(system.lead, side, "0.1")
            await asyncio.wait_for(dying.dead.wait(), _WITHIN_S)
            killed_at = time.monotonic()
            other.signal(signal.SIGCONT)
            await converged(system, _WITHIN_S)
            recoveries.append(time.monotonic() - killed_at)
            say(f"killed at {point}, recovered after {recoveries[-1]:.2f} s")
        await nursery.kill_all()
        for number in range(starts):
            began.append(await _stop_and_start(set_up, "BUY" if number % 2 == 0 else "SELL"))
            say(f"stopped and started: a trade was copied after {began[-1]:.2f} s")
    return [
        figure("recovery of a killed worker's trade", recoveries),
        figure("everything killed and started, until a trade is copied", began),
    ]


async def _stop_and_start(set_up: Stage, side: str) -> float:
    """Kill every program and both servers, start them all, let the leader trade; return when its copies are settled."""
    system = set_up.system
    with system.start("work") as work, system.start("beat") as beat, system.start("feed") as feed:
        await system.leader_watched()
        for program in (work, beat, feed):
            os.kill(program.pid, signal.SIGKILL)
    began = time.monotonic()
    await asyncio.gather(kill_postgres(set_up), restart_valkey(set_up))
    with system.start("work"), system.start("beat"), system.start("feed"):
        await asyncio.to_thread(system.lead, side, "0.1")
        await converged(system, _WITHIN_S)
        return time.monotonic() - began
