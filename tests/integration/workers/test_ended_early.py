"""Who is told to end while he still starts, or while he closes, leaves no connection open."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest

from app.config.container import build
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.http import AiohttpTransport
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import VenueSettings
from tests.support.simulator import SimulatorProcess
from tests.support.system import environment, settings_of
from tests.unit.infrastructure.exchanges.test_tables import OpenVault


def open_sessions() -> list[aiohttp.ClientSession]:
    return [one for one in gc.get_objects() if isinstance(one, aiohttp.ClientSession) and not one.closed]


class SilentVenue:
    """Takes connections and answers nothing; `asked` once something was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self.asked.set()
        await reader.read()
        writer.close()


async def test_a_program_that_is_told_to_end_while_it_starts_closes_its_connections(
    database_dsn: str, redis_url: str
) -> None:
    venue = SilentVenue()
    server = await asyncio.start_server(venue.hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = SimpleNamespace(base_url=f"http://127.0.0.1:{port}", ws_url=f"ws://127.0.0.1:{port}")
    env = environment(cast("SimulatorProcess", address), database_dsn, redis_url)

    async def start() -> None:
        async with build(settings_of(env)):
            raise AssertionError("nothing answered, and yet it serves")

    starting = asyncio.create_task(start())
    await venue.asked.wait()
    assert open_sessions()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert open_sessions() == []
    server.close()


@pytest.mark.parametrize("trouble", [asyncio.CancelledError, RuntimeError])
async def test_trouble_in_closing_one_thing_leaves_no_other_open(
    monkeypatch: pytest.MonkeyPatch, trouble: type[BaseException]
) -> None:
    nobody = VenueSettings(base_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")
    pool = VenuePool({Venue.BINANCE_USDM: nobody, Venue.BYBIT_LINEAR: nobody}, OpenVault())
    for found in pool._venues.values():
        assert isinstance(found.shared.transport, AiohttpTransport)
        found.shared.transport.session()

        async def close() -> None:
            raise trouble

        monkeypatch.setattr(found.upkeep, "close", close)
    assert len(open_sessions()) == 2
    with pytest.raises(trouble):
        await pool.close()
    assert open_sessions() == []
