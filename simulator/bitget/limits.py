"""Limits as Bitget counts them: per address over everything, per account and endpoint within a second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulator.limits import Limits

ADDRESS_WINDOW_MS = 5000
READS_PER_TRADE = 2


@dataclass(slots=True)
class BitgetLimits:
    """Counts in memory; `limits` is the operator's and may change at any time."""

    limits: Limits
    _addresses: dict[str, deque[int]] = field(default_factory=dict)
    _accounts: dict[tuple[str, str], deque[int]] = field(default_factory=dict)

    def admits(self, address: str, now_ms: int) -> bool:
        """Count one request of an address; False when it is one too many."""
        seen = self._addresses.setdefault(address, deque())
        return _count(seen, now_ms, ADDRESS_WINDOW_MS, self.limits.requests_per_5s) >= 0

    def take(self, account_id: str, path: str, now_ms: int, *, trades: bool) -> int:
        """Count one request of an account and return how many are left; negative when it was one too many."""
        seen = self._accounts.setdefault((account_id, path), deque())
        most = self.limits.requests_per_uid * (1 if trades else READS_PER_TRADE)
        return _count(seen, now_ms, self.limits.uid_window_ms, most)

    def forgive(self) -> None:
        """Forget all counts."""
        self._addresses.clear()
        self._accounts.clear()


def _count(seen: deque[int], now_ms: int, window_ms: int, most: int) -> int:
    while seen and seen[0] <= now_ms - window_ms:
        seen.popleft()
    if len(seen) >= most:
        return -1
    seen.append(now_ms)
    return most - len(seen)
