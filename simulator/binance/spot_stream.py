"""The WebSocket API of spot, as far as user-data streams need it: signed subscriptions, and the engine's events on them.

One connection may hear several accounts; each subscription has a number, under which its events come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.auth import verify
from simulator.binance.entries import entry_of
from simulator.binance.errors import ApiError, missing
from simulator.binance.families import SPOT, venue_name
from simulator.binance.rest import DEFAULT_WINDOW_MS, MAX_WINDOW_MS, check_times
from simulator.binance.sockets import Hub
from simulator.binance.spot_events import account_position, execution_report, waiting_report
from simulator.binance.spot_market import mini_ticker
from simulator.binance.wire import Json
from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional
from simulator.engine.exchange import Exchange
from simulator.engine.order import Execution, Fill, Order, Origin
from simulator.engine.position import Position
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind, Rule
from simulator.sessions import PING_PERIOD_S, Outbox

UNKNOWN_METHOD = ApiError(-1020, "This operation is not supported.")


class Connection(Outbox):
    """One connection and its subscriptions by number."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[int, str] = {}
        self.given = 0


class SpotStreams:
    """All connections; listens to the engine. Events of an account that nobody hears are lost, as at the venue."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: FaultBook) -> None:
        self._state = exchange.state
        self._conditionals = exchange.conditionals
        self._hub = hub
        self._faults = faults
        self._hearing: dict[str, set[Connection]] = {}
        exchange.state.listeners.append(self)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        session = Connection()
        socket = web.WebSocketResponse(heartbeat=PING_PERIOD_S, autoping=False, max_msg_size=65536)
        await socket.prepare(request)
        pump = asyncio.create_task(session.pump(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not session.silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._answer(session, message.data)
        finally:
            pump.cancel()
            for number in list(session.accounts):
                self._leave(session, number)
        return socket

    def _answer(self, session: Connection, text: str) -> None:
        number: object = None
        try:
            message = orjson.loads(text)
            number, method = message.get("id"), message["method"]
            params = message.get("params") or {}
            if not isinstance(params, dict):
                raise TypeError
            reply = self._carry_out(session, method, params)
            session.put(orjson.dumps({"id": number, "status": 200, "result": reply, "rateLimits": []}))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._refuse(session, number, ApiError(-1125, "Invalid request."))
        except ApiError as error:
            self._refuse(session, number, error)

    @staticmethod
    def _refuse(session: Connection, number: object, error: ApiError) -> None:
        told = {"code": error.code, "msg": error.message}
        session.put(orjson.dumps({"id": number, "status": error.status, "error": told, "rateLimits": []}))

    def _carry_out(self, session: Connection, method: object, params: Mapping[str, object]) -> Json:
        """Return the result of a request; any stream fault for the event "subscribe" refuses a subscription."""
        if method == "time":
            return {"serverTime": self._state.now()}
        if method == "ping":
            return {}
        if method == "userDataStream.unsubscribe":
            wanted = params.get("subscriptionId")
            for number in [n for n in session.accounts if wanted in (None, n)]:
                self._terminate(session, number)
            return {}
        if method != "userDataStream.subscribe.signature":
            raise UNKNOWN_METHOD
        account = self._signed_by(params)
        if self._strike(account.account_id, "subscribe") is not None:
            raise ApiError(-1000, "An unknown error occurred while processing the request.", 500)
        if account.account_id in session.accounts.values():
            raise ApiError(-2035, "User Data Stream subscription already active.")
        number, session.given = session.given, session.given + 1
        session.accounts[number] = account.account_id
        self._hearing.setdefault(account.account_id, set()).add(session)
        return {"subscriptionId": number}

    def _signed_by(self, params: Mapping[str, object]) -> Account:
        """Return whose key and signature a request bears, its window checked."""
        for name in ("apiKey", "timestamp", "signature"):
            if not params.get(name):
                raise missing(name)
        account = self._state.by_key.get(str(params["apiKey"]))
        if account is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        window = int(str(params.get("recvWindow", DEFAULT_WINDOW_MS)))
        if not 0 < window <= MAX_WINDOW_MS:
            raise ApiError(-1131, "recvWindow must be less than 60000.")
        check_times(int(str(params["timestamp"])), window, self._state.now())
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
        if not verify(account.secret, text, str(params["signature"])):
            raise ApiError(-1022, "Signature for this request is not valid.")
        if not account.permissions.reading:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return account

    def _leave(self, session: Connection, number: int) -> None:
        found = self._hearing.get(session.accounts.pop(number), set())
        found.discard(session)

    def _terminate(self, session: Connection, number: int) -> None:
        event = {"e": "eventStreamTerminated", "E": self._state.now()}
        session.put(orjson.dumps({"subscriptionId": number, "event": event}))
        self._leave(session, number)

    def _strike(self, account_id: str, event: str) -> Rule | None:
        return self._faults.strike(STREAM_ENDPOINT, account_id, event) if self._faults.stream_rules else None

    def _to_user(self, account: Account, message: Json) -> None:
        rule = self._strike(account.account_id, str(message["e"]))
        kind, late_ms = (rule.kind, rule.ms) if rule is not None else (None, 0)
        for session in list(self._hearing.get(account.account_id, ())):
            (number,) = (n for n, owner in session.accounts.items() if owner == account.account_id)
            frame = orjson.dumps({"subscriptionId": number, "event": message})
            session.put_faulty(kind, frame, late_ms)
            if kind is Kind.EXPIRE:
                self._terminate(session, number)

    def _listens(self, account: Account, symbol: str) -> bool:
        return SPOT.has(symbol) and bool(self._hearing.get(account.account_id))

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send executionReport. That a conditional order became one is not told: its executions are."""
        if not self._listens(account, order.symbol):
            return
        if order.origin is Origin.CONDITIONAL and execution is Execution.NEW:
            return
        entry = entry_of(self._conditionals, account, order, keeps=True)
        instrument = self._state.instruments[order.symbol]
        self._to_user(account, execution_report(instrument, order, entry.number, execution, fill))
        if execution is not Execution.TRADE:
            self._wallets(account, order.symbol)

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send outboundAccountPosition, for trades here and for deposits."""
        if reason in {"SPOT_TRADE", "DEPOSIT"} and self._hearing.get(account.account_id):
            self._to_user(account, account_position(self._state, account, asset))

    def _wallets(self, account: Account, symbol: str) -> None:
        """Tell both wallets of a market: what an order locks has changed."""
        instrument = self._state.instruments[symbol]
        for asset in (instrument.base, instrument.quote):
            self._to_user(account, account_position(self._state, account, asset))

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send executionReport while it is no order in the book."""
        symbol = conditional.request.symbol
        if conditional.order is None and self._listens(account, symbol):
            self._to_user(account, waiting_report(self._state.instruments[symbol], conditional))
            self._wallets(account, symbol)

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Nothing: there is no leverage here."""

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send the tickers that show this market."""
        if self._hub.by_name and SPOT.has(symbol):
            state, instrument = self._state, self._state.instruments[symbol]
            self._hub.publish("!miniTicker@arr", lambda: [mini_ticker(state, instrument)])
            low = venue_name(symbol).lower()
            self._hub.publish(f"{low}@miniTicker", lambda: mini_ticker(state, instrument))

    def disconnect(self, account_id: str | None) -> int:
        """Close the connections that hear one account, or all; return how many."""
        found = {
            session
            for owner, sessions in self._hearing.items()
            for session in sessions
            if account_id in (None, owner)
        }
        for session in found:
            session.end()
        return len(found)
