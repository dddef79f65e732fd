"""The streams of contracts: the engine's events on their way to who hears them, of USD-M and COIN-M behind one address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from simulator.binance import events
from simulator.binance.families import venue_name
from simulator.binance.listen_keys import ListenKey, ListenKeys
from simulator.binance.sockets import Hub
from simulator.binance.wire import Json
from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional
from simulator.engine.exchange import Exchange
from simulator.engine.instrument import Kind as Market
from simulator.engine.instrument import kind_of
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position
from simulator.faults import STREAM_ENDPOINT, FaultBook, Kind


class Streams:
    """Listens to the engine. Events of an account without a session are lost, as at the venue; listen keys are of one
    market each, and unique over both.
    """

    def __init__(
        self, exchange: Exchange, hub: Hub, listen_keys: Mapping[Market, ListenKeys], faults: FaultBook
    ) -> None:
        self._state = exchange.state
        self._hub = hub
        self._listen_keys = listen_keys
        self._faults = faults
        self._users: dict[tuple[Market, str], str] = {}
        hub.on_join = self._joined
        for market, keys in listen_keys.items():
            keys.on_end = partial(self._end_key, market)
        exchange.state.listeners.append(self)

    def _joined(self, name: str) -> None:
        """A name that is a valid listen key is its account's user-data stream."""
        for market, keys in self._listen_keys.items():
            key = keys.find(name)
            if key is not None:
                self._users[market, key.account_id] = name

    def _listens(self, account: Account, market: Market) -> bool:
        name = self._users.get((market, account.account_id))
        return name is not None and name in self._hub.by_name

    def _to_user(self, account: Account, market: Market, message: Json) -> None:
        kind, late_ms = None, 0
        if self._faults.stream_rules:
            rule = self._faults.strike(STREAM_ENDPOINT, account.account_id, str(message["e"]))
            kind, late_ms = (rule.kind, rule.ms) if rule is not None else (None, 0)
        name = self._users[market, account.account_id]
        for session in self._hub.of(name):
            session.put_faulty(kind, session.frame(name, message), late_ms)
        if kind is Kind.EXPIRE:
            self._listen_keys[market].close(account.account_id)

    def _end_key(self, market: Market, key: ListenKey) -> None:
        self._users.pop((market, key.account_id), None)
        for session in self._hub.of(key.value):
            session.send(key.value, events.listen_key_expired(self._state.now(), key.value))
            self._hub.unsubscribe(session, [key.value])

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send ORDER_TRADE_UPDATE."""
        market = kind_of(order.symbol)
        if self._listens(account, market):
            instrument = self._state.instruments[order.symbol]
            message = events.order_trade_update(instrument, order, execution, fill)
            self._to_user(account, market, message)

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send ACCOUNT_UPDATE."""
        market = Market.LINEAR if asset == USDT else Market.INVERSE
        if positions:
            market = kind_of(positions[0].symbol)
        if reason != "SPOT_TRADE" and self._listens(account, market):
            message = events.account_update(self._state, account, reason, amount, positions, asset)
            self._to_user(account, market, message)

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send ALGO_UPDATE."""
        market = kind_of(conditional.request.symbol)
        if self._listens(account, market):
            instrument = self._state.instruments[conditional.request.symbol]
            self._to_user(account, market, events.algo_update(instrument, conditional))

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Send ACCOUNT_CONFIG_UPDATE."""
        market = kind_of(symbol)
        if self._listens(account, market):
            now, name = self._state.now(), venue_name(symbol)
            self._to_user(account, market, events.account_config_update(now, name, leverage))

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send the market streams that show this symbol; only USD-M has one for all marks."""
        market = kind_of(symbol)
        if not self._hub.by_name or market is Market.SPOT:
            return
        instrument, low = self._state.instruments[symbol], venue_name(symbol).lower()
        self._hub.publish(f"{low}@markPrice", lambda: events.mark_price_update(self._state, instrument))
        self._hub.publish(f"{low}@bookTicker", lambda: events.book_ticker_update(self._state, instrument))
        if market is Market.LINEAR:
            self._hub.publish("!markPrice@arr", lambda: [events.mark_price_update(self._state, instrument)])

    def disconnect(self, account_id: str | None) -> int:
        """Close the user-data sessions of one account, or of all; return how many."""
        names = [name for (_, owner), name in self._users.items() if account_id in (None, owner)]
        found = [session for name in names for session in self._hub.of(name)]
        for session in found:
            session.end()
        return len(found)
