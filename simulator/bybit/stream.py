"""The WebSocket door: a private socket that logs in, a public one, their topics, and the engine's events on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.auth import verify
from simulator.bybit.market import ticker_json
from simulator.bybit.wire import (
    CATEGORY,
    Json,
    closed,
    execution_json,
    id_text,
    money,
    order_json,
    plain,
    position_json,
    wallet_json,
)
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position
from simulator.engine.state import State
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind
from simulator.sessions import PING_PERIOD_S, Outbox

PRIVATE_PATH = "/v5/private"
PUBLIC_PATH = "/v5/public/linear"
PRIVATE_TOPICS = {"order", "execution", "position", "wallet"}
FUNDING_IDS = 1 << 66


class Session(Outbox):
    """One connection; `account` is whose events it may hear, None before its login."""

    def __init__(self, *, private: bool) -> None:
        super().__init__()
        self.private = private
        self.account: Account | None = None
        self.topics: set[str] = set()

    def topic(self, base: str) -> str | None:
        """Return the name under which this session asked for a private topic, None when it did not."""
        return next((name for name in (base, f"{base}.{CATEGORY}") if name in self.topics), None)


class BybitStreams:
    """All sessions; listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, state: State, faults: FaultBook) -> None:
        self._state = state
        self._faults = faults
        self._private: dict[str, set[Session]] = {}
        self._public: dict[str, set[Session]] = {}
        self._sent = 0
        state.listeners.append(self)

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
                    session.put(orjson.dumps(self._hear(session, message.data)))
                    self._snapshots(session)
        finally:
            pump.cancel()
            self._forget(session)
        return socket

    def _hear(self, session: Session, text: str) -> Json:
        try:
            message = orjson.loads(text)
            op, args = str(message["op"]), list(message.get("args") or [])
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._said("", ok=False, why="Params Error")
        number = str(message.get("req_id", ""))
        if op == "ping":
            if session.private:
                return {"req_id": number, "op": "pong", "args": [str(self._state.now())], "conn_id": "sim"}
            return self._said(op, why="pong", number=number)
        if op == "auth":
            return self._login(session, args, number)
        topics = [str(name) for name in args]
        if op == "subscribe":
            why = self._subscribe(session, topics)
            return self._said(op, ok=not why, why=why, number=number)
        if op == "unsubscribe":
            self._unsubscribe(session, topics)
            return self._said(op, number=number)
        return self._said(op, ok=False, why="Request not supported", number=number)

    def _said(self, op: str, *, ok: bool = True, why: str = "", number: str = "") -> Json:
        return {"success": ok, "ret_msg": why, "conn_id": "sim", "req_id": number, "op": op}

    def _login(self, session: Session, args: list[object], number: str) -> Json:
        key, expires, proof = (str(arg) for arg in args) if len(args) == 3 else ("", "", "")
        account = self._state.by_key.get(key)
        valid = account is not None and expires.isdecimal() and int(expires) > self._state.now()
        struck = account is not None and self._kind(account, "auth") is Kind.DROP
        if account is None or not valid or struck or not session.private:
            return self._said("auth", ok=False, why="Request not authorized", number=number)
        if not verify(account.secret, f"GET/realtime{expires}", proof):
            return self._said("auth", ok=False, why="Invalid signature", number=number)
        session.account = account
        return self._said("auth", number=number)

    def _subscribe(self, session: Session, topics: list[str]) -> str:
        """Add topics, all or none; return why not."""
        for name in topics:
            base, _, rest = name.partition(".")
            if session.private and session.account is None:
                return "Request not authorized"
            known = (
                base in PRIVATE_TOPICS and rest in {"", CATEGORY}
                if session.private
                else base == "tickers" and rest in self._state.instruments
            )
            if not known:
                return f"Invalid topic: {name}"
        session.topics.update(topics)
        if session.account is not None:
            self._private.setdefault(session.account.account_id, set()).add(session)
        return ""

    def _snapshots(self, session: Session) -> None:
        """Send the whole ticker once for each public topic that is new to the session."""
        for name in sorted(session.topics) if not session.private else ():
            hearing = self._public.setdefault(name, set())
            if session not in hearing:
                hearing.add(session)
                instrument = self._state.instruments[name.partition(".")[2]]
                session.put(self._ticker(name, "snapshot", ticker_json(self._state, instrument)))

    def _ticker(self, topic: str, kind: str, data: Json) -> bytes:
        seq = self._state.ledger.last_seq
        return orjson.dumps({"topic": topic, "type": kind, "data": data, "cs": seq, "ts": self._state.now()})

    def _unsubscribe(self, session: Session, topics: list[str]) -> None:
        for name in topics:
            session.topics.discard(name)
            self._public.get(name, set()).discard(session)

    def _forget(self, session: Session) -> None:
        self._unsubscribe(session, list(session.topics))
        if session.account is not None:
            self._private.get(session.account.account_id, set()).discard(session)

    def _kind(self, account: Account, event: str) -> Kind | None:
        if not self._faults.stream_rules:
            return None
        rule = self._faults.strike(STREAM_ENDPOINT, account.account_id, event)
        if rule is None:
            return None
        # There is no listen key to expire here: what would end one ends the connection.
        return Kind.DISCONNECT if rule.kind is Kind.EXPIRE else rule.kind

    def _tell(self, account: Account, base: str, build: Callable[[], list[Json]]) -> None:
        sessions = self._private.get(account.account_id)
        if not sessions:
            return
        kind, rows = self._kind(account, base), build()
        self._sent += 1
        for session in list(sessions):
            topic = session.topic(base)
            if topic is not None:
                message = {
                    "id": f"sim-{self._sent}",
                    "topic": topic,
                    "creationTime": self._state.now(),
                    "data": rows,
                }
                session.put_faulty(kind, orjson.dumps(message))

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send the execution, if there is one, then the order."""
        if fill is not None:
            self._tell(account, "execution", lambda: [_execution(account, order, fill)])
        instrument = self._state.instruments[order.symbol]
        self._tell(account, "order", lambda: [order_json(instrument, order)])

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position]
    ) -> None:
        """Send changed positions, then the wallet; funding comes as an execution first."""
        state = self._state
        if reason == "FUNDING_FEE":
            self._tell(account, "execution", lambda: [self._funding(account, amount)])
        if positions:
            self._tell(account, "position", lambda: [position_json(state, account, p) for p in positions])
        self._tell(account, "wallet", lambda: [wallet_json(state, account)])

    def _funding(self, account: Account, amount: Decimal) -> Json:
        change = account.changes[-1]
        return {
            "category": CATEGORY,
            "symbol": change.symbol,
            "orderId": id_text(FUNDING_IDS + change.seq),
            "orderLinkId": "",
            "side": "Buy" if amount < 0 else "Sell",
            "execType": "Funding",
            "execId": id_text(FUNDING_IDS + change.seq),
            "execFee": money(-amount),
            "execPrice": plain(self._state.mark(change.symbol)),
            "execQty": "0",
            "execTime": str(change.time_ms),
            "feeCurrency": "USDT",
            "orderQty": "0",
            "leavesQty": "0",
            "closedSize": "0",
            "execPnl": "0",
        }

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Conditional orders are not part of this dialect."""

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send the positions of the symbol, which hold its leverage."""
        state = self._state
        held = [p for p in account.positions.values() if p.symbol == symbol]
        if held:
            self._tell(account, "position", lambda: [position_json(state, account, p) for p in held])

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send what changed of the symbol's ticker."""
        topic = f"tickers.{symbol}"
        if hearing := self._public.get(topic):
            price = plain(mark)
            frame = self._ticker(
                topic,
                "delta",
                {"symbol": symbol, "lastPrice": price, "markPrice": price, "indexPrice": price},
            )
            for session in hearing:
                session.put(frame)

    def disconnect(self, account_id: str | None) -> int:
        """Close the private sessions of one account, or of all; return how many."""
        chosen = self._private.values() if account_id is None else [self._private.get(account_id, set())]
        found = [session for sessions in chosen for session in sessions]
        for session in found:
            session.end()
        return len(found)


def _execution(account: Account, order: Order, fill: Fill) -> Json:
    change = fill.quantity * fill.side.sign
    before = account.held(fill.symbol, fill.position_side) - change
    size = closed(before, change)
    row = execution_json(order, fill, leaves=order.remaining, closed_size=size)
    return {**row, "execPnl": money(fill.realised_pnl)}
