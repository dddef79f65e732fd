"""Each program as a real process, doing one real thing on real servers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket

import aiohttp
import pytest

from app.domain.shared.market import Venue
from app.domain.shared.money import Money
from app.domain.signals.signal import Signal
from tests.integration.postgres.hot_scene import HotScene
from tests.support.processes import ChildProcess
from tests.support.servers import Databases
from tests.support.simulator import SimulatorProcess
from tests.support.system import System, environment, fixed, running_system, until
from tests.unit.domain.builders import D


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ended(child: ChildProcess, seconds: float = 40) -> int:
    return await asyncio.to_thread(child.wait, seconds)


async def hand_over(system: System, followers: int = 3) -> Signal:
    """Store an entry signal of a leader with followers, without ringing for it."""
    whale = await system.make_leader()
    await system.make_followers(whale, [fixed("500")] * followers)
    scene = HotScene(system.app.engine, system.app.clock, whale=whale)  # type: ignore[arg-type]  # any clock will do
    entry = await scene.signal()
    mark = system.simulator.operator.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")["markPrice"]
    await scene.run(
        "UPDATE signals SET state = 'PENDING', owner = NULL, lease_until = NULL, reference_price = :p,"
        " created_at = now(), leader_at = now(), expires_at = now() + interval '10 minutes'",
        p=Money(D(mark)),
    )
    return entry


async def test_migrate_brings_an_empty_database_up_and_doctor_says_what_is_missing(
    databases: Databases, redis_url: str
) -> None:
    dsn = databases.create("programs")
    with SimulatorProcess(tape_ms=0) as simulator:
        env = {**os.environ, **environment(simulator, dsn, redis_url)}
        with ChildProcess.python("-m", "app", "doctor", env=env) as doctor:
            assert await ended(doctor) == 1
            assert "wrong   database" in doctor.output
            assert "copytrade migrate" in doctor.output
        with ChildProcess.python("-m", "app", "migrate", env=env) as program:
            assert await ended(program) == 0
            assert "at head" in program.output
        with ChildProcess.python("-m", "app", "doctor", env=env) as doctor:
            assert await ended(doctor) == 1, "no worker runs"
            assert "fine    database" in doctor.output
            assert f"fine    venue {Venue.BINANCE_USDM.value}" in doctor.output
            assert "wrong   worker" in doctor.output
    databases.drop(dsn)


async def test_an_operators_token_opens_the_served_api_and_no_other_does(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url) as system:
        with system.start("operator", "Olga") as program:
            assert await ended(program) == 0
            token = program.output.strip().splitlines()[-1]
        port = free_port()
        with system.start("serve", "--port", str(port)) as api:
            url = f"http://127.0.0.1:{port}"

            async def status(path: str, bearer: str | None) -> int:
                headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
                try:
                    async with session.get(url + path, headers=headers) as reply:
                        await reply.read()
                        return reply.status
                except aiohttp.ClientConnectionError:
                    assert api.is_running(), api.output
                    return 0

            async def answers() -> bool:
                return await status("/healthz", None) == 200

            async with aiohttp.ClientSession() as session:
                await until(answers, 40, what="an answer of the API")
                assert await status("/v1/whales", token) == 200
                assert await status("/v1/whales", token[:-1] + "x") == 401
                assert await status("/v1/whales", None) == 401
            assert token not in api.output
            # uvicorn closes everything and then ends by the very signal that it was sent
            assert await asyncio.to_thread(api.terminate) in {0, -signal.SIGTERM}
            assert "Application shutdown complete" in api.output


async def test_a_worker_serves_what_is_rung_for_and_ends_in_good_order(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url) as system:
        entry = await hand_over(system)
        await system.app.bell.ring(entry.id, entry.lane)
        with system.start("work") as worker:
            await until(
                lambda: system.value("SELECT count(*) = 3 FROM orders WHERE state = 'FILLED'"),
                what="three filled orders",
            )
            await until(
                lambda: system.value("SELECT state = 'DONE' FROM signals"), what="the end of the signal"
            )
            assert await asyncio.to_thread(worker.terminate) == 0
        assert re.search(r"Traceback", worker.output) is None
        assert len(system.simulator.operator.ledger("orders")) >= 3


async def test_a_broker_that_was_emptied_loses_no_signal(database_dsn: str, redis_url: str) -> None:
    async with running_system(database_dsn, redis_url) as system:
        entry = await hand_over(system)
        await system.app.bell.ring(entry.id, entry.lane)
        await system.app.redis.flushall()
        with system.start("work"), system.start("beat"):
            await system.quiet(signals=1, seconds=45)
            await system.app.redis.flushall()
            again = await HotScene(system.app.engine, system.app.clock, whale=entry.whale_id, seq=5).signal()  # type: ignore[arg-type]  # any clock will do
            await system.app.redis.flushall()
            async with system.app.engine.begin() as connection:
                await connection.exec_driver_sql(
                    "UPDATE signals SET state = 'PENDING', owner = NULL, lease_until = NULL"
                    " WHERE state = 'DISPATCHING'"
                )
            await system.quiet(signals=2, seconds=45)
            await until(lambda: system.app.redis.exists("copytrade:worker:alive"), 20, what="a heartbeat")
        assert await system.value("SELECT count(*) FROM decisions WHERE signal_id = :id", id=again.id) == 3
        twice = await system.rows(
            "SELECT follow_id FROM trades GROUP BY follow_id, signal_id, leg HAVING count(*) > 1"
        )
        assert twice == []


@pytest.mark.timeout(150)
async def test_when_the_feed_that_leads_is_killed_the_other_takes_over(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url) as system:
        await system.make_leader()
        with system.start("feed") as one, system.start("feed") as two:
            pair = (one, two)

            async def leads() -> bool:
                return any("feed.leads" in child.output for child in pair)

            await until(leads, 40, what="a feed that leads")
            await system.leader_watched()
            leader = next(child for child in pair if "feed.leads" in child.output)
            heir = two if leader is one else one
            assert "feed.leads" not in heir.output
            assert await system.value("SELECT epoch FROM leases WHERE name = 'feed'") == 1
            leader.kill()
            system.lead("BUY", "0.1")
            await asyncio.to_thread(heir.wait_for_line, "feed.leads", 40)
            await until(
                lambda: system.value("SELECT count(*) = 1 FROM signals WHERE action = 'OPEN'"),
                what="the signal of what happened meanwhile",
            )
            assert await system.value("SELECT epoch FROM leases WHERE name = 'feed'") == 2
            system.lead("SELL", "0.1")
            await until(
                lambda: system.value("SELECT count(*) = 1 FROM signals WHERE action = 'CLOSE'"),
                what="the close",
            )
        assert await system.value("SELECT count(*) FROM signals") == 2


@pytest.mark.parametrize("command", ["work", "feed"])
async def test_a_program_without_settings_says_which_and_ends_with_two(command: str) -> None:
    bare = {name: "" for name in os.environ if name.startswith("COPYTRADE_")}
    with ChildProcess.python(
        "-m", "app", command, env={**bare, "DATABASE_URL": "", "REDIS_URL": ""}
    ) as program:
        assert await ended(program) == 2
        assert "Setting id_secret" in program.output
        assert "Traceback" not in program.output
