"""A cell of the fault matrix, the legs that it has, and which faults are rehearsed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from tools.chaos.faults import FAULTS, WS, Fault

LEGS: Final = ("entry", "add", "exit", "cancel", "protection")
WAVE: Final = 8
"""A wave stays below the number of failures that opens a circuit; what concerns the whole address has one to itself."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one fault came to: `orders` that the exchange executed (cancelled, or holds as a stop) for the one intent, of
    `attempts` that were made; `seconds` from the leader's trade to rest; whether the books were equal in the end.
    """

    fault: str
    uniqueness: str
    leg: str
    orders: int
    attempts: int
    seconds: float
    equal: bool
    end: str

    @property
    def is_right(self) -> bool:
        """Whether it was done once, came to rest, and the books were equal."""
        return self.orders == 1 and self.equal and self.end == "settled"


def waves(faults: Sequence[Fault] = FAULTS) -> Iterator[Sequence[Fault]]:
    """Yield the faults that are rehearsed together."""
    narrow = [fault for fault in faults if not fault.wide]
    for start in range(0, len(narrow), WAVE):
        yield narrow[start : start + WAVE]
    yield from ([fault] for fault in faults if fault.wide)


def applies(fault: Fault, leg: str) -> bool:
    """Whether the fault concerns a leg at all: a stream's fault is none of a cancellation, which is asked for and answered."""
    return leg != "cancel" or not fault.rules or any(rule["endpoint"] != WS for rule in fault.rules)


def told(cells: Sequence[Cell]) -> str:
    """Return cells in a line, and every wrong one in a line of its own."""
    slowest = max(cells, key=lambda cell: cell.seconds)
    wrong = [f"\n  NOT AS IT SHOULD BE: {asdict(cell)}" for cell in cells if not cell.is_right]
    return f"{len(cells)} cells, slowest {slowest.seconds} s ({slowest.fault}, {slowest.leg})" + "".join(
        wrong
    )
