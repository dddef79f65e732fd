"""Everything that runs: servers, exchange, worker, beat, feed and API, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.config.container import App, build
from app.config.database import upgrade
from app.config.demo import begin_run
from app.config.embedded import LocalServers
from app.config.settings import load
from app.domain.shared.market import Venue
from app.presentation.demo.exchange import Exchange
from app.presentation.demo.home import DemoHome, Secrets
from app.presentation.demo.programs import Program, Programs, listening

_API_PORT: Final = 8000
_START_S: Final = 60.0
_KEY_NAME: Final = "demo"
_UNLIMITED: Final = {
    "weight_per_minute": 10_000_000,
    "orders_per_10s": 1_000_000,
    "orders_per_minute": 1_000_000,
    "refusals_before_ban": 1_000_000,
}


class CannotStart(RuntimeError):
    """The demo cannot run on what it was given; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The running parts that the show needs; `workers` are started by `start_workers`."""

    app: App
    exchange: Exchange
    programs: Programs
    run: str
    logs: Path

    def start_workers(self) -> str:
        """Start worker, beat, feed and API; return the API's address."""
        port = free_port(_API_PORT)
        self.programs.start("worker", "app", "work")
        self.programs.start("beat", "app", "beat")
        self.programs.start("feed", "app", "feed")
        self.programs.start("api", "app", "serve", "--port", str(port))
        return f"http://127.0.0.1:{port}"

    async def ready(self, address: str) -> None:
        """Wait until the API says that every part is well; raises ProgramFailed."""
        deadline = time.monotonic() + _START_S
        while not await asyncio.to_thread(_is_ready, f"{address}/readyz"):
            self.programs.check()
            if time.monotonic() > deadline:
                raise CannotStart(f"The API is not ready after {_START_S:.0f} s; logs: {self.logs}")
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_stack(
    home: DemoHome, programs: Programs, run: str, *, seed: int, instruments: list[Mapping[str, str]]
) -> AsyncIterator[Stack]:
    """Start servers, migrate, start the exchange with these instruments, and open an App on all of it."""
    given = _given("DATABASE_URL"), _given("REDIS_URL")
    async with AsyncExitStack() as stack:
        servers = LocalServers(home.home, database_url=given[0], redis_url=given[1])
        stack.push_async_callback(asyncio.to_thread, servers.stop)
        addresses = await asyncio.to_thread(servers.start)
        stack.push_async_callback(programs.stop)
        token = secrets.token_hex(24)
        exchange_program = _start_exchange(programs, token, seed)
        await programs.until(
            lambda: listening(exchange_program) is not None, "the exchange's start", _START_S
        )
        base_url = f"http://127.0.0.1:{listening(exchange_program)}"
        os.environ.update(environment(home.secrets(), base_url, addresses.database_url, addresses.redis_url))
        settings = load()
        await asyncio.to_thread(upgrade, settings)
        exchange = await stack.enter_async_context(Exchange(base_url, token))
        await exchange.settings(limits=_UNLIMITED)
        await exchange.list_instruments(instruments)
        app = await stack.enter_async_context(build(settings))
        if refusal := await begin_run(app, own_redis=given[1] is None):
            raise CannotStart(refusal)
        yield Stack(app, exchange, programs, run, programs.logs)


def environment(kept: Secrets, base_url: str, database_url: str, redis_url: str) -> dict[str, str]:
    """Return what every program's environment is told; other COPYTRADE_ settings stay as the caller has them.

    Both sides' rate limits are raised: the demo shows copying, not a venue's patience with one address.
    """
    venue = {
        "base_url": base_url,
        "ws_url": base_url.replace("http://", "ws://", 1),
        "wallet_url": base_url,
        "mark_age_max_s": 3600,
        "weight_per_minute": _UNLIMITED["weight_per_minute"],
        "orders_per_10s": _UNLIMITED["orders_per_10s"],
        "engine_timeout_ms": 0,
        "clock_error_ms": 200,
        "absence_spread_ms": 200,
        "visibility_bound_ms": 200,
    }
    return {
        "COPYTRADE_DATABASE_URL": database_url,
        "COPYTRADE_REDIS_URL": redis_url,
        "COPYTRADE_VAULT_KEYS": json.dumps({_KEY_NAME: kept.vault_key}),
        "COPYTRADE_VAULT_ACTIVE": _KEY_NAME,
        "COPYTRADE_ID_SECRET": kept.id_secret,
        "COPYTRADE_VENUES": json.dumps({Venue.BINANCE_USDM.value: venue}),
        "PYTHONUNBUFFERED": "1",
    }


def free_port(wanted: int) -> int:
    """Return the wanted port of this machine if nobody listens on it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart("This machine has no free port.")


def _start_exchange(programs: Programs, token: str, seed: int) -> Program:
    # The token stands in the argument list for a moment's reader on this machine: it opens play money only.
    arguments = ("--port", "0", "--seed", str(seed), "--operator-token", token)
    return programs.start("exchange", "simulator", *arguments)


def _given(name: str) -> str | None:
    return os.environ.get(f"COPYTRADE_{name}") or os.environ.get(name) or None


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310  # our own address on this machine
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
