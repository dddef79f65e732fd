"""What people ask for in a round, decided by its seed: each errand is one command with its idempotency key, in plain values.

Errands come in episodes that end as they began: who stops a follow starts a new one, who halts clears the halt.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from tools.chaos.plan import MARKETS, Round

Errand: TypeAlias = Mapping[str, Any]
Episode: TypeAlias = Callable[[random.Random, int, int], Sequence[Errand]]

_TERMS: Final = 12
_MARKETS_CLOSED: Final = 5


def _close(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    markets = chance.sample(sorted(MARKETS), _MARKETS_CLOSED)
    fractions = chance.choices(("1", "0.5"), (3, 1), k=_MARKETS_CLOSED)
    return [
        {
            "do": "close",
            "who": who,
            "symbol": _spelled(market),
            "fraction": fraction,
            "key": f"{market}-{number}",
        }
        for market, fraction in zip(markets, fractions, strict=True)
    ]


def _leave(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    closes = chance.random() < 0.75
    return [
        {"do": "stop", "who": who, "close": closes},
        _anything(chance, who, number),
        {"do": "start", "who": who},
    ]


def _pause(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "pause", "who": who}, _anything(chance, who, number), {"do": "resume", "who": who}]


def _terms(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "terms", "who": who, "terms": chance.randrange(_TERMS)}]


def _suspend(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "suspend", "who": who}, _anything(chance, who, number), {"do": "restore", "who": who}]


def _limits(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "limits", "who": who, "positions": chance.randint(0, 2)}, {"do": "limits", "who": who}]


def _halt(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    scope, closes = chance.choice(("PLATFORM", "VENUE", "USER")), chance.random() < 0.6
    target = {"scope": scope, "who": who}
    return [
        {"do": "halt", **target, "close": closes},
        _anything(chance, who, number),
        {"do": "clear", **target},
    ]


def _whale(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "pause leader"}, _anything(chance, who, number), {"do": "resume leader"}]


def _submit(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    side = chance.choice(("BUY", "SELL"))
    return [{"do": "submit", "symbol": _symbol(chance), "side": side, "key": f"submit-{number}"}]


def _keys(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "rotate", "who": who}, {"do": "verify", "who": who}]


def _desk(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    every = ({"do": "token", "who": who}, {"do": "register"}, {"do": "operator"}, {"do": "redrive"})
    return chance.sample(every, 2)


def _lead(chance: random.Random, who: int, number: int) -> Sequence[Errand]:
    return [{"do": "lead", "number": number}, _anything(chance, who, number), {"do": "ban", "number": number}]


EPISODES: Final[Mapping[Episode, int]] = {
    _close: 5,
    _leave: 4,
    _halt: 3,
    _pause: 2,
    _terms: 2,
    _suspend: 1,
    _limits: 1,
    _whale: 1,
    _submit: 2,
    _keys: 2,
    _desk: 3,
    _lead: 1,
}
"""The kinds, and how often each comes in proportion."""


def errands(plan: Round, people: int) -> Iterator[Errand]:
    """Yield without end what the people of a round ask for, one after another."""
    chance = plan.chance("people")
    number = 0
    while True:
        (episode,) = chance.choices(list(EPISODES), list(EPISODES.values()))
        number += 1
        yield from episode(chance, chance.randrange(people), plan.number * 10_000 + number)


def settling(people: int) -> list[Errand]:
    """Return what is asked for when the storm is over: nothing is halted or paused any more, and everybody follows again."""
    everybody = range(people)
    return [
        {"do": "clear", "scope": "PLATFORM", "who": 0},
        {"do": "clear", "scope": "VENUE", "who": 0},
        {"do": "resume leader"},
        *({"do": "clear", "scope": "USER", "who": who} for who in everybody),
        *({"do": "restore", "who": who} for who in everybody),
        *({"do": "limits", "who": who} for who in everybody),
        *({"do": "start", "who": who} for who in everybody),
        *({"do": "resume", "who": who} for who in everybody),
        *({"do": "terms", "who": who, "terms": who} for who in everybody),
    ]


def _symbol(chance: random.Random) -> str:
    return _spelled(chance.choice(sorted(MARKETS)))


def _spelled(market: str) -> str:
    return market.replace("USDT", "-USDT")


def _anything(chance: random.Random, who: int, number: int) -> Errand:
    """Return one close more, in the middle of an episode: exits are never blocked."""
    return {"do": "close", "who": who, "symbol": _symbol(chance), "fraction": "1", "key": f"amid-{number}"}
