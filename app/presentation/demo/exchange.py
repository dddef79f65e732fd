"""The pretended exchange from outside: its operator API, and the leader's own terminal with the leader's own key.

The leader is no part of the system: it trades by signed requests of Binance's USD-M API, as any client would.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp

Row = dict[str, Any]
_PAGE: Final = 10_000
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class ExchangeError(RuntimeError):
    """The pretended exchange refused; the text is its own."""


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """An account at the exchange with its key."""

    account_id: str
    label: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


class Exchange:
    """The operator's view; a context manager, for it keeps connections."""

    def __init__(self, base_url: str, operator_token: str) -> None:
        self.base_url = base_url
        self._headers = {"X-Operator-Token": operator_token}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(base_url=self.base_url, timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Row:
        """Send one request; raises ExchangeError with what the exchange answered."""
        assert self._session is not None, "used outside its block"
        chosen = self._headers if headers is None else headers
        async with self._session.request(method, path, json=body, headers=chosen) as reply:
            answer: Any = await reply.json(content_type=None)
            if reply.status >= 400:
                words = answer.get("message") or answer.get("msg") if isinstance(answer, dict) else answer
                raise ExchangeError(f"{method} {path.split('?', maxsplit=1)[0]}: {reply.status} {words}")
            return answer if isinstance(answer, dict) else {"rows": answer}

    async def settings(self, **settings: object) -> None:
        """Change the exchange's settings."""
        await self.call("POST", "/sim/settings", settings)

    async def open_accounts(self, wanted: Sequence[tuple[str, Decimal]]) -> list[ExchangeAccount]:
        """Open accounts by (label, balance)."""
        body = [{"label": label, "balance": f"{balance:f}"} for label, balance in wanted]
        rows = (await self.call("POST", "/sim/accounts", {"accounts": body}))["accounts"]
        return [ExchangeAccount(r["account_id"], r["label"], r["api_key"], r["api_secret"]) for r in rows]

    async def list_instruments(self, instruments: Sequence[Mapping[str, str]]) -> None:
        """List instruments, or change those that are listed."""
        await self.call("POST", "/sim/instruments", {"instruments": list(instruments)})

    async def set_price(self, symbol: str, price: Decimal) -> None:
        """Set one mark price outright."""
        await self.call("POST", "/sim/prices", {"prices": {symbol: f"{price:f}"}})

    async def tick(self, steps: int) -> None:
        """Let every price walk."""
        await self.call("POST", "/sim/tape/tick", {"steps": steps})

    async def mark(self, symbol: str) -> Decimal:
        """Return the mark price."""
        answer = await self.call("GET", f"/fapi/v1/premiumIndex?symbol={symbol}", headers={})
        return Decimal(answer["markPrice"])

    async def book_fills(
        self,
        account: ExchangeAccount,
        symbol: str,
        side: str,
        fills: Sequence[tuple[Decimal, Decimal]],
        *,
        order: str,
        final: bool,
    ) -> None:
        """Book executions (price, quantity) of one order of an account, past the book."""
        body = {
            "account_id": account.account_id,
            "symbol": symbol,
            "side": side,
            "client_order_id": order,
            "fills": [{"price": f"{price:f}", "quantity": f"{quantity:f}"} for price, quantity in fills],
            "final": final,
        }
        await self.call("POST", "/sim/fills", body)

    async def ledger(self, view: str, account_id: str | None = None) -> list[Row]:
        """Return every row of `orders`, `fills`, `positions` or `accounts`."""
        rows: list[Row] = []
        after = 0
        while True:
            query: dict[str, object] = {"after_seq": after, "limit": _PAGE}
            if account_id is not None:
                query["account_id"] = account_id
            page: list[Row] = (await self.call("GET", f"/sim/ledger/{view}?{urlencode(query)}"))[view]
            rows += page
            if len(page) < _PAGE:
                return rows
            after = page[-1]["seq"] if "seq" in page[-1] else len(rows)

    async def fill_count(self, account: ExchangeAccount) -> int:
        """Return how many executions an account has had."""
        return len(await self.ledger("fills", account.account_id))


class LeaderTerminal:
    """Trades on one account with its own key."""

    def __init__(self, exchange: Exchange, account: ExchangeAccount) -> None:
        self._exchange = exchange
        self.account = account

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Choose the leverage of one market."""
        await self._signed("POST", "/fapi/v1/leverage", symbol=symbol, leverage=str(leverage))

    async def market(self, symbol: str, side: str, quantity: Decimal, order: str) -> None:
        """Send a market order."""
        await self._signed(
            "POST",
            "/fapi/v1/order",
            symbol=symbol,
            side=side,
            type="MARKET",
            quantity=f"{quantity:f}",
            newClientOrderId=order,
        )

    async def limit(self, symbol: str, side: str, quantity: Decimal, price: Decimal, order: str) -> None:
        """Send a limit order that rests until it is cancelled."""
        await self._signed(
            "POST",
            "/fapi/v1/order",
            symbol=symbol,
            side=side,
            type="LIMIT",
            timeInForce="GTC",
            quantity=f"{quantity:f}",
            price=f"{price:f}",
            newClientOrderId=order,
        )

    async def cancel(self, symbol: str, order: str) -> None:
        """Cancel an open order."""
        await self._signed("DELETE", "/fapi/v1/order", symbol=symbol, origClientOrderId=order)

    async def _signed(self, method: str, path: str, **params: str) -> Row:
        query = urlencode({**params, "timestamp": str(int(time.time() * 1000))})
        secret = self.account.api_secret.encode()
        signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": self.account.api_key}
        return await self._exchange.call(method, f"{path}?{query}&signature={signature}", headers=headers)
