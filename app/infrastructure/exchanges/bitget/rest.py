"""Signed requests of one Bitget account: text in, body out, VenueError when there is no usable answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.bitget.wire.refusals import refused_read
from app.infrastructure.exchanges.bitget.wire.signing import KEY_HEADER, signed_headers
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.placing import SignedOrder
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_LEFT: Final = "x-mbx-used-remain-limit"
"""How many requests of this kind the account may still make in this second."""


class BitgetAccount:
    """One account's way to the venue; holds the sealed key only."""

    __slots__ = ("account", "sealed", "shared")

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self.shared = shared
        self.account = account
        self.sealed = sealed

    def key(self) -> OpenKey:
        """Return the opened key; raises the vault's error."""
        return self.shared.keys.key(self.account, self.sealed, KEY_HEADER)

    def key_or_refusal(self) -> OpenKey:
        """Return the opened key, or raise VenueRefused when it does not open."""
        try:
            return self.key()
        except DomainError:
            raise VenueRefused("The account's key cannot be opened.", RefusalKind.KEY, "vault") from None

    def signed_order(self, path: str, text: str, signed_ms: int) -> SignedOrder:
        """Sign a POST with its committed timestamp; raises the vault's error."""
        return SignedOrder(_headers(self.key(), "POST", path, text, signed_ms), text.encode())

    async def get(self, path: str, query: str, read: Callable[[bytes], T]) -> T:
        """GET with a fresh timestamp and read the answer; raises VenueError."""
        target = f"{path}?{query}" if query else path
        return await self._send("GET", target, "", read)

    async def post(self, path: str, text: str, read: Callable[[bytes], T]) -> T:
        """POST JSON with a fresh timestamp and read the answer; raises VenueError."""
        return await self._send("POST", path, text, read)

    async def _send(self, method: str, target: str, text: str, read: Callable[[bytes], T]) -> T:
        key, shared = self.key_or_refusal(), self.shared
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        headers = _headers(key, method, target, text, shared.clock.estimate_ms())
        try:
            reply = await shared.transport.request(
                method,
                shared.settings.base_url + target,
                headers,
                text.encode() if text else None,
                shared.settings.read_timeout_s,
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

    def note_orders(self, reply: Reply) -> None:
        """Learn from the venue's own counter of this account's orders, which also counts what others send."""
        left = reply.headers.get(_LEFT, "")
        if not left.isascii() or not left.isdecimal() or len(left) > 6:
            return
        limit = self.shared.orders_limit
        if 2 * int(left) < limit:
            # Above half of the limit the count says nothing that our own bucket does not know.
            guard = self.shared.guard
            guard.budget.seen(guard.orders(self.account), int(left))

    def log_strangers(self, contracts: Sequence[str]) -> None:
        """Say which contracts with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(contracts)
        )


def _headers(key: OpenKey, method: str, target: str, body: str, timestamp_ms: int) -> Mapping[str, str]:
    return signed_headers(
        key.name,
        key.secret,
        key.passphrase,
        method=method,
        target=target,
        body=body,
        timestamp_ms=timestamp_ms,
    )
