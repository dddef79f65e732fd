"""Signed requests of one OKX account: text in, body out, VenueError when there is no usable answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import NotSent, RefusalKind, Unknown, VenueRefused, VenueUnavailable
from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.okx.wire.refusals import refused_read
from app.infrastructure.exchanges.okx.wire.signing import KEY_HEADER, expiry, signed_headers
from app.infrastructure.exchanges.okx.wire.terms import TERMS, Listed, Terms
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


class OkxAccount:
    """One account's way to the venue; holds the sealed key only."""

    __slots__ = ("account", "sealed", "shared")

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self.shared = shared
        self.account = account
        self.sealed = sealed

    @property
    def terms(self) -> Terms:
        """The words of the market that is traded."""
        return TERMS[self.shared.venue]

    def key(self) -> OpenKey:
        """Return the opened key; raises the vault's error."""
        return self.shared.keys.key(self.account, self.sealed, KEY_HEADER)

    def key_or_refusal(self) -> OpenKey:
        """Return the opened key, or raise VenueRefused when it does not open."""
        try:
            return self.key()
        except DomainError:
            raise VenueRefused("The account's key cannot be opened.", RefusalKind.KEY, "vault") from None

    async def listed(self) -> Listed:
        """Return what is needed to read the rows of any market, once the listing was read; raises VenueError."""
        await self.shared.instruments.ready()
        return Listed(self.terms, self.shared.instruments.names)

    async def get(self, path: str, read: Callable[[bytes], T]) -> T:
        """GET with a fresh timestamp and read the answer; raises VenueError."""
        return await self._send("GET", path, "", read)

    async def post(self, path: str, text: str, read: Callable[[bytes], T]) -> T:
        """POST JSON with a fresh timestamp and read the answer; raises VenueError."""
        return await self._send("POST", path, text, read)

    async def pages(self, ask: Callable[[str], Awaitable[tuple[list[T], str]]]) -> list[T]:
        """Return the rows of all pages; `ask` returns those behind an id, and the id behind which more are."""
        found: list[T] = []
        after = ""
        while True:
            page, following = await ask(after)
            found.extend(page)
            if not following or following == after:
                return found
            after = following

    async def post_signed(
        self, path: str, order: PlaceOrder | PlaceProtection, write: Callable[[], str]
    ) -> Reply | NotSent | Unknown:
        """POST an order or a protection once, signed with its own timestamp and bounded by its own window."""

        def sign() -> SignedOrder:
            text = write()
            headers = self._headers("POST", path, text, order.signed_ms)
            return SignedOrder({**headers, **_JSON, **expiry(order.signed_ms, order.valid_ms)}, text.encode())

        return await post_once(self.shared, path, order, sign)

    def _headers(self, method: str, target: str, body: str, at_ms: int) -> dict[str, str]:
        key = self.key()
        return signed_headers(
            key.name, key.secret, key.passphrase, method=method, target=target, body=body, timestamp_ms=at_ms
        )

    async def _send(self, method: str, target: str, text: str, read: Callable[[bytes], T]) -> T:
        self.key_or_refusal()
        shared = self.shared
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        headers = self._headers(method, target, text, shared.clock.estimate_ms())
        try:
            reply = await shared.transport.request(
                method,
                shared.settings.base_url + target,
                {**headers, **_JSON} if text else headers,
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

    def log_strangers(self, contracts: list[str]) -> None:
        """Say which contracts with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(contracts)
        )
