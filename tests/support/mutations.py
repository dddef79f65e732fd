"""Payloads as no venue should send them: seeded mutations of a good one, for readers that must not crash or invent.

A mutation drops, repeats, renames or replaces one to three values at any depth (null, NaN, negative, huge, another
type, another symbol), or damages the bytes themselves.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**63, -(2**70), 1e308, 1.5, float("nan"), float("inf"), "", " ", "0", "-0", "-1", "+1",
    "NaN", "Infinity", "-Infinity", "1e5", "1e400", "0x10", "1_000", "1,5", "\uff11\uff12", "0.0000000000000000000000001",
    "999999999999999999999999", "null", "BUY", "sell", "XRPUSDT", "NOPE-USDT-SWAP", "\ud800", "a" * 5000, [], {}, [[]],
    [None], {"a": 1},
)  # fmt: skip


def mutations(payload: Any, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` mutated JSON texts of `payload`, the same for the same seed."""
    chance = random.Random(seed)
    text = json.dumps(payload)
    for _ in range(count):
        if chance.random() < 0.05:
            yield _damaged(text.encode(), chance)
            continue
        value = json.loads(text)
        for _ in range(chance.randint(1, 3)):
            value = _mutated(value, chance)
        yield json.dumps(value).encode("utf-8", "surrogatepass")


def _damaged(raw: bytes, chance: random.Random) -> bytes:
    where = chance.randrange(len(raw) or 1)
    kind = chance.randrange(4)
    if kind == 0:
        return raw[:where]
    if kind == 1:
        return raw[:where] + bytes([chance.randrange(256)]) + raw[where + 1 :]
    if kind == 2:
        return raw + raw[where:]
    return raw[:where] + raw[where + 1 :]


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        here = stack.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            found.append((here, key))
            stack.append(here[key])
    return found


def _mutated(value: Any, chance: random.Random) -> Any:
    places = _places(value)
    if not places or chance.random() < 0.02:
        return copy.deepcopy(chance.choice(STRANGE))
    holder, key = chance.choice(places)
    kind = chance.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif kind == 1:
        holder[key + "X"] = holder.pop(key)
    elif kind == 2:
        other, name = chance.choice(places)
        try:
            holder[key] = copy.deepcopy(other[name])
        except (KeyError, IndexError):  # the other place is gone with an earlier mutation
            holder[key] = None
    elif kind == 3 and isinstance(holder[key], str):
        holder[key] = "-" + holder[key]
    else:
        holder[key] = copy.deepcopy(chance.choice(STRANGE))
    return value
