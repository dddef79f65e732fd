"""Failpoints: named points before and after every commit and every send, at which a rehearsal kills, stops or fails us.

Off (always, unless armed) a point costs one comparison. A process is armed by the environment variable
COPYTRADE_FAILPOINT when the module is imported, or by `arm`, with one trap or several: `POINT:COUNT:ACTION[:MS]|...`. A
trap strikes when POINT is passed for the COUNT-th time; the first that strikes ends all. POINT may be `*` (any point) or
end in `*` (a family). Actions: `kill` (SIGKILL, nothing is
cleaned up), `stop` (SIGSTOP: frozen until somebody continues it), `raise` (PointFailed); with MS the signal comes so many
milliseconds later, while the program goes on: what was begun at the point is then cut off half-way.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

VARIABLE: Final = "COPYTRADE_FAILPOINT"
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_PARTS: Final = (3, 4)


class PointFailed(Exception):
    """A failpoint was told to raise here."""


def _say(point: str, action: str) -> None:
    # Unbuffered: the next step may be our last.
    os.write(2, f"failpoint struck: {action} at {point}\n".encode())


@dataclass(slots=True)
class Trap:
    """What happens at which point; `left` counts down to the strike."""

    point: str
    left: int
    action: str
    delay_s: float = 0.0
    told: Callable[[str, str], None] = _say

    @classmethod
    def read(cls, spec: str) -> Trap:
        """Return the trap of `POINT:COUNT:ACTION[:MS]`; ValueError for anything else."""
        parts = spec.split(":")
        wrong = len(parts) not in _PARTS or not parts[0]
        if wrong or parts[2] not in {*_SIGNALS, "raise"} or int(parts[1]) < 1:
            raise ValueError(f"A trap is POINT:COUNT:ACTION[:MS], not {spec!r}.")
        return cls(parts[0], int(parts[1]), parts[2], int(parts[3]) / 1000 if parts[3:] else 0.0)

    def matches(self, point: str) -> bool:
        """Whether the trap is set for this point."""
        wanted = self.point
        return point.startswith(wanted[:-1]) if wanted.endswith("*") else point == wanted

    def strike(self, point: str) -> None:
        """Do what it was set to do."""
        self.told(point, self.action)
        if self.action == "raise":
            raise PointFailed(point)
        number = _SIGNALS[self.action]
        if self.delay_s:
            threading.Timer(self.delay_s, os.kill, (os.getpid(), number)).start()
        else:
            os.kill(os.getpid(), number)


class _Board:
    """The traps of the process, none nearly always."""

    traps: ClassVar[tuple[Trap, ...]] = ()


def arm(spec: str, told: Callable[[str, str], None] = _say) -> None:
    """Set the traps of this process, or take them away with an empty text; `told` hears the point just before the strike.

    Raises ValueError for what is no trap.
    """
    traps = tuple(Trap.read(one) for one in spec.split("|") if one)
    for trap in traps:
        trap.told = told
    _Board.traps = traps


def failpoint(point: str) -> None:
    """Pass a named point."""
    if not _Board.traps:
        return
    for trap in _Board.traps:
        if trap.matches(point):
            trap.left -= 1
            if trap.left == 0:
                _Board.traps = ()
                trap.strike(point)
                return


def commit_point(moment: str) -> None:
    """Pass the point of whoever asked our caller to commit, such as `signals.ingest.__call__.commit.MOMENT`.

    Use cases know nothing of points, so the name is read off the stack; only while a trap is set, since that costs.
    """
    if _Board.traps:
        frame = sys._getframe(2)  # noqa: SLF001 - the documented way to a caller's frame
        failpoint(f"{name_of(frame.f_globals['__name__'], frame.f_code.co_name)}.commit.{moment}")


def name_of(module: str, function: str) -> str:
    """Return the name of the points around the commit that a function asks for."""
    return f"{module.removeprefix('app.').removeprefix('application.')}.{function}"


arm(os.environ.get(VARIABLE, ""))
