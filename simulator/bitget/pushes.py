"""The engine's events as messages of the private channels, and prices as tickers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from simulator.bitget.holdings import coin_row, margin_row, open_positions, position_row
from simulator.bitget.order_rows import (
    futures_fill,
    spot_fill,
    streamed_order,
    streamed_plan,
)
from simulator.bitget.stream import Sessions
from simulator.bitget.wire import Json
from simulator.engine.account import USDT, Account
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import Execution, Fill, Order
from simulator.engine.position import Position


class BitgetPushes:
    """Listens to the engine. Events of an account without a session are lost, as at the venue."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        sessions.state.listeners.append(self)

    def _tell(self, account: Account, line: Kind, name: str, build: Callable[[], list[Json]]) -> None:
        sessions = self._sessions.private.get(account.account_id)
        if not sessions:
            return
        wanted = [
            (session, arg)
            for session in sessions
            for (kind, channel, _), arg in session.channels.items()
            if kind is line and channel == name
        ]
        if not wanted:
            return
        (fault, late_ms), rows = self._sessions.strike(account, name), build()
        for session, arg in wanted:
            session.put_faulty(fault, self._sessions.message(arg, rows), late_ms)

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Send the execution, if there is one, then the order."""
        line = kind_of(order.symbol)
        spot = line is Kind.SPOT
        if fill is not None:
            row = spot_fill if spot else futures_fill
            self._tell(account, line, "fill", lambda: [_listed_fee(row(fill, order))])
        instrument = self._sessions.state.instruments[order.symbol]
        self._tell(account, line, "orders", lambda: [streamed_order(instrument, order, fill, spot=spot)])

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """Send what positions are open, when one changed, then the wallets that the asset belongs to."""
        state = self._sessions.state
        if any(kind_of(position.symbol) is Kind.LINEAR for position in positions):
            self._tell(
                account,
                Kind.LINEAR,
                "positions",
                lambda: [_streamed(position_row(state, account, p)) for p in open_positions(account)],
            )
        if asset == USDT:
            self._tell(account, Kind.LINEAR, "account", lambda: [_margin(margin_row(state, account))])
        self._tell(account, Kind.SPOT, "account", lambda: [coin_row(state, account, asset)])

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Send the plan; that the order it became has ended is no news of the plan."""
        if conditional.status is ConditionalStatus.FINISHED:
            return
        line = kind_of(conditional.request.symbol)
        self._tell(account, line, "orders-algo", lambda: [streamed_plan(conditional, spot=line is Kind.SPOT)])

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Nothing: positions are told with the next change."""

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Send the ticker of the market."""
        for session, arg in self._sessions.public.get(symbol, {}).items():
            session.put(self._sessions.ticker(symbol, arg))


def _listed_fee(row: Json) -> Json:
    fee = row["feeDetail"]
    return row if isinstance(fee, list) else {**row, "feeDetail": [fee]}


def _streamed(row: Json) -> Json:
    return {**row, "instId": row["symbol"], "leverage": int(str(row["leverage"])), "frozen": "0"}


def _margin(row: Json) -> Json:
    return {
        "marginCoin": row["marginCoin"],
        "frozen": row["locked"],
        "available": row["available"],
        "maxOpenPosAvailable": row["crossedMaxAvailable"],
        "maxTransferOut": row["maxTransferOut"],
        "equity": row["accountEquity"],
        "usdtEquity": row["usdtEquity"],
        "crossedRiskRate": row["crossedRiskRate"],
        "unrealizedPL": row["unrealizedPL"],
    }
