"""Request budgets as token buckets: what a venue allows per address and per account, spent before it is asked.

A bucket holds `burst` tokens at most and gains `per_s`; since burst + per_s * window is the venue's limit, no window
of the venue's counting can exceed it. Entries and reads leave `reserve` tokens untouched for exits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit, shared under `name` by everybody who counts against it. Tokens are weights or orders."""

    name: str
    burst: float
    per_s: float
    reserve: float

    @staticmethod
    def within(name: str, limit: int, window_s: float, *, burst_share: float, exit_share: float) -> Bucket:
        """Return the bucket that keeps `limit` per `window_s` in every window."""
        burst = max(1.0, limit * burst_share)
        return Bucket(name, burst, max(0.001, (limit - burst) / window_s), burst * exit_share)


@dataclass(frozen=True, slots=True)
class Grant:
    """How many of the wanted permits were granted, and after how many ms the rest may be had (0: all granted)."""

    granted: int
    wait_ms: int


class Budget(Protocol):
    """Hands out permits; one call may take many at once."""

    async def take(self, bucket: Bucket, wanted: int, *, least: int = 1, is_exit: bool = False) -> Grant:
        """Take up to `wanted`, nothing when fewer than `least` are there."""
        ...

    def seen(self, bucket: Bucket, left: float) -> None:
        """The venue's own counter leaves only `left` tokens: never believe in more."""
        ...

    def drain(self, bucket: Bucket, seconds: float) -> None:
        """The venue asked for silence: grant nothing for so long, exits included; then the reserve is there."""
        ...


class LocalBudget:
    """Buckets of this process alone; `now_s` is monotonic. Full buckets are dropped, so idle accounts cost nothing."""

    def __init__(self, now_s: Callable[[], float], sweep_above: int = 10_000) -> None:
        self._now_s = now_s
        self._sweep_above = sweep_above
        self._tokens: dict[str, tuple[float, float, Bucket]] = {}
        self._silent_until: dict[str, float] = {}

    def _refilled(self, bucket: Bucket) -> float:
        found = self._tokens.get(bucket.name)
        if found is None:
            return bucket.burst
        tokens, at, _ = found
        return min(bucket.burst, tokens + (self._now_s() - at) * bucket.per_s)

    def _keep(self, bucket: Bucket, tokens: float) -> None:
        if bucket.name not in self._tokens and len(self._tokens) >= self._sweep_above:
            full = [name for name, (_, _, kept) in self._tokens.items() if self._refilled(kept) >= kept.burst]
            for name in full:
                del self._tokens[name]
            self._sweep_above = max(self._sweep_above, 2 * len(self._tokens))
        self._tokens[bucket.name] = (tokens, self._now_s(), bucket)

    def take_now(self, bucket: Bucket, wanted: int, *, least: int = 1, is_exit: bool = False) -> Grant:
        """Take without waiting for anybody."""
        if self._silent_until and (silent := self._silent_s(bucket)) > 0:
            return Grant(0, max(1, -int(-silent * 1000 // 1)))
        tokens = self._refilled(bucket)
        floor = 0.0 if is_exit else bucket.reserve
        granted = max(0, min(wanted, int(tokens - floor)))
        if granted < least:
            granted = 0
        self._keep(bucket, tokens - granted)
        if granted == wanted:
            return Grant(granted, 0)
        missing = max(1, least if granted == 0 else 1) + floor - (tokens - granted)
        return Grant(granted, max(1, -int(-missing / bucket.per_s * 1000 // 1)))

    async def take(self, bucket: Bucket, wanted: int, *, least: int = 1, is_exit: bool = False) -> Grant:
        """Take up to `wanted`; see Budget."""
        return self.take_now(bucket, wanted, least=least, is_exit=is_exit)

    def seen(self, bucket: Bucket, left: float) -> None:
        """Lower the tokens to what the venue's counter leaves."""
        tokens = self._refilled(bucket)
        if left < tokens:
            self._keep(bucket, max(0.0, left))

    def drain(self, bucket: Bucket, seconds: float) -> None:
        """Keep silent for so long; see Budget."""
        self._keep(bucket, min(self._refilled(bucket), bucket.reserve))
        self._silent_until[bucket.name] = max(
            self._silent_until.get(bucket.name, 0.0), self._now_s() + seconds
        )

    def _silent_s(self, bucket: Bucket) -> float:
        left = self._silent_until.get(bucket.name, 0.0) - self._now_s()
        if left <= 0:
            self._silent_until.pop(bucket.name, None)
        return left
