"""The WebSocket door: a private socket that logs in, a public one, their channels, and what is said on them."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import WSMsgType, web

from simulator.bitget.auth import PASSPHRASE, proves
from simulator.bitget.market import ticker_row
from simulator.bitget.wire import KINDS, Json, engine_symbol
from simulator.engine.account import Account
from simulator.engine.instrument import Kind as Market
from simulator.engine.state import State
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind
from simulator.sessions import PING_PERIOD_S, Outbox

PRIVATE_PATH = "/v2/ws/private"
PUBLIC_PATH = "/v2/ws/public"
PRIVATE_CHANNELS = {
    Market.LINEAR: {"orders", "fill", "positions", "account", "orders-algo"},
    Market.SPOT: {"orders", "fill", "account", "orders-algo"},
}
LOGIN_WINDOW_S = 30
Channel = tuple[Market, str, str]


class Session(Outbox):
    """One connection; `account` is whose events it may hear, None before its login; `channels` are (line, name, what)."""

    def __init__(self, *, private: bool) -> None:
        super().__init__()
        self.private = private
        self.account: Account | None = None
        self.channels: dict[Channel, Json] = {}


class Sessions:
    """All connections of the dialect, by whose events or which market they hear."""

    def __init__(self, state: State, faults: FaultBook) -> None:
        self.state = state
        self.faults = faults
        self.private: dict[str, set[Session]] = {}
        self.public: dict[str, dict[Session, Json]] = {}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        if request.path not in {PRIVATE_PATH, PUBLIC_PATH}:
            return web.Response(status=404, text="no such stream")
        session = Session(private=request.path == PRIVATE_PATH)
        socket = web.WebSocketResponse(heartbeat=PING_PERIOD_S, autoping=False, max_msg_size=65536)
        await socket.prepare(request)
        pump = asyncio.create_task(session.pump(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not session.silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._hear(session, message.data)
        finally:
            pump.cancel()
            self._forget(session)
        return socket

    def _hear(self, session: Session, text: str) -> None:
        if text == "ping":
            session.put(b"pong")
            return
        try:
            message = orjson.loads(text)
            op = str(message["op"])
            args = [dict(row) for row in message["args"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            self._refuse(session, "30002", "Illegal request")
            return
        if op == "login":
            self._login(session, args)
        elif op in {"subscribe", "unsubscribe"}:
            for row in args:
                self._subscribe(session, row, op)
        else:
            self._refuse(session, "30003", "Invalid op")

    @staticmethod
    def _refuse(session: Session, code: str, why: str, arg: Json | None = None) -> None:
        session.put(orjson.dumps({"event": "error", "arg": arg, "code": int(code), "msg": why}))

    def _login(self, session: Session, args: list[Json]) -> None:
        row = args[0] if args else {}
        key, stamp, proof, phrase = (
            str(row.get(name, "")) for name in ("apiKey", "timestamp", "sign", "passphrase")
        )
        account = self.state.by_key.get(key)
        if account is None or not session.private:
            self._refuse(session, "30011", "Invalid ACCESS_KEY")
        elif self.strike(account, "login")[0] is Kind.DROP:
            self._refuse(session, "30005", "Login failed")
        elif phrase != PASSPHRASE:
            self._refuse(session, "30012", "Invalid ACCESS_PASSPHRASE")
        elif not stamp.isdecimal() or abs(int(stamp[:12]) - self.state.now() // 1000) > LOGIN_WINDOW_S:
            self._refuse(session, "30014", "Request timestamp expired")
        elif not proves(account.secret, f"{stamp}GET/user/verify", proof):
            self._refuse(session, "30015", "Invalid sign")
        else:
            session.account = account
            session.put(orjson.dumps({"event": "login", "code": 0, "msg": ""}))

    def _subscribe(self, session: Session, arg: Json, op: str) -> None:
        line, name = KINDS.get(str(arg.get("instType", "")).lower()), str(arg.get("channel", ""))
        what = str(arg.get("instId") or arg.get("coin") or "default")
        if session.private and session.account is None:
            self._refuse(session, "30004", "User not logged in / User must be connected", arg)
            return
        known = line is not None and (
            name in PRIVATE_CHANNELS[line]
            if session.private
            else name == "ticker" and engine_symbol(line, what) in self.state.instruments
        )
        if line is None or not known:
            self._refuse(
                session, "30001", f"instType:{arg.get('instType')},channel:{name} doesn't exist", arg
            )
            return
        session.put(orjson.dumps({"event": op, "arg": arg}))
        channel = (line, name, what)
        if op == "unsubscribe":
            session.channels.pop(channel, None)
            if not session.private:
                self.public.get(engine_symbol(line, what), {}).pop(session, None)
            return
        session.channels[channel] = arg
        if session.account is not None:
            self.private.setdefault(session.account.account_id, set()).add(session)
        else:
            symbol = engine_symbol(line, what)
            self.public.setdefault(symbol, {})[session] = arg
            session.put(self.ticker(symbol, arg))

    def ticker(self, symbol: str, arg: Json) -> bytes:
        """Return one ticker message."""
        row = ticker_row(self.state, self.state.instruments[symbol])
        row["instId"] = row["symbol"]
        return self.message(arg, [row])

    def message(self, arg: Json, rows: list[Json]) -> bytes:
        """Return one data message."""
        return orjson.dumps({"action": "snapshot", "arg": arg, "data": rows, "ts": self.state.now()})

    def _forget(self, session: Session) -> None:
        for line, _, what in session.channels:
            if not session.private:
                self.public.get(engine_symbol(line, what), {}).pop(session, None)
        if session.account is not None:
            self.private.get(session.account.account_id, set()).discard(session)

    def strike(self, account: Account, event: str) -> tuple[Kind | None, int]:
        """Return what goes wrong with an event, and how late it comes in ms."""
        rule = (
            self.faults.strike(STREAM_ENDPOINT, account.account_id, event)
            if self.faults.stream_rules
            else None
        )
        if rule is None:
            return None, 0
        # There is no listen key to expire here: what would end one ends the connection.
        return Kind.DISCONNECT if rule.kind is Kind.EXPIRE else rule.kind, rule.ms

    def disconnect(self, account_id: str | None) -> int:
        """Close the private sessions of one account, or of all; return how many."""
        chosen = self.private.values() if account_id is None else [self.private.get(account_id, set())]
        found = [session for sessions in chosen for session in sessions]
        for session in found:
            session.end()
        return len(found)
