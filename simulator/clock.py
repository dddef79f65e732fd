"""The exchange's clock: the machine's, set off by what the operator wishes."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """Call it for epoch milliseconds; `skew_ms` may change at any time."""

    skew_ms: int = 0

    def __call__(self) -> int:
        """Return the exchange's time in epoch milliseconds."""
        return time.time_ns() // 1_000_000 + self.skew_ms
