"""The WebSocket door: private and public sockets, and the engine's events on their way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.bybit.categories import engine_symbol, venue_name, word_of
from simulator.bybit.entries import became
from simulator.bybit.executions import streamed
from simulator.bybit.holding_rows import position_json, wallet_json
from simulator.bybit.market import ticker_change, ticker_json
from simulator.bybit.order_rows import conditional_json, order_json
from simulator.bybit.sockets import PRIVATE_PATH, PUBLIC_PATHS, Hearing, Session
from simulator.bybit.wire import Json, id_text, money, plain
from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.exchange import Exchange
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position
from simulator.faults import STREAM_ENDPOINT, FaultBook
from simulator.faults import Kind as FaultKind
from simulator.sessions import PING_PERIOD_S

FUNDING_IDS = 1 << 66
WAITING_ENDS = {ConditionalStatus.CANCELED, ConditionalStatus.EXPIRED, ConditionalStatus.REJECTED}


class BybitStreams:
    """All sessions; listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, exchange: Exchange, faults: FaultBook) -> None:
        self._state = exchange.state
        self._conditionals = exchange.conditionals
        self._faults = faults
        self._private: dict[str, set[Session]] = {}
        self._public: dict[str, set[Session]] = {}
        self._hearing = Hearing(self._state, self._keeps_out, self._join)
        self._sent = 0
        self._state.listeners.append(self)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        if request.path != PRIVATE_PATH and request.path not in PUBLIC_PATHS:
            return web.Response(status=404, text="no such stream")
        session = Session(PUBLIC_PATHS.get(request.path))
        socket = web.WebSocketResponse(heartbeat=PING_PERIOD_S, autoping=False, max_msg_size=65536)
        await socket.prepare(request)
        pump = asyncio.create_task(session.pump(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not session.silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    session.put(orjson.dumps(self._hearing.answer(session, message.data)))
                    self._arrange(session)
        finally:
            pump.cancel()
            session.topics.clear()
            self._arrange(session)
            if session.account is not None:
                self._private.get(session.account.account_id, set()).discard(session)
        return socket

    def _join(self, session: Session, account: Account) -> None:
        self._private.setdefault(account.account_id, set()).add(session)

    def _arrange(self, session: Session) -> None:
        """Let a public session hear its topics and no others; each new one begins with the whole ticker."""
        if session.kind is None:
            return
        wanted = {engine_symbol(session.kind, name.partition(".")[2]): name for name in session.topics}
        for symbol, hearing in self._public.items():
            if symbol not in wanted:
                hearing.discard(session)
        for symbol, name in sorted(wanted.items()):
            hearing = self._public.setdefault(symbol, set())
            if session not in hearing:
                hearing.add(session)
                whole = ticker_json(self._state, self._state.instruments[symbol])
                session.put(self._ticker(name, "snapshot", whole))

    def _ticker(self, topic: str, kind: str, data: Json) -> bytes:
        seq = self._state.ledger.last_seq
        return orjson.dumps({"topic": topic, "type": kind, "data": data, "cs": seq, "ts": self._state.now()})

    def _strike(self, account: Account, event: str) -> tuple[FaultKind | None, int]:
        """Return what goes wrong with an event, and the ms that belong to it."""
        rule = (
            self._faults.strike(STREAM_ENDPOINT, account.account_id, event)
            if self._faults.stream_rules
            else None
        )
        if rule is None:
            return None, 0
        # There is no listen key to expire here: what would end one ends the connection.
        return FaultKind.DISCONNECT if rule.kind is FaultKind.EXPIRE else rule.kind, rule.ms

    def _keeps_out(self, account: Account) -> bool:
        return self._strike(account, "auth")[0] is FaultKind.DROP

    def _tell(self, account: Account, base: str, category: str, build: Callable[[], list[Json]]) -> None:
        sessions = self._private.get(account.account_id)
        if not sessions:
            return
        (kind, ms), rows = self._strike(account, base), build()
        self._sent += 1
        for session in list(sessions):
            topic = session.topic(base, category)
            if topic is not None:
                message = {
                    "id": f"sim-{self._sent}",
                    "topic": topic,
                    "creationTime": self._state.now(),
                    "data": rows,
                }
                session.put_faulty(kind, orjson.dumps(message), ms)

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send the execution, if there is one, then the order; one that was triggered says so first."""
        state, desk, word = self._state, self._conditionals, word_of(order.symbol)
        conditional = became(desk, account, order)
        if fill is not None:
            self._tell(account, "execution", word, lambda: [streamed(state, desk, account, order, fill)])
        elif conditional is not None and execution is Execution.NEW:
            self._tell(account, "order", word, lambda: [conditional_json(conditional, "Triggered")])
        instrument = state.instruments[order.symbol]
        self._tell(account, "order", word, lambda: [order_json(instrument, order, conditional)])

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send changed positions, then the wallet of the asset; funding comes as an execution first."""
        state = self._state
        if reason == "FUNDING_FEE":
            paid = account.changes[-1].symbol
            self._tell(account, "execution", word_of(paid), lambda: [self._funding(account, amount)])
        if positions:
            word = word_of(positions[0].symbol)
            self._tell(
                account, "position", word, lambda: [position_json(state, account, p) for p in positions]
            )
        self._tell(account, "wallet", "", lambda: [wallet_json(state, account, (asset,))])

    def _funding(self, account: Account, amount: Decimal) -> Json:
        change = account.changes[-1]
        return {
            "category": word_of(change.symbol),
            "symbol": venue_name(change.symbol),
            "orderId": id_text(FUNDING_IDS + change.seq),
            "orderLinkId": "",
            "side": "Buy" if amount < 0 else "Sell",
            "execType": "Funding",
            "execId": id_text(FUNDING_IDS + change.seq),
            "execFee": money(-amount),
            "execPrice": plain(self._state.mark(change.symbol)),
            "execQty": "0",
            "execTime": str(change.time_ms),
            "feeCurrency": change.asset,
            "orderQty": "0",
            "leavesQty": "0",
            "closedSize": "0",
            "execPnl": "0",
        }

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send one that waits or ended waiting; from its trigger on its order speaks for it."""
        if conditional.status is ConditionalStatus.NEW or conditional.status in WAITING_ENDS:
            word = word_of(conditional.request.symbol)
            self._tell(account, "order", word, lambda: [conditional_json(conditional)])

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send the positions of the symbol, which hold its leverage."""
        state = self._state
        held = [p for p in account.positions.values() if p.symbol == symbol]
        if held:
            self._tell(
                account, "position", word_of(symbol), lambda: [position_json(state, account, p) for p in held]
            )

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send what changed of the symbol's ticker; spot sends it whole each time."""
        hearing = self._public.get(symbol)
        if not hearing:
            return
        instrument: Instrument = self._state.instruments[symbol]
        spot = instrument.kind is Kind.SPOT
        data = ticker_json(self._state, instrument) if spot else ticker_change(instrument, plain(mark))
        frame = self._ticker(f"tickers.{venue_name(symbol)}", "snapshot" if spot else "delta", data)
        for session in hearing:
            session.put(frame)

    def disconnect(self, account_id: str | None) -> int:
        """Close the private sessions of one account, or of all; return how many."""
        chosen = self._private.values() if account_id is None else [self._private.get(account_id, set())]
        found = [session for sessions in chosen for session in sessions]
        for session in found:
            session.end()
        return len(found)
