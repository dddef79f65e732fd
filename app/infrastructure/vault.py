"""The vault: API keys sealed with AES-256-GCM under a ring of named keys.

A blob is: version (1 byte), length of the key's name (1), the name, nonce (12, random), ciphertext with its tag. Version,
name, venue and account id are authenticated with it: a blob that is moved to another account or venue, or whose header
is changed, does not open. Invariants: no error, repr or log line of this module holds a part of a secret, and every
damage gives the same error, so that nothing can be learnt by trying.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.shared.errors import DomainError, InvalidValue
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey

KEY_BYTES: Final = 32
_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_KID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_PARTS: Final = frozenset({"key", "secret", "passphrase"})


class VaultError(DomainError):
    """A blob does not open: damaged, another account's, or sealed under a key that the ring lacks."""

    code: ClassVar[str] = "vault_error"


def key_from_text(text: str) -> bytes:
    """Return the 32 bytes that settings hold as base64url (padding may be absent), or raise InvalidValue."""
    try:
        if not _BASE64URL.fullmatch(text):
            raise ValueError
        key = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidValue("A vault key is 32 bytes, written as base64url.")
    return key


class AesGcmVault:
    """Vault. New blobs are sealed under the active key; blobs under any key of the ring open."""

    __slots__ = ("_active", "_ciphers")

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        """`keys` maps a key's name to its 32 bytes; InvalidValue when a key is malformed or `active` is none of them."""
        for kid, key in keys.items():
            if not _KID.fullmatch(kid) or len(key) != KEY_BYTES:
                raise InvalidValue("A vault key has a name of 1 to 32 of a-z 0-9 . _ - and 32 bytes.")
        if active not in keys:
            raise InvalidValue("The active vault key is not in the ring.", active=active)
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self._active = active

    def __repr__(self) -> str:
        return f"AesGcmVault({len(self._ciphers)} keys, active={self._active!r})"

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        """Return the sealed blob."""
        plain = json.dumps({"key": key.key, "secret": key.secret, "passphrase": key.passphrase})
        nonce = os.urandom(_NONCE_BYTES)
        header = bytes((_VERSION, len(self._active))) + self._active.encode("ascii")
        bound = _bound_to(self._active, venue, account)
        return header + nonce + self._ciphers[self._active].encrypt(nonce, plain.encode(), bound)

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        """Return the key, or raise VaultError when the blob is damaged or belongs to another account."""
        try:
            kid, nonce, ciphertext = _split(sealed)
            plain = self._ciphers[kid].decrypt(nonce, ciphertext, _bound_to(kid, venue, account))
            parts = json.loads(plain)
            if parts.keys() != _PARTS:
                raise ValueError
            return ApiKey(**parts)
        except (InvalidTag, KeyError, ValueError, IndexError, TypeError, AttributeError):
            # Which of these it was would tell a forger how far they got.
            raise VaultError("The API key cannot be opened; enter it again.", account_id=account) from None

    def reseal(self, account: AccountId, venue: Venue, sealed: bytes) -> bytes:
        """Return the blob under the active key; the very same blob when it is under it already."""
        if self.is_current(sealed):
            return sealed
        return self.seal(account, venue, self.open(account, venue, sealed))

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the blob names the active key: once all do, the other keys can go."""
        try:
            return _split(sealed)[0] == self._active
        except (ValueError, IndexError):
            return False


def _split(sealed: bytes) -> tuple[str, bytes, bytes]:
    """Return name of the key, nonce and ciphertext; ValueError or IndexError when the blob is not laid out so."""
    if sealed[0] != _VERSION:
        raise ValueError
    end = 2 + sealed[1]
    return sealed[2:end].decode("ascii"), sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]


def _bound_to(kid: str, venue: Venue, account: AccountId) -> bytes:
    return f"{_VERSION}|{kid}|{venue.value}|{account}".encode()
