"""Signed and keyed requests of one Binance account: text in, body out, VenueError when there is no usable answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.binance.wire.codes import codes_of
from app.infrastructure.exchanges.binance.wire.refusals import refused_read
from app.infrastructure.exchanges.binance.wire.signing import signed
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
KEY_HEADER: Final = "X-MBX-APIKEY"
_LOG: Final = logging.getLogger(__name__)


class BinanceAccount:
    """One account's way to the venue; holds the sealed key only."""

    __slots__ = ("account", "sealed", "shared")

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self.shared = shared
        self.account = account
        self.sealed = sealed

    def key(self) -> OpenKey:
        """Return the opened key; raises the vault's error."""
        return self.shared.keys.key(self.account, self.sealed, KEY_HEADER)

    async def call(
        self, method: str, path: str, text: str, read: Callable[[bytes], T], *, wallet: bool = False
    ) -> T:
        """Sign `text` with a fresh timestamp, send it as the query and read the reply; raises VenueError.

        `wallet` sends it to the host of the wallet, which knows of keys.
        """
        shared = self.shared
        key = self.key_or_refusal()
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        stamp = f"recvWindow={shared.settings.read_window_ms}&timestamp={shared.clock.estimate_ms()}"
        query = signed(key.secret, f"{text}&{stamp}" if text else stamp)
        host = (shared.settings.wallet_url if wallet else "") or shared.settings.base_url
        reply = await self._send(method, f"{host}{path}?{query}", key.headers)
        return self._read(reply, read)

    async def call_unsigned(self, method: str, path: str, read: Callable[[bytes], T]) -> T:
        """Send a request that only presents the key (the listen key's); raises VenueError."""
        key = self.key_or_refusal()
        return self._read(await self._send(method, self.shared.settings.base_url + path, key.headers), read)

    def key_or_refusal(self) -> OpenKey:
        """Return the opened key, or raise VenueRefused when it does not open."""
        try:
            return self.key()
        except DomainError:
            raise VenueRefused("The account's key cannot be opened.", RefusalKind.KEY, "vault") from None

    async def _send(self, method: str, url: str, headers: Mapping[str, str]) -> Reply:
        shared = self.shared
        try:
            reply = await shared.transport.request(method, url, headers, None, shared.settings.read_timeout_s)
        except (NeverLeft, NoReply) as error:
            raise VenueUnavailable(f"The venue gave no answer ({error}).") from None
        self.note(reply)
        return reply

    def _read(self, reply: Reply, read: Callable[[bytes], T]) -> T:
        if not 200 <= reply.status < 300:
            refusal = refused_read(
                reply.status, reply.body, reply.headers.get("Retry-After"), codes_of(self.shared.venue)
            )
            if isinstance(refusal, VenueRefused) and refusal.kind is RefusalKind.CLOCK:
                self.shared.clock.suspect()
            raise refusal
        try:
            return read(reply.body)
        except Unreadable as error:
            raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None

    def note(self, reply: Reply) -> None:
        """Learn from the venue's own counters, which also count what others send from here."""
        shared, headers = self.shared, reply.headers
        guard = shared.guard
        weight = headers.get("X-MBX-USED-WEIGHT-1M")
        if weight is not None and weight.isascii() and weight.isdecimal():
            guard.budget.seen(guard.weight, shared.weight_limit - int(weight))
        orders = headers.get("X-MBX-ORDER-COUNT-10S")
        if (
            orders is not None
            and orders.isascii()
            and orders.isdecimal()
            and 2 * int(orders) > shared.orders_limit
        ):
            # Below half of the limit the count says nothing that our own bucket does not know.
            guard.budget.seen(guard.orders(self.account), shared.orders_limit - int(orders))

    def log_strangers(self, contracts: list[str]) -> None:
        """Say which contracts with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(contracts)
        )
