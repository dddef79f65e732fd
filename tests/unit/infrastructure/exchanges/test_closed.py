"""What was closed opens no connection any more: a session made after the end would be closed by nobody."""

from __future__ import annotations

import pytest

from app.infrastructure.exchanges.http import AiohttpTransport, NeverLeft
from app.infrastructure.exchanges.settings import StreamSettings, VenueSettings
from app.infrastructure.exchanges.stream import Sockets

NOBODY = "http://127.0.0.1:1"


async def test_a_closed_transport_sends_nothing() -> None:
    transport = AiohttpTransport(VenueSettings(base_url=NOBODY, ws_url=NOBODY))
    await transport.close()
    with pytest.raises(NeverLeft, match="closed"):
        await transport.request("GET", NOBODY, {}, None, 1.0)


async def test_closed_sockets_open_none() -> None:
    sockets = Sockets(StreamSettings())
    await sockets.close()
    with pytest.raises(ConnectionError, match="closed"):
        await sockets.connect(NOBODY)
