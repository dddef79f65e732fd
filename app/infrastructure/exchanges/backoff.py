"""Waits between attempts: full jitter, drawn from nothing up to a bound that doubles, so that crowds spread out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

Chance: TypeAlias = Callable[[], float]
"""Draws from [0, 1)."""


def full_jitter(attempt: int, base_s: float, cap_s: float, chance: Chance = random.random) -> float:
    """Return the seconds to wait after failure number `attempt`, which counts from 0."""
    return min(cap_s, base_s * (1 << min(attempt, 32))) * chance()
