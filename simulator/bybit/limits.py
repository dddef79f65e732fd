"""Limits as Bybit counts them: rolling windows, per address over everything and per account and endpoint."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulator.limits import Limits

ADDRESS_WINDOW_MS = 5000
READS_PER_TRADE = 5
SPOT_PER_CONTRACT = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands at an endpoint: its limit, what is left, and when that changes."""

    limit: int
    left: int
    resets_ms: int

    @property
    def headers(self) -> str:
        """Return the header lines that tell it."""
        return (
            f"X-Bapi-Limit: {self.limit}\r\nX-Bapi-Limit-Status: {max(0, self.left)}\r\n"
            f"X-Bapi-Limit-Reset-Timestamp: {self.resets_ms}\r\n"
        )


@dataclass(slots=True)
class RollingLimits:
    """Counts in memory; `limits` is the operator's and may change at any time."""

    limits: Limits
    _addresses: dict[str, deque[int]] = field(default_factory=dict)
    _banned_until_ms: dict[str, int] = field(default_factory=dict)
    _accounts: dict[tuple[str, str], deque[int]] = field(default_factory=dict)

    def admits(self, address: str, now_ms: int) -> bool:
        """Count one request of an address; False when it is banned, which the first one too many brings about."""
        if now_ms < self._banned_until_ms.get(address, 0):
            return False
        seen = self._addresses.setdefault(address, deque())
        _prune(seen, now_ms - ADDRESS_WINDOW_MS)
        if len(seen) >= self.limits.requests_per_5s:
            self._banned_until_ms[address] = now_ms + self.limits.ban_ms
            return False
        seen.append(now_ms)
        return True

    def take(self, account_id: str, path: str, now_ms: int, *, trades: bool, spot: bool = False) -> Standing:
        """Count one request of an account; `left` is negative when it was one too many. Spot trades count apart and may
        be twice as many.
        """
        limit = self.limits.requests_per_uid * (1 if trades else READS_PER_TRADE)
        if trades and spot:
            limit, path = limit * SPOT_PER_CONTRACT, f"{path} spot"
        seen = self._accounts.setdefault((account_id, path), deque())
        window = self.limits.uid_window_ms
        _prune(seen, now_ms - window)
        if len(seen) >= limit:
            return Standing(limit, -1, seen[0] + window)
        seen.append(now_ms)
        return Standing(limit, limit - len(seen), now_ms)

    def forgive(self) -> None:
        """Forget all counts and bans."""
        self._addresses.clear()
        self._banned_until_ms.clear()
        self._accounts.clear()


def _prune(seen: deque[int], until_ms: int) -> None:
    while seen and seen[0] <= until_ms:
        seen.popleft()
