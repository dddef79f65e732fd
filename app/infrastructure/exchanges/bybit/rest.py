"""Signed requests of one Bybit account: text in, body out, VenueError when there is no usable answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.bybit.wire.refusals import refused_read
from app.infrastructure.exchanges.bybit.wire.signing import KEY_HEADER, signed_headers
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


class BybitAccount:
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

    async def get(self, path: str, query: str, read: Callable[[bytes], T]) -> T:
        """GET with a fresh timestamp and read the answer; raises VenueError."""
        headers = await self._signed(query)
        return await self._send("GET", f"{path}?{query}" if query else path, headers, None, read)

    async def post(self, path: str, text: str, read: Callable[[bytes], T]) -> T:
        """POST JSON with a fresh timestamp and read the answer; raises VenueError."""
        headers = {**await self._signed(text), **JSON}
        return await self._send("POST", path, headers, text.encode(), read)

    async def _signed(self, payload: str) -> dict[str, str]:
        key, shared = self.key_or_refusal(), self.shared
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        return signed_headers(
            key.headers[KEY_HEADER],
            key.secret,
            payload,
            timestamp_ms=shared.clock.estimate_ms(),
            window_ms=shared.settings.read_window_ms,
        )

    async def _send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        read: Callable[[bytes], T],
    ) -> T:
        shared = self.shared
        try:
            reply = await shared.transport.request(
                method, shared.settings.base_url + target, headers, body, shared.settings.read_timeout_s
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
        limit, left = (reply.headers.get(name, "") for name in ("X-Bapi-Limit", "X-Bapi-Limit-Status"))
        if not all(text.isascii() and text.isdecimal() for text in (limit, left)):
            return
        used = max(0, int(limit) - int(left))
        if 2 * used > self.shared.orders_limit:
            # Below half of the limit the count says nothing that our own bucket does not know.
            guard = self.shared.guard
            guard.budget.seen(guard.orders(self.account), self.shared.orders_limit - used)

    def log_strangers(self, contracts: list[str]) -> None:
        """Say which contracts with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(contracts)
        )
