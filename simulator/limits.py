"""Rate limits as venues count them: fixed windows of weight per address and of orders per account, then a ban."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000


@dataclass(slots=True)
class Limits:
    """Weight per minute and address; orders per account in ten seconds and in a minute; how many refused requests
    within one minute bring a ban, and its length. Bybit counts otherwise: requests per address in 5 s, the next one
    bringing the ban, and trading requests per account and endpoint in a rolling window; of its reads five times as many.
    """

    weight_per_minute: int = 2400
    orders_per_10s: int = 300
    orders_per_minute: int = 1200
    refusals_before_ban: int = 20
    ban_ms: int = 120_000
    requests_per_5s: int = 600
    requests_per_uid: int = 10
    uid_window_ms: int = 1000


class Throttled(Exception):
    """Too fast: `retry_after_s` says when the window ends; `banned` distinguishes 418 from 429; `orders` says that
    the order count, not the weight, ran out.
    """

    def __init__(self, retry_after_s: int, *, banned: bool = False, orders: str = "") -> None:
        super().__init__("rate limit exceeded")
        self.retry_after_s = retry_after_s
        self.banned = banned
        self.orders = orders


@dataclass(slots=True)
class _Address:
    window: int = -1
    used: int = 0
    refused: int = 0
    banned_until_ms: int = 0


@dataclass(slots=True)
class _Orders:
    ten_seconds: int = -1
    minute: int = -1
    in_ten_seconds: int = 0
    in_minute: int = 0


@dataclass(slots=True)
class Limiter:
    """Counts in memory; `limits` may be changed at any time. `also_forgiven` are others who count by the same limits."""

    limits: Limits = field(default_factory=Limits)
    also_forgiven: list[Callable[[], None]] = field(default_factory=list)
    _addresses: dict[str, _Address] = field(default_factory=dict)
    _orders: dict[str, _Orders] = field(default_factory=dict)

    def take_weight(self, address: str, weight: int, now_ms: int) -> int:
        """Count one request and return the weight used in this minute; raise Throttled when it is too much."""
        entry = self._addresses.get(address)
        if entry is None:
            entry = self._addresses[address] = _Address()
        window = now_ms // MINUTE_MS
        if window != entry.window:
            entry.window, entry.used, entry.refused = window, 0, 0
        if now_ms < entry.banned_until_ms:
            raise Throttled(-(-(entry.banned_until_ms - now_ms) // 1000), banned=True)
        if entry.used + weight > self.limits.weight_per_minute:
            self._refuse(entry, now_ms)
        entry.used += weight
        return entry.used

    def _refuse(self, entry: _Address, now_ms: int) -> None:
        entry.refused += 1
        if entry.refused > self.limits.refusals_before_ban:
            entry.banned_until_ms = now_ms + self.limits.ban_ms
            raise Throttled(-(-self.limits.ban_ms // 1000), banned=True)
        raise Throttled(_rest_of_window_s(now_ms, MINUTE_MS))

    def take_order(self, account_id: str, now_ms: int) -> tuple[int, int]:
        """Count one order and return the counts in ten seconds and in a minute; raise Throttled when too many."""
        entry = self._orders.get(account_id)
        if entry is None:
            entry = self._orders[account_id] = _Orders()
        if now_ms // TEN_SECONDS_MS != entry.ten_seconds:
            entry.ten_seconds, entry.in_ten_seconds = now_ms // TEN_SECONDS_MS, 0
        if now_ms // MINUTE_MS != entry.minute:
            entry.minute, entry.in_minute = now_ms // MINUTE_MS, 0
        if entry.in_ten_seconds >= self.limits.orders_per_10s:
            raise Throttled(
                _rest_of_window_s(now_ms, TEN_SECONDS_MS), orders=f"{self.limits.orders_per_10s} per 10s"
            )
        if entry.in_minute >= self.limits.orders_per_minute:
            raise Throttled(
                _rest_of_window_s(now_ms, MINUTE_MS), orders=f"{self.limits.orders_per_minute} per minute"
            )
        entry.in_ten_seconds += 1
        entry.in_minute += 1
        return entry.in_ten_seconds, entry.in_minute

    def forgive(self) -> None:
        """Forget all counts and bans."""
        self._addresses.clear()
        self._orders.clear()
        for forgive in self.also_forgiven:
            forgive()


def _rest_of_window_s(now_ms: int, window_ms: int) -> int:
    return -(-(window_ms - now_ms % window_ms) // 1000)
