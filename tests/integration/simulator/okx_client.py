"""A plain signed client of OKX and the account it trades on, for the tests of the simulated dialect."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.support.simulator import SimulatorProcess

SWAP, SPOT = "BTC-USDT-SWAP", "BTC-USDT"


@dataclass
class Client:
    """A plain signed client, written against the venue's documents and not against the simulator."""

    session: aiohttp.ClientSession
    process: SimulatorProcess
    account_id: str
    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="passphrase", repr=False)

    def sign(self, text: str) -> str:
        return b64encode(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()

    async def call(
        self, method: str, path: str, body: Any = None, *, age_s: float = 0, headers: Any = None, **query: Any
    ) -> Any:
        at = datetime.now(UTC) - timedelta(seconds=age_s)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        target = "/api/v5/" + path + (f"?{urlencode(query)}" if query else "")
        data = json.dumps(body) if body is not None else ""
        signed = {
            "OK-ACCESS-KEY": self.key, "OK-ACCESS-PASSPHRASE": self.passphrase, "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": self.sign(stamp + method + target + data), "Content-Type": "application/json",
        }  # fmt: skip
        url = URL(self.process.base_url + target, encoded=True)
        async with self.session.request(
            method, url, data=data or None, headers={**signed, **(headers or {})}
        ) as reply:
            return {**await reply.json(), "status": reply.status}

    async def place(self, **change: Any) -> Any:
        order = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1", **change}
        return await self.call("POST", "trade/order", {k: v for k, v in order.items() if v is not None})

    async def stop(self, **change: Any) -> Any:
        order = {
            "instId": SWAP, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1", "slTriggerPx": "63000",
            "slOrdPx": "-1", "slTriggerPxType": "mark", "reduceOnly": True, **change,
        }  # fmt: skip
        return await self.call("POST", "trade/order-algo", {k: v for k, v in order.items() if v is not None})

    async def position(self) -> str:
        rows = (await self.call("GET", "account/positions", instType="SWAP"))["data"]
        return str(rows[0]["pos"]) if rows else "0"

    async def held(self, wanted: str) -> None:
        async with asyncio.timeout(10):
            while await self.position() != wanted:
                pass

    async def log_in(self, path: str = "private") -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"{self.process.ws_url}/ws/v5/{path}")
        stamp = str(int(datetime.now(UTC).timestamp()))
        proof = self.sign(f"{stamp}GET/users/self/verify")
        argument = {"apiKey": self.key, "passphrase": self.passphrase, "timestamp": stamp, "sign": proof}
        await socket.send_json({"op": "login", "args": [argument]})
        assert (await socket.receive_json(timeout=5))["event"] == "login"
        return socket


def code(answer: Any) -> str:
    rows = answer["data"]
    return str(rows[0]["sCode"]) if rows and "sCode" in rows[0] else str(answer["code"])


@contextmanager
def opened(simulator: SimulatorProcess, session: aiohttp.ClientSession, label: str) -> Iterator[Client]:
    """An account of its own, and the exchange's settings as they were afterwards."""
    row = simulator.operator.open_account(f"okx-{label}", balances={"BTC": "1"})
    yield Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    simulator.operator.settings(
        matching_delay_ms=0, client_id_uniqueness="venue",
        limits={"requests_per_uid": 1_000_000, "requests_per_5s": 10_000_000, "orders_per_10s": 1_000_000},
    )  # fmt: skip
