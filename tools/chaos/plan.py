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
        "protection.",
        "infrastructure.postgres.protection_book.",
        "bell.send.",
        "signals.dispatch.",
        "shared.bus.",
        "outbox.renew.",
        "outbox.set_back.",
        "risk.flatten.",
        "users.stop_follow.",
        "reconcile.",
        "wallet.",
        "funding.",
    ),
    "feed": (
        "lease.",
        "signals.ingest.",
        "whales.watch.",
        "whales.tell_apart.",
        "execution.",
        "protection.change.",
        "protection.trigger.",
        "protection.number.",
        "funding.",
        "transfer.",
        "bell.send.",
    ),
    "people": (
        "signals.submit.",
        "users.",
        "risk.halts.",
        "risk.limits.",
        "tokens.",
        "whales.manage.",
        "wallet.",
        "outbox.redrive.",
        "presentation.cli.operator.",
        "bell.send.",
    ),
}
"""Which points a worker and a feed pass while they trade, and what people pass, through the API and the command line."""

BEYOND: Final[Mapping[str, str]] = {
    "migrate.": "the schema is changed before anything trades",
    "demo.retire.": "only the demo's start puts away what an earlier demo left",
}
"""Which points no storm passes, and why."""

COMMANDS: Final = ("signals.submit.", "users.stop_follow.", "users.follows.", "risk.halts.")
PROTECTION: Final = ("protection.begin.", "protection.change.")
MONEY_PATH: Final = (
    "copy.",
    "execution.",
    "order.send.",
    "signals.ingest.",
    "resubmit.",
    "leverage.",
    *PROTECTION,
    *COMMANDS,
)
IDLE: Final = (
    "signals.dispatch._claim.",
    "doubts.",
    "waiting.",
    "deferred.",
    "outbox.claim.",
    "lease.renew.",
    "protection.due.",
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
_FROM_MONEY_PATH: Final = 4
_AT_ONCE: Final = 7
_FOR_THE_SELDOM: Final = 0.35
_STEP: Final = Decimal("0.008")
_STEPS_MAX: Final = 3
_SWINGS: Final = 0.8
_LATE: Final = 0.35
_DRIFTS: Final = 0.5
_TOUCHES: Final = 0.25
_LEAVES_LATE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Move:
    """One trade of the leader: executed at the mark in `parts` fills."""

    symbol: str
    side: str
    quantity: Decimal
    parts: int


@dataclass(frozen=True, slots=True)
class Touch:
    """What happens to one account without us: `reduce` by hand a share of what it holds, `deposit` (or take away) that share
    of a hundred, or `funding` of a market, which all who hold it pay or are paid.
    """

    kind: str
    who: int
    symbol: str
    share: Decimal


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

    @property
    def leaves_late(self) -> bool:
        """Whether the leader still holds when the storm ends, so that what rests beside a position can be counted."""
        return self.chance("leaving").random() < _LEAVES_LATE

    def swings(self) -> Iterator[tuple[str, Decimal] | None]:
        """Yield without end what the market does after each trade of the leader: a symbol's price, in units of the price
        that the round began with, or None where it stands still.
        """
        chance = self.chance("market")
        level = dict.fromkeys(MARKETS, 0)
        while True:
            if chance.random() >= _SWINGS:
                yield None
                continue
            symbol = chance.choice(sorted(MARKETS))
            step = chance.choice((-2, -1, 1, 2))
            level[symbol] = max(-_STEPS_MAX, min(_STEPS_MAX, level[symbol] + step))
            yield symbol, 1 + level[symbol] * _STEP

    @property
    def drifts(self) -> bool:
        """Whether owners touch their accounts by hand in this round."""
        return self.chance("drift").random() < _DRIFTS

    def touches(self, people: int) -> Iterator[Touch | None]:
        """Yield without end what the owners of so many accounts do after each trade of the leader, None for nothing."""
        chance = self.chance("hands")
        while True:
            if not self.drifts or chance.random() >= _TOUCHES:
                yield None
                continue
            (kind,) = chance.choices(("reduce", "deposit", "funding"), (6, 2, 1))
            shares = ("0.25", "-0.1") if kind == "deposit" else ("0.4", "1", "1")
            symbol, share = chance.choice(sorted(MARKETS)), Decimal(chance.choice(shares))
            yield Touch(kind, chance.randrange(people), symbol, share)

    def traps(self, role: str, slot: int, points: Sequence[str]) -> Iterator[str]:
        """Yield what one slot's successive children are armed with, without end: several traps, the first to strike counts.

        One point alone is seldom passed soon; a few of them are, and every point is among them in time. Some children
        are left to live until they pass one of the points that are seldom passed.
        """
        chance = self.chance(f"traps {role} {slot}")
        able = [point for point in points if point.startswith(OF_ROLE[role])]
        money = [point for point in able if point.startswith(MONEY_PATH)]
        seldom = [point for point in able if not point.startswith((*MONEY_PATH, *IDLE))]
        while True:
            if chance.random() < _FOR_THE_SELDOM:
                chosen = chance.sample(seldom, min(_AT_ONCE, len(seldom)))
            else:
                from_all = chance.sample(able, _AT_ONCE - _FROM_MONEY_PATH)
                chosen = [*chance.sample(money, _FROM_MONEY_PATH), *from_all]
            yield "|".join(_trap(chance, point) for point in chosen)


def in_reach(points: Sequence[str]) -> list[str]:
    """Return the points that a storm can pass."""
    families = tuple(family for of_role in OF_ROLE.values() for family in of_role)
    return [point for point in points if point.startswith(families)]


def unplaced(points: Sequence[str]) -> list[str]:
    """Return the points of which nobody has said whether a storm passes them."""
    reached = set(in_reach(points))
    return [point for point in points if point not in reached and not point.startswith(tuple(BEYOND))]


def _trap(chance: random.Random, point: str) -> str:
    passes = 20 if point.startswith(IDLE) else 4 if point.startswith(MONEY_PATH) else 1
    count = chance.randint(1, passes)
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
