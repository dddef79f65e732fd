"""The scripted leader: a seeded sequence of moves on three markets that opens, adds, reduces, flips and closes both ways.

A move says what the leader means; its quantity is found when it is played, from the position and the price then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Market:
    """One market of the scripted demo, as the exchange lists it; `step` is base units."""

    symbol: str
    price: Decimal
    tick: Decimal
    step: Decimal
    notional_min: Decimal
    depth: Decimal

    def listing(self) -> Mapping[str, str]:
        """Return it as the operator API takes it."""
        return {
            "symbol": self.symbol,
            "price": f"{self.price:f}",
            "tick": f"{self.tick:f}",
            "step": f"{self.step:f}",
            "min_qty": f"{self.step:f}",
            "min_notional": f"{self.notional_min:f}",
            "depth_qty": f"{self.depth:f}",
            "max_qty": "1000000",
            "max_leverage": "100",
        }


def _market(symbol: str, price: str, tick: str, step: str, least: str, depth: str) -> Market:
    return Market(symbol, Decimal(price), Decimal(tick), Decimal(step), Decimal(least), Decimal(depth))


MARKETS: Final[Sequence[Market]] = (
    _market("BTCUSDT", "64000.0", "0.1", "0.001", "100", "0.05"),
    _market("ETHUSDT", "3200.00", "0.01", "0.001", "20", "1"),
    _market("SOLUSDT", "160.00", "0.01", "0.01", "5", "20"),
)
LEADER_BALANCE: Final = Decimal(200_000)
LEADER_LEVERAGE: Final = 10
ORDER_NOTIONAL: Final = Decimal(9000)


class Intent(StrEnum):
    """What a move does to the leader's position."""

    OPEN_LONG = "open long"
    OPEN_SHORT = "open short"
    ADD = "add"
    REDUCE = "reduce"
    FLIP = "flip"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Move:
    """`notional` (quote currency) sizes entries, `fraction` (of the position) reductions.

    With `runs_away` the order is a limit order that executes in part before the price leaves it behind by 0.1 %.
    `ticks` is how far the tape walks before the move.
    """

    market: Market
    intent: Intent
    notional: Decimal
    fraction: Decimal
    ticks: int
    runs_away: bool = False


_ACTS: Final[Sequence[Sequence[Intent]]] = (
    (Intent.OPEN_LONG, Intent.ADD, Intent.REDUCE, Intent.ADD, Intent.FLIP, Intent.REDUCE, Intent.CLOSE),
    (Intent.OPEN_SHORT, Intent.ADD, Intent.REDUCE, Intent.FLIP, Intent.ADD, Intent.REDUCE, Intent.CLOSE),
    (Intent.OPEN_LONG, Intent.REDUCE, Intent.ADD, Intent.CLOSE),
    (Intent.OPEN_SHORT, Intent.ADD, Intent.REDUCE, Intent.CLOSE),
)


def script(seed: int) -> list[Move]:
    """Return the moves, the same for the same seed: a long and a short act on each market, one left open at the end."""
    chance = random.Random(f"{seed}:script")  # noqa: S311  # seeded on purpose: a run can be repeated
    lines: dict[str, list[Move]] = {}
    for number, market in enumerate(MARKETS):
        first, second = (_ACTS[0], _ACTS[3]) if number % 2 == 0 else (_ACTS[1], _ACTS[2])
        intents = [*first, *second]
        if market is MARKETS[-1]:
            intents.pop()  # it ends with something held, so that equal positions mean something
        moves = [_move(market, intent, chance) for intent in intents]
        away = len(first)
        moves[away] = Move(
            market, moves[away].intent, moves[away].notional, Decimal(0), moves[away].ticks, runs_away=True
        )
        lines[market.symbol] = moves
    played: list[Move] = []
    while lines:
        symbol = chance.choice(sorted(lines))
        played.append(lines[symbol].pop(0))
        if not lines[symbol]:
            del lines[symbol]
    return played


def _move(market: Market, intent: Intent, chance: random.Random) -> Move:
    return Move(
        market=market,
        intent=intent,
        notional=ORDER_NOTIONAL * chance.randint(60, 140) / 100,
        fraction=Decimal(chance.choice((25, 33, 40, 50, 60))) / 100,
        ticks=chance.randint(3, 25),
    )


_SIGN: Final[Mapping[Intent, int]] = MappingProxyType({Intent.OPEN_LONG: 1, Intent.OPEN_SHORT: -1})


def change_of(move: Move, position: Decimal, price: Decimal) -> Decimal:
    """Return the signed quantity (base units, on the step) that carries a move out from `position` at `price`."""
    entry = _stepped(move.notional / price, move.market.step)
    sign = 1 if position > 0 else -1
    if move.intent in _SIGN:
        return entry * _SIGN[move.intent]
    if move.intent is Intent.ADD:
        return entry * sign
    if move.intent is Intent.REDUCE:
        return -sign * _stepped(abs(position) * move.fraction, move.market.step)
    if move.intent is Intent.FLIP:
        return -position - sign * entry
    return -position


def _stepped(quantity: Decimal, step: Decimal) -> Decimal:
    return max(step, (quantity / step).quantize(Decimal(1), ROUND_HALF_UP) * step)
