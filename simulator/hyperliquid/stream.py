"""The WebSocket door: subscriptions by address or coin, and the engine's events on their way.

Nobody logs in. From one peer address ten users may be heard. Who subscribes to userFills first hears the past, marked as a
snapshot.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.exchange import Exchange
from simulator.engine.order import Execution, Fill, Order, Origin
from simulator.engine.position import Position
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind
from simulator.hyperliquid import orders, wire
from simulator.hyperliquid.addresses import ADDRESS, Addresses
from simulator.hyperliquid.limits import Heard
from simulator.hyperliquid.snapshots import Snapshots
from simulator.hyperliquid.wire import Json, coin_of, dec
from simulator.sessions import PING_PERIOD_S, Outbox

PATH = "/ws"
USER_TOPICS = frozenset({"orderUpdates", "userFills", "userEvents", "openOrders", "clearinghouseState"})
COIN_TOPICS = frozenset({"activeAssetCtx"})
CHANNELS = {"userEvents": "user"}
Topic = tuple[str, str]


class Session(Outbox):
    """One connection and its topics: each a kind and an address or coin."""

    def __init__(self, peer: str) -> None:
        super().__init__()
        self.peer = peer
        self.topics: set[Topic] = set()

    @property
    def users(self) -> Counter[str]:
        """Return how many topics of each user it hears."""
        return Counter(key for kind, key in self.topics if kind in USER_TOPICS)


class HyperliquidStreams:
    """All sessions; listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, exchange: Exchange, addresses: Addresses, faults: FaultBook) -> None:
        self._exchange = exchange
        self._state = exchange.state
        self._addresses = addresses
        self._faults = faults
        self._snapshots = Snapshots(exchange)
        self._heard = Heard()
        self._hearing: dict[Topic, set[Session]] = {}
        exchange.state.listeners.append(self)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        session = Session(request.remote or "")
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
        try:
            message = orjson.loads(text)
            method = message["method"]
            wanted = message.get("subscription") if method != "ping" else {}
            kind, key = str(wanted.get("type", "")), str(wanted.get("user") or wanted.get("coin") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._error(session, f"Error parsing JSON into valid websocket request: {text[:200]}")
        if method == "ping":
            return session.put(orjson.dumps({"channel": "pong"}))
        topic = (kind, key.lower() if kind in USER_TOPICS else key)
        if method == "subscribe":
            return self._subscribe(session, topic, wanted)
        if method == "unsubscribe":
            self._drop(session, topic)
            return self._said(session, method, wanted)
        return self._error(session, f"Method {method} is not simulated.")

    def _error(self, session: Session, text: str) -> None:
        session.put(orjson.dumps({"channel": "error", "data": text}))

    def _said(self, session: Session, method: str, wanted: Json) -> None:
        data = {"method": method, "subscription": wanted}
        session.put(orjson.dumps({"channel": "subscriptionResponse", "data": data}))

    def _subscribe(self, session: Session, topic: Topic, wanted: Json) -> None:
        kind, key = topic
        known = ADDRESS.fullmatch(key) if kind in USER_TOPICS else kind in COIN_TOPICS
        if not known:
            return self._error(session, f"Invalid subscription {orjson.dumps(wanted).decode()}")
        if topic in session.topics:
            return self._error(session, f"Already subscribed: {orjson.dumps(wanted).decode()}")
        account = self._addresses.user(key) if kind in USER_TOPICS else None
        if account is not None and self._strike(account, "subscribe")[0] is Kind.DROP:
            return self._error(session, "The subscription is refused.")
        why = self._heard.add(session.peer, key if kind in USER_TOPICS else "")
        if why:
            return self._error(session, why)
        session.topics.add(topic)
        self._hearing.setdefault(topic, set()).add(session)
        self._said(session, "subscribe", wanted)
        first = self._first(kind, key, account)
        if first is not None:
            session.put(_message(kind, first))
        return None

    def _first(self, kind: str, key: str, account: Account | None) -> object:
        """Return what a topic begins with."""
        if kind == "activeAssetCtx":
            found = next((i for i in wire.universe(self._state) if coin_of(i) == key), None)
            return None if found is None else {"coin": key, "ctx": wire.context_json(self._state, found)}
        if kind == "userFills":
            fills = [] if account is None else self._snapshots.fills(account)
            return {"isSnapshot": True, "user": key, "fills": fills}
        if kind == "openOrders" and account is not None:
            return self._snapshots.open_orders(account, key)
        if kind == "clearinghouseState" and account is not None:
            return self._snapshots.state(account, key)
        return None

    def _drop(self, session: Session, topic: Topic) -> None:
        if topic in session.topics:
            session.topics.discard(topic)
            self._hearing.get(topic, set()).discard(session)
            users = {topic[1]: 1} if topic[0] in USER_TOPICS else {}
            self._heard.drop(session.peer, users, 1)

    def _forget(self, session: Session) -> None:
        self._heard.drop(session.peer, session.users, len(session.topics))
        for topic in session.topics:
            self._hearing.get(topic, set()).discard(session)
        session.topics.clear()

    def _strike(self, account: Account, event: str) -> tuple[Kind | None, int]:
        """Return what goes wrong with an event, and how late it comes in ms."""
        if not self._faults.stream_rules:
            return None, 0
        rule = self._faults.strike(STREAM_ENDPOINT, account.account_id, event)
        if rule is None:
            return None, 0
        # There is no listen key to expire here: what would end one ends the connection.
        return Kind.DISCONNECT if rule.kind is Kind.EXPIRE else rule.kind, rule.ms

    def _tell(self, account: Account, kind: str, build: Callable[[str], object]) -> None:
        user = self._addresses.address(account)
        sessions = self._hearing.get((kind, user))
        if not sessions:
            return
        struck, late_ms = self._strike(account, kind)
        frame = _message(kind, build(user))
        for session in list(sessions):
            session.put_faulty(struck, frame, late_ms)

    def _ours(self, symbol: str) -> bool:
        return any(instrument.symbol == symbol for instrument in wire.universe(self._state))

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send the execution, if there is one, then the order and all that rests."""
        if not self._ours(order.symbol):
            return
        found = orders.of_order(self._exchange, account, order)
        if fill is not None:
            row = self._snapshots.fill(account, order, fill)
            self._tell(account, "userFills", lambda user: {"user": user, "fills": [row]})
            self._tell(account, "userEvents", lambda user: {"fills": [row]})
        fired = order.origin is Origin.CONDITIONAL and execution is Execution.NEW
        word = "triggered" if fired else found.word
        self._tell(account, "orderUpdates", lambda user: [orders.update_json(self._exchange, found, word)])
        self._tell(account, "openOrders", lambda user: self._snapshots.open_orders(account, user))

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send positions and margin; funding is an event besides."""
        if asset != USDT:
            return
        if reason == "FUNDING_FEE" and self._ours(account.changes[-1].symbol):
            change = account.changes[-1]
            coin = coin_of(self._state.instruments[change.symbol])
            paid = {
                "time": change.time_ms,
                "coin": coin,
                "usdc": dec(amount),
                "szi": "0.0",
                "fundingRate": "0.0",
            }
            self._tell(account, "userEvents", lambda user: {"funding": {**paid, "nSamples": None}})
        self._tell(account, "clearinghouseState", lambda user: self._snapshots.state(account, user))

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send a trigger that waits or was cancelled; what it becomes is told as an order."""
        fired = conditional.status in (ConditionalStatus.TRIGGERED, ConditionalStatus.FINISHED)
        if fired or not self._ours(conditional.request.symbol):
            return
        found = orders.Shown(conditional, None)
        row = orders.update_json(self._exchange, found, found.word)
        self._tell(account, "orderUpdates", lambda user: [row])
        self._tell(account, "openOrders", lambda user: self._snapshots.open_orders(account, user))

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send positions and margin."""
        self._tell(account, "clearinghouseState", lambda user: self._snapshots.state(account, user))

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send a market's prices to who hears it."""
        instrument = self._state.instruments[symbol]
        sessions = self._hearing.get(("activeAssetCtx", coin_of(instrument)))
        if sessions and self._ours(symbol):
            data = {"coin": coin_of(instrument), "ctx": wire.context_json(self._state, instrument)}
            frame = _message("activeAssetCtx", data)
            for session in sessions:
                session.put(frame)

    def disconnect(self, account_id: str | None) -> int:
        """Close the connections that hear one account, or any; return how many."""
        account = self._state.accounts.get(account_id) if account_id is not None else None
        user = self._addresses.address(account) if account is not None else None
        found = {
            session
            for (kind, key), sessions in self._hearing.items()
            if kind in USER_TOPICS and (account_id is None or key == user)
            for session in sessions
        }
        for session in found:
            session.end()
        return len(found)


def _message(kind: str, data: object) -> bytes:
    return orjson.dumps({"channel": CHANNELS.get(kind, kind), "data": data})
