"""Puts the parts together and serves them on one port."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from aiohttp import web

from simulator.clock import Clock
from simulator.dialects import DIALECTS, Parts
from simulator.doors import Doors, serve_by_prefix
from simulator.engine.exchange import Exchange
from simulator.faults import FaultBook
from simulator.front import Front
from simulator.http import Connection
from simulator.limits import Limiter
from simulator.operator import commands
from simulator.operator.api import OperatorApi
from simulator.operator.inputs import Input

HOUSEKEEPING_S = 0.05


@dataclass(frozen=True, slots=True)
class Setup:
    """How a simulator starts; `initial` may hold the operator's inputs `settings`, `instruments`, `accounts` and
    `prices`, applied before the port opens.
    """

    seed: int = 1
    operator_token: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    tape_ms: int = 0
    initial: dict[str, object] = field(default_factory=dict, repr=False)


class Simulator:
    """One pretended exchange: `start` opens the port, `stop` closes everything."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.clock = Clock()
        self.exchange = Exchange(setup.seed, self.clock)
        self.faults = FaultBook(setup.seed)
        self.limiter = Limiter()
        parts = Parts(self.exchange, self.faults, self.limiter, self.clock, setup.seed)
        self._venues = [build(parts) for build in DIALECTS]
        self.operator = OperatorApi(
            self.exchange, self.limiter, self.faults, self.clock, setup.operator_token, self._disconnect,
            self._set_listen_key_validity,
        )  # fmt: skip
        self.operator.timing.tape_ms = setup.tape_ms
        rest = {prefix: door for venue in self._venues for prefix, door in venue.doors.items()}
        sockets = {prefix: serve for venue in self._venues for prefix, serve in venue.sockets.items()}
        self._front = Front(self.operator, Doors(rest), self.faults)
        self._websockets = web.Server(serve_by_prefix(sockets), access_log=None)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._housekeeper: asyncio.Task[None] | None = None
        self._apply(Input.of(setup.initial, "the configuration"))

    def _disconnect(self, account_id: str | None) -> int:
        return sum(venue.disconnect(account_id) for venue in self._venues)

    def _set_listen_key_validity(self, valid_ms: int) -> None:
        for venue in self._venues:
            venue.set_key_validity(valid_ms)

    def _apply(self, initial: Input) -> None:
        initial.only("settings", "instruments", "accounts", "prices")
        if initial.has("settings"):
            self.operator.change_settings(initial.object("settings"))
        if initial.has("instruments"):
            commands.list_instruments(self.exchange, Input({"instruments": initial.values["instruments"]}))
        if initial.has("prices"):
            commands.set_prices(self.exchange, Input({"prices": initial.values["prices"]}))
        if initial.has("accounts"):
            commands.open_accounts(self.exchange, Input({"accounts": initial.values["accounts"]}))

    async def start(self) -> int:
        """Open the port and return its number."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._front, self._websockets, self._connections),
            self._setup.host,
            self._setup.port,
            backlog=4096,
            reuse_address=True,
        )
        self._housekeeper = loop.create_task(self._keep_house())
        return int(self._server.sockets[0].getsockname()[1])

    async def _keep_house(self) -> None:
        """Let each dialect tidy up, and move the tape when it has a period of its own."""
        loop = asyncio.get_running_loop()
        moved = loop.time()
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            for venue in self._venues:
                venue.keep_house()
            period = self.operator.timing.tape_ms / 1000
            if period and loop.time() - moved >= period:
                moved = loop.time()
                self.exchange.tick()

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._housekeeper is not None:
            self._housekeeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._housekeeper
        if self._server is not None:
            self._server.close()
        await self._websockets.shutdown(1.0)
        for connection in list(self._connections):
            connection.abort()
