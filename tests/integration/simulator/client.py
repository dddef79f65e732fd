"""A plain signed client of the futures dialect, written against the venue's documents and not against the simulator."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

ORDER = "/fapi/v1/order"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        return int(self.body["code"])


@dataclass
class Trader:
    """One account's client; `skew_ms` sets its clock off."""

    session: aiohttp.ClientSession
    base_url: str
    ws_url: str
    account_id: str
    api_key: str
    secret: str = field(repr=False)
    skew_ms: int = 0

    def sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    async def call(
        self, method: str, path: str, *, signed: bool = True, in_body: bool = False, timeout_s: float = 10, **params: object
    ) -> Answer:  # fmt: skip
        if signed:
            params.setdefault("timestamp", int(time.time() * 1000) + self.skew_ms)
        text = urlencode(params)
        if signed:
            text += "&signature=" + self.sign(text)
        return await self.raw(method, path, text, in_body=in_body, timeout_s=timeout_s)

    async def raw(
        self,
        method: str,
        path: str,
        text: str,
        *,
        in_body: bool = False,
        timeout_s: float = 10,
        key: str | None = None,
    ) -> Answer:
        headers = {"X-MBX-APIKEY": self.api_key if key is None else key}
        url, data = self.base_url + path, None
        if in_body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            data = text
        elif text:
            url += "?" + text
        # Sent as signed: left alone, yarl would decode %2F and the signature would no longer fit.
        limit = aiohttp.ClientTimeout(total=timeout_s)
        async with self.session.request(
            method, URL(url, encoded=True), data=data, headers=headers, timeout=limit
        ) as reply:
            raw = await reply.read()
            try:
                body = json.loads(raw)
            except ValueError:
                body = raw
            return Answer(reply.status, body, dict(reply.headers))

    async def market(self, side: str = "BUY", quantity: str = "0.01", **more: Any) -> Answer:
        return await self.call(
            "POST", ORDER, symbol="BTCUSDT", side=side, type="MARKET", quantity=quantity,
            newOrderRespType="RESULT", **more,
        )  # fmt: skip

    async def limit(self, side: str, quantity: str, price: str, tif: str = "GTC", **more: Any) -> Answer:
        return await self.call(
            "POST", ORDER, symbol="BTCUSDT", side=side, type="LIMIT", quantity=quantity, price=price,
            timeInForce=tif, **more,
        )  # fmt: skip

    async def get(self, path: str, **params: Any) -> Answer:
        return await self.call("GET", path, **params)

    async def listen_key(self) -> str:
        answer = await self.call("POST", "/fapi/v1/listenKey", signed=False)
        return str(answer.body["listenKey"])

    async def user_stream(self) -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(f"{self.ws_url}/ws/{await self.listen_key()}")


async def next_event(
    socket: aiohttp.ClientWebSocketResponse, wanted: Callable[[Any], bool] = lambda _: True
) -> Any:
    """Return the next message that fits; fails after five seconds without one."""
    async with asyncio.timeout(5):
        while True:
            message = json.loads((await socket.receive()).data)
            if wanted(message):
                return message
