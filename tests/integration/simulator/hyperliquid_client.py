"""A plain client of the Hyperliquid dialect, signed by the venue's own Python library and not by ours."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from eth_account import Account
from hyperliquid.utils.signing import sign_l1_action  # type: ignore[import-untyped]  # it has no types

from tests.support.simulator import SimulatorProcess

_numbers = itertools.count(1)
CLOID = "0x0000000000000000000000000000c0de"


def order(
    price: str = "67000", size: str = "0.01", tif: str = "Ioc", *, buy: bool = True, reduce: bool = False, cloid: str = "",
    asset: int = 0,
) -> dict[str, Any]:  # fmt: skip
    row = {"a": asset, "b": buy, "p": price, "s": size, "r": reduce, "t": {"limit": {"tif": tif}}}
    return {"type": "order", "orders": [row | ({"c": cloid} if cloid else {})], "grouping": "na"}


def trigger(
    at: str, kind: str, limit: str, *, buy: bool = False, size: str = "0.01", cloid: str = ""
) -> dict[str, Any]:
    kinds = {"trigger": {"isMarket": True, "triggerPx": at, "tpsl": kind}}
    row = {"a": 0, "b": buy, "p": limit, "s": size, "r": True, "t": kinds}
    return {"type": "order", "orders": [row | ({"c": cloid} if cloid else {})], "grouping": "na"}


@dataclass
class Wallet:
    """One account and the agent that signs for it."""

    session: aiohttp.ClientSession
    process: SimulatorProcess
    account_id: str
    address: str
    agent: Any = field(repr=False)

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.session.post(self.process.base_url + path, json=body) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if reply.content_type == "application/json" else text

    async def ask(self, kind: str, **fields: object) -> Any:
        status, answer = await self.post("/info", {"type": kind, **fields})
        assert status == 200, answer
        return answer

    async def mine(self, kind: str, **fields: object) -> Any:
        return await self.ask(kind, user=self.address, **fields)

    def envelope(
        self, action: Any, *, nonce: int = 0, expires: int | None = None, vault: str | None = None, main: bool = True
    ) -> dict[str, Any]:  # fmt: skip
        nonce = nonce or int(time.time() * 1000) + next(_numbers)
        proof = sign_l1_action(self.agent, action, vault, nonce, expires, main)
        return {
            "action": action,
            "nonce": nonce,
            "signature": proof,
            "vaultAddress": vault,
            "expiresAfter": expires,
        }

    async def act(self, action: Any, **how: Any) -> Any:
        status, answer = await self.post("/exchange", self.envelope(action, **how))
        assert status == 200, answer
        return answer

    async def one(self, action: Any, **how: Any) -> Any:
        """What came of the one part of an action."""
        answer = await self.act(action, **how)
        assert answer["status"] == "ok", answer
        (status,) = answer["response"]["data"]["statuses"]
        return status


def open_wallet(session: aiohttp.ClientSession, process: SimulatorProcess, **more: Any) -> Wallet:
    number = next(_numbers)
    secret, address = f"0x{0xBEEF << 64 | number:064x}", f"0x{0xA << 64 | number:040x}"
    row = process.operator.open_account(f"hl-{number}", api_key=address, api_secret=secret, **more)
    return Wallet(session, process, row["account_id"], address, Account.from_key(secret))


@dataclass
class Ear:
    """One WebSocket and what it heard."""

    socket: aiohttp.ClientWebSocketResponse

    async def say(self, method: str, **subscription: str) -> None:
        body: dict[str, Any] = {"method": method}
        await self.socket.send_json(body | ({"subscription": subscription} if subscription else {}))

    async def next(self, channel: str) -> Any:
        """The data of the next message on a channel."""
        async with asyncio.timeout(10):
            while True:
                message = await self.socket.receive_json()
                if message["channel"] == channel:
                    return message.get("data")
