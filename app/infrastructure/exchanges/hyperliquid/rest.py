"""One Hyperliquid account: questions that anybody may ask, and actions that its agent signs.

An account's key is the address of the account, its secret the private key of an agent that the account approved, and its
passphrase, when there is one, the address of a vault or sub-account for which that agent trades: then this is whose
positions, orders and fills are asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.http import NeverLeft, NoReply
from app.infrastructure.exchanges.hyperliquid.nonces import NONCES
from app.infrastructure.exchanges.hyperliquid.wire.actions import EXCHANGE_PATH, Action, signed_body
from app.infrastructure.exchanges.hyperliquid.wire.answer import INFO_PATH
from app.infrastructure.exchanges.hyperliquid.wire.refusals import refused_read
from app.infrastructure.exchanges.hyperliquid.wire.signing import address_bytes, address_of, source_of
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.placing import SignedOrder
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


class HyperliquidAccount:
    """One account's way to the venue; holds the sealed key only."""

    __slots__ = ("account", "sealed", "shared")

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self.shared = shared
        self.account = account
        self.sealed = sealed

    def key(self) -> OpenKey:
        """Return the opened key; raises the vault's error."""
        return self.shared.keys.key(self.account, self.sealed, "address")

    def key_or_refusal(self) -> OpenKey:
        """Return the opened key, or raise VenueRefused when it does not open."""
        try:
            return self.key()
        except DomainError:
            raise VenueRefused("The account's key cannot be opened.", RefusalKind.KEY, "vault") from None

    def user(self) -> str:
        """Return the address whose positions and orders these are; raises VenueRefused when the key holds none."""
        key = self.key_or_refusal()
        return _address(key.passphrase or key.name)

    def master_and_agent(self) -> tuple[str, str]:
        """Return the addresses of the account and of the private key; raises VenueRefused."""
        key = self.key_or_refusal()
        try:
            return _address(key.name), address_of(key.secret)
        except Unreadable:
            raise VenueRefused("The secret is no private key.", RefusalKind.KEY, "secret") from None

    def signed(self, action: Action, *, at_ms: int, expires_ms: int, name: str = "") -> SignedOrder:
        """Sign an action whose nonce is `at_ms` if that is free; `name` keeps it for the same order sent again. Raises
        the vault's error, or Unreadable.
        """
        key = self.key()
        body = signed_body(
            action,
            key.secret,
            nonce=NONCES.take(key.secret, at_ms, expires_ms, name),
            expires_ms=expires_ms,
            vault=key.passphrase.lower() or None,
            source=source_of(self.shared.settings.base_url),
        )
        return SignedOrder(JSON, body)

    async def ask(self, body: bytes, read: Callable[[bytes], T]) -> T:
        """POST a question and read the answer; raises VenueError."""
        return await self._send(INFO_PATH, body, read)

    async def act(self, action: Action, read: Callable[[bytes], T]) -> T:
        """POST an action under a fresh nonce and read the answer; raises VenueError."""
        shared = self.shared
        self.key_or_refusal()
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        now = shared.clock.estimate_ms()
        try:
            signed = self.signed(action, at_ms=now, expires_ms=now + shared.settings.read_window_ms)
        except Unreadable as error:
            raise VenueRefused(f"The action cannot be signed: {error}.", RefusalKind.KEY, "secret") from None
        return await self._send(EXCHANGE_PATH, signed.body, read)

    async def _send(self, path: str, body: bytes, read: Callable[[bytes], T]) -> T:
        shared = self.shared
        try:
            reply = await shared.transport.request(
                "POST", shared.settings.base_url + path, JSON, body, shared.settings.read_timeout_s
            )
        except (NeverLeft, NoReply) as error:
            raise VenueUnavailable(f"The venue gave no answer ({error}).") from None
        refusal = refused_read(reply.status, reply.body, reply.headers)
        if refusal is not None:
            if isinstance(refusal, VenueRefused) and refusal.kind is RefusalKind.CLOCK:
                shared.clock.suspect()
            raise refusal
        try:
            return read(reply.body)
        except Unreadable as error:
            raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None

    def log_strangers(self, coins: list[str]) -> None:
        """Say which markets with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(coins)
        )


def _address(text: str) -> str:
    try:
        address_bytes(text)
    except Unreadable:
        raise VenueRefused("The key is no address of an account.", RefusalKind.KEY, "address") from None
    return text.lower()
