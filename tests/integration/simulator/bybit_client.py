"""A plain signed client of the Bybit dialect, written against the venue's documents and not against the simulator."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.support.simulator import SimulatorProcess


@dataclass
class Client:
    """A plain signed client, written against the venue's documents and not against the simulator."""

    session: aiohttp.ClientSession
    process: SimulatorProcess
    account_id: str
    key: str
    secret: str = field(repr=False)

    def sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    async def call(
        self, method: str, path: str, *, age_ms: int = 0, window: int = 5000, **params: Any
    ) -> Any:
        stamp = int(time.time() * 1000) - age_ms
        payload = urlencode(params) if method == "GET" else json.dumps(params)
        headers = {
            "X-BAPI-API-KEY": self.key, "X-BAPI-TIMESTAMP": str(stamp), "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": self.sign(f"{stamp}{self.key}{window}{payload}"), "Content-Type": "application/json",
        }  # fmt: skip
        target = f"{self.process.base_url}{path}" + (f"?{payload}" if method == "GET" and payload else "")
        data = payload if method == "POST" else None
        async with self.session.request(
            method, URL(target, encoded=True), data=data, headers=headers
        ) as reply:
            assert reply.status == 200
            return {**await reply.json(), "headers": dict(reply.headers)}

    async def market(self, link: str, side: str = "Buy", qty: str = "0.01", **more: Any) -> Any:
        fields = {
            "category": "linear", "symbol": "BTCUSDT", "side": side, "orderType": "Market", "qty": qty, "orderLinkId": link,
            **more,
        }  # fmt: skip
        return await self.call("POST", "/v5/order/create", **fields)

    async def rows(self, path: str, **params: Any) -> list[Any]:
        answer = await self.call("GET", path, **params)
        assert answer["retCode"] == 0, answer
        found: list[Any] = answer["result"]["list"]
        return found

    async def find(
        self, link: str, path: str = "/v5/order/realtime", category: str = "linear", symbol: str = "BTCUSDT"
    ) -> list[Any]:
        return await self.rows(path, category=category, symbol=symbol, orderLinkId=link)

    async def until(self, link: str, status: str, **where: str) -> Any:
        """The order, once it has this status."""
        async with asyncio.timeout(10):
            while True:
                (row,) = await self.find(link, **where)
                if row["orderStatus"] == status:
                    return row

    async def log_in(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"{self.process.ws_url}/v5/private")
        expires = int(time.time() * 1000) + 5000
        await socket.send_json(
            {"op": "auth", "args": [self.key, expires, self.sign(f"GET/realtime{expires}")]}
        )
        assert (await socket.receive_json(timeout=5))["success"]
        return socket
