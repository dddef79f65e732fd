"""What a seed decides: for each round the exchange's mode, the faults, the disturbance, the leader's moves and every trap.

The same seed and round give the same choices. The processes are real and so is their timing: which order a kill hits
may differ from run to run, what is tried does not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tools.chaos.faults import FAULTS, UNIQUENESS, Fault

OF_ROLE: Final[Mapping[str, tuple[str, ...]]] = {
    "worker": (
        "copy.",
        "execution.",
        "resubmit.",
        "abandon.",
        "doubts.",
        "waiting.",
        "deferred.",
        "leverage.",
        "outbox.claim.",
        "outbox.forget.",
        "order.send.",
        "bell.send.",
        "signals.dispatch.",
    ),
    "feed": ("lease.acquire.", "lease.renew.", "signals.ingest.", "execution.", "bell.send."),
}
"""Which points a worker and a feed pass while they trade; the rest belongs to the API, the operator and rare events."""

MONEY_PATH: Final = ("copy.", "execution.", "order.send.", "signals.ingest.", "resubmit.", "leverage.")
IDLE: Final = (
    "signals.dispatch._claim.",
    "doubts.",
    "waiting.",
    "deferred.",
    "outbox.claim.",
    "lease.renew.",
)
DISTURBANCES: Final = (
    "none",
    "none",
    "none",
    "postgres stopped and started",
    "postgres killed",
    "postgres broken off",
    "commits cut off",
    "commits cut off",
    "valkey flushed",
    "valkey restarted",
)
MARKETS: Final[Mapping[str, Sequence[str]]] = {
    "BTCUSDT": ("0.050", "0.100", "0.200"),
    "ETHUSDT": ("1.000", "2.000", "3.000"),
    "SOLUSDT": ("20.000", "40.000", "60.000"),
    "ADAUSDT": ("1000.000", "2000.000"),
    "BNBUSDT": ("2.000", "4.000"),
    "XRPUSDT": ("500.000", "900.000"),
}
"""The leader's sizes on each market, written to a step that is the same on all."""
INSTRUMENTS: Final = tuple(
    {"symbol": symbol, "price": price, "tick": "0.0001", "step": "0.001", "min_notional": "5"}
    for symbol, price in (("SOLUSDT", "160"), ("ADAUSDT", "0.8"), ("BNBUSDT", "600"), ("XRPUSDT", "2"))
)
"""Markets besides the simulator's own; each line of signals is served by itself, so more of them is more at once."""
_FROM_MONEY_PATH: Final = 3
_LATE: Final = 0.35


@dataclass(frozen=True, slots=True)
class Move:
    """One trade of the leader: executed at the mark in `parts` fills."""

    symbol: str
    side: str
    quantity: Decimal
    parts: int


@dataclass(frozen=True, slots=True)
class Round:
    """One round's choices."""

    seed: int
    number: int

    def chance(self, purpose: str) -> random.Random:
        """Return the chance of one purpose: what it draws does not depend on how often others draw."""
        return random.Random(f"{self.seed}:{self.number}:{purpose}")  # noqa: S311 - a run must repeat

    @property
    def uniqueness(self) -> str:
        """Among which orders the exchange keeps client order ids unique; every mode has its turn."""
        return UNIQUENESS[(self.number + self.seed) % len(UNIQUENESS)]

    @property
    def disturbance(self) -> str:
        """What happens to the servers."""
        return self.chance("disturbance").choice(DISTURBANCES)

    @property
    def faults(self) -> Sequence[Fault]:
        """Return the faults that strike in this round, none to four."""
        chance = self.chance("faults")
        able = [fault for fault in FAULTS if fault.promise and fault.name not in {"none", "stream silent"}]
        return chance.sample(able, chance.randint(0, 4))

    def struck(self, accounts: Sequence[str], fault: Fault) -> tuple[str, ...]:
        """Return the accounts that a fault strikes: about half."""
        chance = self.chance(f"accounts {fault.name}")
        return tuple(chance.sample(list(accounts), max(1, len(accounts) // 2)))

    def moves(self) -> Iterator[Move]:
        """Yield the leader's moves without end: opening, adding, reducing, closing and flipping on several markets."""
        chance = self.chance("moves")
        held: dict[str, Decimal] = dict.fromkeys(MARKETS, Decimal(0))
        while True:
            symbol = chance.choice(sorted(MARKETS))
            signed = _next(chance, held[symbol], [Decimal(size) for size in MARKETS[symbol]])
            held[symbol] += signed
            yield Move(symbol, "BUY" if signed > 0 else "SELL", abs(signed), chance.choice((1, 1, 3)))

    def traps(self, role: str, slot: int, points: Sequence[str]) -> Iterator[str]:
        """Yield what one slot's successive children are armed with, without end: several traps, the first to strike counts.

        One point alone is seldom passed soon; a few of them are, and every point is among them in time.
        """
        chance = self.chance(f"traps {role} {slot}")
        able = [point for point in points if point.startswith(OF_ROLE[role])]
        money = [point for point in able if point.startswith(MONEY_PATH)]
        while True:
            chosen = [*chance.sample(money, _FROM_MONEY_PATH), chance.choice(able)]
            yield "|".join(_trap(chance, point) for point in chosen)


def _trap(chance: random.Random, point: str) -> str:
    count = chance.randint(1, 20 if point.startswith(IDLE) else 4)
    action = chance.choices(("kill", "stop", "raise"), (92, 3, 5))[0]
    late = action != "raise" and chance.random() < _LATE
    return f"{point}:{count}:{action}" + (f":{chance.randint(1, 15)}" if late else "")


def _next(chance: random.Random, held: Decimal, sizes: Sequence[Decimal]) -> Decimal:
    """Return the signed quantity of the leader's next trade on a market."""
    size = chance.choice(sizes)
    if not held:
        return size * chance.choice((1, -1))
    sign = 1 if held > 0 else -1
    kind = chance.choices(("add", "reduce", "close", "flip"), (3, 2, 3, 2))[0]
    if kind == "add":
        return sign * size
    if kind == "reduce":
        return (-held / 2).quantize(size) or -held
    return -held - (sign * size if kind == "flip" else 0)
