"""The application's stream where the venue hears no more than ten users from one address."""

from __future__ import annotations

import asyncio
import logging

import pytest

from app.domain.exchanges.ports import Connected, PrivateStream
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.registry import VenuePool
from tests.contract.exchanges.conftest import PlainVault, venue_settings
from tests.support.simulator import SimulatorProcess

USERS = 10


async def connected(stream: PrivateStream) -> None:
    async with asyncio.timeout(20):
        async for event in stream.events():
            if isinstance(event, Connected):
                return


async def test_an_eleventh_account_is_said_in_plain_words_and_heard_once_a_place_is_free(
    simulator: SimulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    venue = Venue.HYPERLIQUID
    pool = VenuePool({venue: venue_settings(simulator, burst_share=1.0)}, PlainVault())
    await pool.start()
    streams: list[PrivateStream] = []
    try:
        for number in range(1, USERS + 2):
            key = ApiKey(f"0x{0xFEED << 32 | number:040x}", f"0x{0xF00D << 32 | number:064x}")
            simulator.operator.open_account(f"feed-{number}", api_key=key.key, api_secret=key.secret)
            sealed = PlainVault().seal(AccountId(number), venue, key)
            streams.append(pool.stream(AccountId(number), venue, sealed))
        for stream in streams[:USERS]:
            await connected(stream)
        late = asyncio.ensure_future(connected(streams[USERS]))
        async with asyncio.timeout(10):
            while "another address" not in caplog.text:
                await pool.market(venue).server_time_ms()
        assert not late.done()
        (said,) = [row for row in caplog.records if row.levelno >= logging.ERROR]
        assert f"account {USERS + 1}: Cannot track more than 10 total users." in said.getMessage()
        assert "0x" not in said.getMessage()
        await streams[0].close()
        await late
    finally:
        for stream in streams:
            await stream.close()
        await pool.close()
