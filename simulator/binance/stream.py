"""The WebSocket door: sessions, their subscriptions, and the engine's events on their way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.binance import events
from simulator.binance.listen_keys import ListenKey, ListenKeys
from simulator.binance.wire import Json
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position
from simulator.engine.state import State
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind
from simulator.sessions import PING_PERIOD_S, Outbox


class Session(Outbox):
    """One connection and the streams that it hears."""

    def __init__(self, *, combined: bool) -> None:
        super().__init__()
        self.combined = combined
        self.names: set[str] = set()

    def frame(self, name: str, message: Json) -> bytes:
        """Return the text frame, wrapped when the session asked for combined streams."""
        return orjson.dumps({"stream": name, "data": message} if self.combined else message)

    def send(self, name: str, message: Json) -> None:
        """Queue one message of the stream `name`."""
        self.put(self.frame(name, message))


class Streams:
    """All sessions; listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, state: State, listen_keys: ListenKeys, faults: FaultBook) -> None:
        self._state = state
        self._listen_keys = listen_keys
        self._faults = faults
        self._by_name: dict[str, set[Session]] = {}
        self._users: dict[str, str] = {}
        listen_keys.on_end = self._end_key
        state.listeners.append(self)

    @property
    def sessions(self) -> int:
        """Return how many subscriptions are live."""
        return sum(len(found) for found in self._by_name.values())

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        path = request.path
        if path.startswith("/stream"):
            session, names = Session(combined=True), request.query.get("streams", "").split("/")
        elif path.startswith("/ws"):
            session, names = Session(combined=False), path[3:].strip("/").split("/")
        else:
            return web.Response(status=404, text="no such stream")
        socket = web.WebSocketResponse(heartbeat=PING_PERIOD_S, autoping=False, max_msg_size=65536)
        await socket.prepare(request)
        self.subscribe(session, [name for name in names if name])
        pump = asyncio.create_task(session.pump(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not session.silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    session.outgoing.put_nowait(self._control(session, message.data))
        finally:
            pump.cancel()
            self.unsubscribe(session, list(session.names))
        return socket

    def _control(self, session: Session, text: str) -> bytes:
        try:
            message = orjson.loads(text)
            method, number = message["method"], message.get("id")
            names = [str(name) for name in message.get("params") or []]
        except (ValueError, KeyError, TypeError, AttributeError):
            return b'{"code":2,"msg":"Invalid request: it must hold method, params and id"}'
        if method == "SUBSCRIBE":
            self.subscribe(session, names)
        elif method == "UNSUBSCRIBE":
            self.unsubscribe(session, names)
        elif method == "LIST_SUBSCRIPTIONS":
            return orjson.dumps({"result": sorted(session.names), "id": number})
        else:
            return orjson.dumps({"code": 2, "msg": f"Invalid request: unknown method {method}", "id": number})
        return orjson.dumps({"result": None, "id": number})

    def subscribe(self, session: Session, names: Sequence[str]) -> None:
        """Add streams; a name that is a valid listen key joins its account's user-data stream."""
        for raw in names:
            name = raw.removesuffix("@1s")
            session.names.add(name)
            self._by_name.setdefault(name, set()).add(session)
            key = self._listen_keys.find(name)
            if key is not None:
                self._users[key.account_id] = name

    def unsubscribe(self, session: Session, names: Sequence[str]) -> None:
        """Remove streams."""
        for raw in names:
            name = raw.removesuffix("@1s")
            session.names.discard(name)
            found = self._by_name.get(name)
            if found is not None:
                found.discard(session)
                if not found:
                    del self._by_name[name]

    def _listening(self, account: Account) -> str | None:
        name = self._users.get(account.account_id)
        return name if name is not None and name in self._by_name else None

    def _to_user(self, account: Account, name: str, message: Json) -> None:
        kind = None
        if self._faults.stream_rules:
            rule = self._faults.strike(STREAM_ENDPOINT, account.account_id, str(message["e"]))
            kind = rule.kind if rule is not None else None
        for session in list(self._by_name.get(name, ())):
            session.put_faulty(kind, session.frame(name, message))
        if kind is Kind.EXPIRE:
            self._listen_keys.close(account.account_id)

    def _end_key(self, key: ListenKey) -> None:
        self._users.pop(key.account_id, None)
        for session in list(self._by_name.get(key.value, ())):
            session.send(key.value, events.listen_key_expired(self._state.now(), key.value))
            self.unsubscribe(session, [key.value])

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send ORDER_TRADE_UPDATE."""
        name = self._listening(account)
        if name is not None:
            instrument = self._state.instruments[order.symbol]
            self._to_user(account, name, events.order_trade_update(instrument, order, execution, fill))

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position]
    ) -> None:
        """Send ACCOUNT_UPDATE."""
        name = self._listening(account)
        if name is not None:
            self._to_user(
                account, name, events.account_update(self._state, account, reason, amount, positions)
            )

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send ALGO_UPDATE."""
        name = self._listening(account)
        if name is not None:
            instrument = self._state.instruments[conditional.request.symbol]
            self._to_user(account, name, events.algo_update(instrument, conditional))

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send ACCOUNT_CONFIG_UPDATE."""
        name = self._listening(account)
        if name is not None:
            self._to_user(account, name, events.account_config_update(self._state.now(), symbol, leverage))

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send the market streams that show this symbol."""
        if not self._by_name:
            return
        instrument, low = self._state.instruments[symbol], symbol.lower()
        for name, build in (
            (f"{low}@markPrice", events.mark_price_update),
            (f"{low}@bookTicker", events.book_ticker_update),
        ):
            if name in self._by_name:
                message = build(self._state, instrument)
                for session in self._by_name[name]:
                    session.send(name, message)
        everyone = self._by_name.get("!markPrice@arr")
        if everyone:
            frame = orjson.dumps([events.mark_price_update(self._state, instrument)])
            wrapped = orjson.dumps({"stream": "!markPrice@arr", "data": orjson.Fragment(frame)})
            for session in everyone:
                session.outgoing.put_nowait(wrapped if session.combined else frame)

    def disconnect(self, account_id: str | None) -> int:
        """Close the user-data sessions of one account, or of all; return how many."""
        names = list(self._users.values()) if account_id is None else [self._users.get(account_id, "")]
        found = [session for name in names for session in self._by_name.get(name, ())]
        for session in found:
            session.end()
        return len(found)
