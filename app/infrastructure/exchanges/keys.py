"""Opened API keys: opened by the vault when first needed, a bounded number kept, the least recently used dropped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.domain.users.ports import Vault


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key ready for use; nothing of it shows. `headers` present it where a venue wants no more than its name."""

    headers: Mapping[str, str] = field(repr=False)
    secret: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    name: str = field(repr=False)
    passphrase: str = field(repr=False)


class KeyRing:
    """One venue's opened keys. `headers_of` turns a key into the headers that present it."""

    def __init__(self, vault: Vault, venue: Venue, kept: int) -> None:
        self._vault = vault
        self._venue = venue
        self._kept = kept
        self._open: OrderedDict[AccountId, OpenKey] = OrderedDict()

    def key(self, account: AccountId, sealed: bytes, header: str) -> OpenKey:
        """Return the account's key, presented under `header`; raises the vault's error when the blob does not open.

        A blob that changed (a new key at the venue) is opened anew.
        """
        found = self._open.get(account)
        if found is not None and (found.sealed is sealed or found.sealed == sealed):
            self._open.move_to_end(account)
            return found
        opened: ApiKey = self._vault.open(account, self._venue, sealed)
        fresh = OpenKey({header: opened.key}, opened.secret.encode(), sealed, opened.key, opened.passphrase)
        self._open[account] = fresh
        self._open.move_to_end(account)
        while len(self._open) > self._kept:
            self._open.popitem(last=False)
        return fresh

    def forget(self, account: AccountId) -> None:
        """Drop an opened key: it was revoked or refused."""
        self._open.pop(account, None)

    def __len__(self) -> int:
        return len(self._open)
