"""The user-data stream of one account of contracts: listen key, its renewal, and events with a `Connected` at each start.

The key is not closed with the stream: the venue gives one key per account, and another process may be listening on it.
The venue does not number its messages: a gap shows only as a lost connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from app.domain.exchanges.outcomes import VenueError, VenueRefused
from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.binance.dialects import DIALECTS
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from app.infrastructure.exchanges.binance.wire.events import StreamEnded, Told, read_events, user_stream_path
from app.infrastructure.exchanges.binance.wire.refusals import LISTEN_KEY_UNKNOWN
from app.infrastructure.exchanges.binance.wire.settings import read_listen_key
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket, Reopen

_LOG: Final = logging.getLogger(__name__)
_RENEW_AGAIN_S: Final = 60.0


def until_the_end(told: Iterable[Told]) -> Iterator[StreamEvent]:
    """Yield what a message tells; raise Reopen where it says that the stream has ended."""
    for event in told:
        if isinstance(event, StreamEnded):
            raise Reopen
        yield event


class BinanceFuturesFeed:
    """Implements PrivateStream."""

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._shared = shared
        self._dialect = DIALECTS[shared.venue]
        self._account = BinanceAccount(shared, account, sealed)
        self._socket: ReconnectingSocket[StreamEvent] = ReconnectingSocket(
            shared.sockets,
            shared.settings.stream,
            url=self._open,
            read=self._read,
            connected=self._connected,
            tend=self._renew,
        )

    def events(self) -> AsyncIterator[StreamEvent]:
        """Yield events until closed."""
        return self._socket.events()

    async def close(self) -> None:
        """Stop the stream and let `events` end."""
        await self._socket.close()

    @property
    def _listen_key(self) -> str:
        return self._dialect.root + "/listenKey"

    async def _open(self) -> str:
        await self._shared.instruments.ready()
        key = await self._shared.guard.read(
            "listen_key", lambda: self._account.call_unsigned("POST", self._listen_key, read_listen_key)
        )
        settings = self._shared.settings
        return settings.ws_url + user_stream_path(key, routed=settings.routed_streams)

    async def _renew(self) -> None:
        """Prolong the key in good time; one that the venue no longer knows needs a new connection."""
        wait = self._shared.settings.stream.renew_s
        while True:
            await asyncio.sleep(wait)
            try:
                await self._shared.guard.read(
                    "listen_key", lambda: self._account.call_unsigned("PUT", self._listen_key, lambda _: None)
                )
                wait = self._shared.settings.stream.renew_s
            except VenueRefused as refusal:
                if refusal.venue_code == LISTEN_KEY_UNKNOWN:
                    raise Reopen from None
                raise
            except VenueError:
                wait = min(_RENEW_AGAIN_S, self._shared.settings.stream.renew_s)

    def _connected(self) -> Iterable[StreamEvent]:
        return (Connected(self._shared.now()),)

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        shared = self._shared
        try:
            told = read_events(
                raw, shared.instruments.names, shared.marks.marks, shared.venue, self._dialect.collateral
            )
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return self._connected()
        return until_the_end(told)
