"""Limits as OKX counts them: per endpoint in windows of two seconds; private ones per account, those of trading also per
market, public ones per address.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulator.limits import Limits


@dataclass(slots=True)
class EndpointLimits:
    """Counts in memory; `limits` is the operator's and may change at any time. A window is twice `uid_window_ms`. Orders
    go by `orders_per_10s`, a fifth of it in a window; other private calls by `requests_per_uid`, where 10 leaves them at
    the documented figures; public ones by `requests_per_5s`, where 600 does.
    """

    limits: Limits
    _seen: dict[tuple[str, ...], deque[int]] = field(default_factory=dict)

    def takes_order(self, account_id: str, name: str, path: str, count: int, now_ms: int) -> bool:
        """Count orders of an account on one market; False when they are too many."""
        most = max(1, self.limits.orders_per_10s // 5)
        return self._take((account_id, path, name), count, most, now_ms)

    def takes_private(self, account_id: str, path: str, most: int, now_ms: int) -> bool:
        """Count one call of an account, of which the documentation allows `most` in two seconds."""
        scaled = max(1, most * self.limits.requests_per_uid // 10)
        return self._take((account_id, path), 1, scaled, now_ms)

    def takes_public(self, address: str, path: str, most: int, now_ms: int) -> bool:
        """Count one call of an address, of which the documentation allows `most` in two seconds."""
        scaled = max(1, most * self.limits.requests_per_5s // 600)
        return self._take((address, path, "public"), 1, scaled, now_ms)

    def _take(self, key: tuple[str, ...], count: int, most: int, now_ms: int) -> bool:
        seen = self._seen.setdefault(key, deque())
        while seen and seen[0] <= now_ms - 2 * self.limits.uid_window_ms:
            seen.popleft()
        if len(seen) + count > most:
            return False
        seen.extend([now_ms] * count)
        return True

    def forgive(self) -> None:
        """Forget all counts."""
        self._seen.clear()
