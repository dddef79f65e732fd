"""A whole rehearsal: rounds until enough kills have struck, and what they came to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.system import until
from tools.chaos.celery_rounds import CeleryStorm
from tools.chaos.convergence import converged, delivered
from tools.chaos.counts import Counts, total
from tools.chaos.market import PROTECTIONS
from tools.chaos.nursery import ROOT
from tools.chaos.plan import MARKETS, Round, in_reach
from tools.chaos.points import point_names
from tools.chaos.rounds import CONVERGES_S, FORKED, Storm, Told
from tools.chaos.stage import Stage, stage

PER_ROUND: Final = 45
CELERY_EVERY: Final = 6
CELERY_KILLS: Final = 12
"""Every sixth round is on real Celery workers, which take seconds to start: one kill in twenty."""

QUICK: Final = {"reconcile_every_s": 1, "drift_spread_s": 2}
"""Accounts are compared with the exchange so often, and so soon believed, that a round needs not wait for it."""
_BEGUN: Final = "SELECT every(watched_since < clock_timestamp() - interval '1 second') FROM whales"


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal came to."""

    seed: int
    followers: int
    seconds: float
    rounds: Sequence[Told]
    unknown_points: Sequence[str]
    in_reach: Sequence[str]

    @property
    def kills(self) -> Counter[str]:
        """How often each point killed."""
        return sum((told.kills for told in self.rounds), Counter())

    @property
    def not_struck(self) -> Sequence[str]:
        """The points within reach that killed nobody."""
        return [point for point in self.in_reach if point not in self.kills]

    @property
    def besides(self) -> Counter[str]:
        """What happened to workers and commits besides, and how often."""
        return sum((told.others for told in self.rounds), Counter())

    @property
    def answers(self) -> Counter[str]:
        """What people asked for and what they were answered."""
        return sum((told.answers for told in self.rounds), Counter())

    @property
    def servers(self) -> Counter[str]:
        """What was done to the servers, by rounds."""
        return Counter(told.plan.disturbance for told in self.rounds if told.workers == FORKED)

    @property
    def counts(self) -> Counts:
        """All that was counted."""
        return total([told.counts for told in self.rounds])

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and every point that struck is known by name."""
        return self.counts.is_clean and not self.unknown_points


async def rehearse(
    seed: int, *, points: int, followers: int, say: Callable[[str], None], only: int | None = None
) -> Rehearsal:
    """Play rounds until `points` kills have struck, or the one round `only`; stops at the first breach."""
    say(f"seed {seed}: {points} kills at named points, {followers} followers")
    began = time.monotonic()
    names = point_names(ROOT)
    played: list[Told] = []
    async with stage(seed, followers, protections=PROTECTIONS, **QUICK) as set_up:
        await warm_up(set_up)
        number = 0 if only is None else only
        while (left := points - sum(told.kills.total() for told in played)) > 0:
            plan = Round(seed, number)
            storm: Storm | CeleryStorm = Storm(set_up, plan, names)
            wanted = min(PER_ROUND, left)
            if number % CELERY_EVERY == CELERY_EVERY - 1:
                storm, wanted = CeleryStorm(set_up, plan, names), min(CELERY_KILLS, left)
            try:
                played.append(await storm.play(wanted))
            except BaseException as error:
                error.add_note(f"seed {seed}, {storm.told.line()}")
                raise
            say(played[-1].line())
            if only is not None or not played[-1].counts.is_clean:
                break
            number += 1
        await set_up.nursery.born("worker")
        await delivered(set_up.system, CONVERGES_S)
    unknown = sorted({point for told in played for point in told.kills} - set(names))
    done = Rehearsal(seed, followers, time.monotonic() - began, played, unknown, in_reach(names))
    for line in _closing(done):
        say(line)
    return done


async def warm_up(set_up: Stage) -> None:
    """Begin the watch, and let the leader trade on every market once, so that each is known."""
    nursery, system = set_up.nursery, set_up.system
    await nursery.born("worker")
    await nursery.born("feed")
    await system.leader_watched()
    # What happens within the clock's error after the first look counts as part of it.
    await until(lambda: system.value(_BEGUN), what="a watch that has begun")
    for symbol, sizes in MARKETS.items():
        system.lead("BUY", sizes[0], symbol)
        system.lead("SELL", sizes[0], symbol)
    await converged(system, CONVERGES_S)
    await nursery.kill_all()


def _closing(done: Rehearsal) -> list[str]:
    kills = done.kills
    lines = ["", "kills by point:", *(f"  {number:5}  {point}" for point, number in sorted(kills.items()))]
    lines += ["besides:", *(f"  {number:5}  {what}" for what, number in sorted(done.besides.items()))]
    lines += [
        "what people asked:",
        *(f"  {number:5}  {what}" for what, number in sorted(done.answers.items())),
    ]
    lines += ["no kill at:", *(f"         {point}" for point in done.not_struck)]
    lines += [f"  unknown point {point}" for point in done.unknown_points]
    longest = max((told.converged_s for told in done.rounds), default=0.0)
    lines.append(
        f"seed {done.seed}: {kills.total()} kill points of {len(kills)} names of {len(done.in_reach)} in {len(done.rounds)} rounds, "
        f"{done.seconds:.0f} s; longest way to convergence {longest:.1f} s; {done.counts.sentence()}"
    )
    return lines
