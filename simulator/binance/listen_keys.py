"""Listen keys: the names of user-data streams, one per account, valid for an hour from their last renewal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

VALID_MS = 3_600_000


@dataclass(slots=True)
class ListenKey:
    """One key and until when it is valid, in epoch milliseconds."""

    value: str
    account_id: str
    valid_until_ms: int


class ListenKeys:
    """Hands keys out, renews and ends them; `on_end` is told of every key that ends."""

    def __init__(self, seed: int, now: Callable[[], int], market: str = "") -> None:
        """`market` sets the keys apart from those of another one."""
        self._seed = seed
        self._market = market
        self._now = now
        self._issued = 0
        self._by_account: dict[str, ListenKey] = {}
        self._by_value: dict[str, ListenKey] = {}
        self.valid_ms = VALID_MS
        self.on_end: Callable[[ListenKey], None] = lambda key: None

    def open(self, account_id: str) -> ListenKey:
        """Return the account's key, renewed, or a new one."""
        key = self._by_account.get(account_id)
        if key is not None and key.valid_until_ms > self._now():
            key.valid_until_ms = self._now() + self.valid_ms
            return key
        self._issued += 1
        value = hashlib.sha256(
            f"{self._seed}\0{self._market}{account_id}\0{self._issued}".encode()
        ).hexdigest()
        key = ListenKey(value, account_id, self._now() + self.valid_ms)
        self._by_account[account_id] = self._by_value[value] = key
        return key

    def renew(self, account_id: str) -> ListenKey | None:
        """Prolong the account's key; None when it has none."""
        key = self._by_account.get(account_id)
        return None if key is None or key.valid_until_ms <= self._now() else self.open(account_id)

    def close(self, account_id: str) -> None:
        """End the account's key, if any."""
        key = self._by_account.pop(account_id, None)
        if key is not None:
            del self._by_value[key.value]
            self.on_end(key)

    def find(self, value: str) -> ListenKey | None:
        """Return a valid key by its value."""
        key = self._by_value.get(value)
        return key if key is not None and key.valid_until_ms > self._now() else None

    def expire(self) -> None:
        """End every key whose time is over."""
        now = self._now()
        for key in [key for key in self._by_value.values() if key.valid_until_ms <= now]:
            self.close(key.account_id)
