"""A plain signed client of Bitget v2, written against the venue's documents and not against the simulator."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.support.simulator import SimulatorProcess

_numbers = itertools.count(1)
LINE = {"productType": "USDT-FUTURES", "marginCoin": "USDT", "symbol": "BTCUSDT"}
PLACE, DETAIL = "/api/v2/mix/order/place-order", "/api/v2/mix/order/detail"
TPSL = "/api/v2/mix/order/place-tpsl-order"
SPOT_PLACE, SPOT_PLAN = "/api/v2/spot/trade/place-order", "/api/v2/spot/trade/place-plan-order"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])

    @property
    def data(self) -> Any:
        assert self.code == "00000", self.body
        return self.body["data"]


@dataclass
class BitgetTrader:
    """One account's client; `skew_ms` sets its clock off."""

    session: aiohttp.ClientSession
    base_url: str
    ws_url: str
    account_id: str
    key: str
    secret: str = field(repr=False)
    passphrase: str = "passphrase"
    skew_ms: int = 0

    def proof(self, text: str) -> str:
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    async def call(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        stamp = str(int(time.time() * 1000) + self.skew_ms)
        signed = {
            "ACCESS-KEY": self.key,
            "ACCESS-SIGN": self.proof(f"{stamp}{method}{path}{body}"),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": self.passphrase,
            "Content-Type": "application/json",
            **headers,
        }
        async with self.session.request(
            method, URL(self.base_url + path, encoded=True), data=body or None, headers=signed
        ) as reply:
            raw = await reply.read()
            try:
                found = json.loads(raw)
            except ValueError:
                found = raw
            return Answer(reply.status, found, dict(reply.headers))

    async def get(self, path: str, **query: object) -> Answer:
        return await self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    async def post(self, path: str, **fields: object) -> Answer:
        return await self.call("POST", path, json.dumps(fields))

    async def place(self, side: str = "buy", size: str = "0.01", **more: object) -> Answer:
        order = {
            **LINE,
            "marginMode": "crossed",
            "side": side,
            "size": size,
            "orderType": "market",
            **more,
        }
        return await self.post(PLACE, **order)

    async def limit(self, price: str, side: str = "buy", size: str = "0.01", **more: object) -> Answer:
        return await self.place(side, size, orderType="limit", price=price, force="gtc", **more)

    async def settled(self, order_id: str) -> Any:
        """The order, once it has ended."""
        async with asyncio.timeout(5):
            while True:
                row = (await self.get(DETAIL, **LINE, orderId=order_id)).data
                if row["state"] in {"filled", "canceled"}:
                    return row

    async def fill(self, side: str = "buy", size: str = "0.01", **more: object) -> Any:
        return await self.settled((await self.place(side, size, **more)).data["orderId"])

    async def positions(self) -> list[tuple[str, str]]:
        rows = (await self.get("/api/v2/mix/position/all-position", **LINE)).data
        return sorted((row["holdSide"], row["total"]) for row in rows)

    async def stream(self, *channels: str, line: str = "USDT-FUTURES") -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"{self.ws_url}/v2/ws/private")
        stamp = str(int(time.time()))
        row = {
            "apiKey": self.key,
            "passphrase": self.passphrase,
            "timestamp": stamp,
            "sign": self.proof(f"{stamp}GET/user/verify"),
        }
        await socket.send_json({"op": "login", "args": [row]})
        assert (await heard(socket))["event"] == "login"
        args = [{"instType": line, "channel": name, "instId": "default"} for name in channels]
        await socket.send_json({"op": "subscribe", "args": args})
        for _ in channels:
            assert (await heard(socket))["event"] == "subscribe"
        return socket


def open_trader(process: SimulatorProcess, session: aiohttp.ClientSession, **account: Any) -> BitgetTrader:
    """Open an account and return its client."""
    row = process.operator.open_account(f"bitget-{next(_numbers)}", **account)
    return BitgetTrader(
        session, process.base_url, process.ws_url, row["account_id"], row["api_key"], row["api_secret"]
    )


async def heard(
    socket: aiohttp.ClientWebSocketResponse, wanted: Callable[[Any], bool] = lambda _: True
) -> Any:
    """Return the next message that fits; fails after five seconds without one."""
    async with asyncio.timeout(5):
        while True:
            text = (await socket.receive()).data
            message = text if text == "pong" else json.loads(text)
            if wanted(message):
                return message
