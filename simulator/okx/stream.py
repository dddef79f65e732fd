"""The WebSocket door: three sockets, their logins and subscriptions, and the engine's events on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import orjson
from aiohttp import WSMsgType, web

from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional
from simulator.engine.instrument import Instrument
from simulator.engine.instrument import Kind as MarketKind
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position
from simulator.engine.state import State
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind
from simulator.okx.channels import CHANNELS, PUBLIC, Refused, checked, concerns, login
from simulator.okx.holdings import balance_json
from simulator.okx.market import mark_json, ticker_json
from simulator.okx.names import inst_id, inst_type, instrument_of, plain
from simulator.okx.wire import Json, algo_json, detail_json, position_json, streamed_order_json
from simulator.sessions import PING_PERIOD_S, Outbox

EVENT_TYPES = {
    "ORDER": "filled",
    "SPOT_TRADE": "filled",
    "DEPOSIT": "transferred",
    "FUNDING_FEE": "funding_fee",
    "INSURANCE_CLEAR": "claw_back",
}
Argument = Mapping[str, object]


class Session(Outbox):
    """One connection; `account` is whose events it may hear, None before its login; `wanted` its subscriptions."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.account: Account | None = None
        self.wanted: list[Argument] = []


class OkxStreams:
    """All sessions; listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, state: State, faults: FaultBook) -> None:
        self._state = state
        self._faults = faults
        self._private: dict[str, set[Session]] = {}
        self._public: set[Session] = set()
        state.listeners.append(self)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        if request.path not in CHANNELS:
            return web.Response(status=404, text="no such stream")
        session = Session(request.path)
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
            self._public.discard(session)
            if session.account is not None:
                self._private.get(session.account.account_id, set()).discard(session)
        return socket

    def _hear(self, session: Session, text: str) -> None:
        if text == "ping":
            session.put(b"pong")
            return
        try:
            message = orjson.loads(text)
            op, arguments = str(message["op"]), [dict(argument) for argument in message["args"]]
        except (ValueError, KeyError, TypeError):
            session.put(_said("error", code="60012", msg="Invalid request"))
            return
        try:
            for argument in arguments:
                self._do(session, op, argument)
        except Refused as refused:
            session.put(_said("error", code=str(refused.code), msg=refused.message))

    def _do(self, session: Session, op: str, argument: Argument) -> None:
        if op == "login":
            account = login(self._state, argument)
            if session.path == PUBLIC or self._strike(account, "login")[0] is Kind.DROP:
                raise Refused(60009, "Login failed.")
            session.account = account
            self._private.setdefault(account.account_id, set()).add(session)
            session.put(_said("login", code="0", msg=""))
        elif op == "subscribe":
            checked(self._state, session.path, argument, known=session.account is not None)
            if argument not in session.wanted:
                session.wanted.append(argument)
            session.put(_said("subscribe", arg=argument))
            self._snapshot(session, argument)
        elif op == "unsubscribe":
            if argument in session.wanted:
                session.wanted.remove(argument)
            session.put(_said("unsubscribe", arg=argument))
        else:
            raise Refused(60019, f"Invalid op: {op[:20]}")

    def _snapshot(self, session: Session, argument: Argument) -> None:
        """Send what a channel tells at once: marks, tickers, wallets and positions; orders are told as they change."""
        state, account, channel = self._state, session.account, argument["channel"]
        if session.path == PUBLIC:
            self._public.add(session)
            instrument = instrument_of(state, str(argument["instId"]))
            self._tell_price(session, instrument, (argument,))
        elif account is not None and channel == "balance_and_position":
            row = self._holdings(account, "snapshot", list(account.live_positions()), list(account.wallets))
            session.put(_pushed(argument, [row]))
        elif account is not None and channel == "account":
            session.put(_pushed(argument, [self._account_row(account)]))
        elif account is not None and channel == "positions":
            rows = [position_json(state, account, p) for p in account.live_positions() if self._is_listed(p)]
            session.put(_pushed(argument, rows))

    def _is_listed(self, position: Position) -> bool:
        return self._state.instruments[position.symbol].kind is MarketKind.LINEAR

    def _account_row(self, account: Account) -> Json:
        details = [detail_json(self._state, account, asset) for asset in account.wallets]
        return balance_json(self._state.now(), account.wallet, details)

    def _holdings(
        self, account: Account, event: str, positions: Sequence[Position], assets: Sequence[str]
    ) -> Json:
        state, now = self._state, str(self._state.now())
        wanted = (
            "posId",
            "instId",
            "instType",
            "mgnMode",
            "posSide",
            "pos",
            "avgPx",
            "ccy",
            "posCcy",
            "uTime",
        )
        rows = [position_json(state, account, p) for p in positions if self._is_listed(p)]
        balances = [
            {"ccy": asset, "cashBal": plain(account.wallets.get(asset, Decimal(0))), "uTime": now}
            for asset in assets
        ]
        return {
            "pTime": now,
            "eventType": event,
            "balData": balances,
            "posData": [{name: row[name] for name in wanted} | {"tradeId": ""} for row in rows],
            "trades": [],
        }

    def _strike(self, account: Account, event: str) -> tuple[Kind | None, int]:
        """Return what goes wrong with an event, and how late it comes in ms."""
        if not self._faults.stream_rules:
            return None, 0
        rule = self._faults.strike(STREAM_ENDPOINT, account.account_id, event)
        if rule is None:
            return None, 0
        # There is no listen key to expire here: what would end one ends the connection.
        return Kind.DISCONNECT if rule.kind is Kind.EXPIRE else rule.kind, rule.ms

    def _tell(
        self,
        account: Account,
        channel: str,
        build: Callable[[], list[Json]],
        instrument: Instrument | None = None,
    ) -> None:
        hearing = [
            (session, argument)
            for session in self._private.get(account.account_id, ())
            for argument in session.wanted
            if (
                argument["channel"] == channel
                if instrument is None
                else concerns(argument, channel, inst_type(instrument), inst_id(instrument))
            )
        ]
        if not hearing:
            return
        (kind, late_ms), rows = self._strike(account, channel), build()
        for session, argument in hearing:
            session.put_faulty(kind, _pushed(argument, rows), late_ms)

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send the order, with its execution if there is one."""
        state, instrument = self._state, self._state.instruments[order.symbol]
        if instrument.kind is not MarketKind.INVERSE:
            self._tell(
                account, "orders", lambda: [streamed_order_json(state, account, order, fill)], instrument
            )

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send what the wallet and the positions are now."""
        state, event = self._state, EVENT_TYPES.get(reason, "transferred")
        listed = [p for p in positions if self._is_listed(p)]
        self._tell(account, "balance_and_position", lambda: [self._holdings(account, event, listed, [asset])])
        self._tell(account, "account", lambda: [self._account_row(account)])
        for position in listed:
            instrument = state.instruments[position.symbol]
            self._tell(account, "positions", lambda p=position: [position_json(state, account, p)], instrument)  # type: ignore[misc]  # a lambda's default is not inferred

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send the conditional order."""
        state, instrument = self._state, self._state.instruments[conditional.request.symbol]
        if instrument.kind is not MarketKind.INVERSE:
            self._tell(account, "orders-algo", lambda: [algo_json(state, account, conditional)], instrument)

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send the positions of the symbol, which hold its leverage."""
        state, instrument = self._state, self._state.instruments[symbol]
        held = [p for p in account.live_positions() if p.symbol == symbol and self._is_listed(p)]
        if held:
            self._tell(
                account, "positions", lambda: [position_json(state, account, p) for p in held], instrument
            )

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send the market's mark price and ticker."""
        instrument = self._state.instruments[symbol]
        if instrument.kind is not MarketKind.INVERSE:
            for session in self._public:
                self._tell_price(session, instrument, session.wanted)

    def _tell_price(self, session: Session, instrument: Instrument, arguments: Sequence[Argument]) -> None:
        name, kind = inst_id(instrument), inst_type(instrument)
        for argument in arguments:
            if concerns(argument, "mark-price", kind, name):
                session.put(_pushed(argument, [mark_json(self._state, instrument)]))
            elif concerns(argument, "tickers", kind, name):
                session.put(_pushed(argument, [ticker_json(self._state, instrument)]))

    def disconnect(self, account_id: str | None) -> int:
        """Close the private sessions of one account, or of all; return how many."""
        chosen = self._private.values() if account_id is None else [self._private.get(account_id, set())]
        found = [session for sessions in chosen for session in sessions]
        for session in found:
            session.end()
        return len(found)


def _said(event: str, **more: object) -> bytes:
    return orjson.dumps({"event": event, **more, "connId": "sim"})


def _pushed(argument: Argument, rows: list[Json]) -> bytes:
    return orjson.dumps({"arg": argument, "data": rows})
