"""The exchange as a whole: the only door that dialects and the operator use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from simulator.engine.account import Account, Permissions
from simulator.engine.book import SyntheticBook
from simulator.engine.conditional import ConditionalDesk
from simulator.engine.desk import Desk
from simulator.engine.instrument import Instrument, default_instruments
from simulator.engine.liquidation import Liquidator
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import CENT, State


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an operator asks for; empty keys are derived from the seed and the label."""

    label: str
    balance: Decimal
    taker_fee: Decimal = Decimal("0.0005")
    maker_fee: Decimal = Decimal("0.0002")
    permissions: Permissions = field(default_factory=Permissions)
    api_key: str = ""
    secret: str = field(default="", repr=False)


class Exchange:
    """Composes the desks over one state; `now` returns the exchange's clock in epoch milliseconds."""

    def __init__(
        self, seed: int, now: Callable[[], int], instruments: Iterable[Instrument] = default_instruments()
    ) -> None:
        self.state = State(seed, now)
        self.desk = Desk(self.state)
        self.conditionals = ConditionalDesk(self.state, self.desk)
        self.liquidator = Liquidator(self.state, self.conditionals)
        for instrument in instruments:
            self.list_instrument(instrument)

    def list_instrument(self, instrument: Instrument) -> None:
        """List a new instrument, or replace the rules of one and set its price."""
        state, symbol = self.state, instrument.symbol
        known = symbol in state.instruments
        state.instruments[symbol] = instrument
        state.books[symbol] = SyntheticBook(instrument, state.seed)
        if known:
            self.set_price(symbol, instrument.price)
            return
        state.tape.list_symbol(instrument)
        state.resting[symbol] = {}
        state.holders[symbol] = {}
        state.funding_rates[symbol] = Decimal("0.0001")

    def open_account(self, wanted: NewAccount) -> Account:
        """Open a funded account; ValueError when the label or the key is taken."""
        state = self.state
        account_id = self._derive(wanted.label, "id")[:16]
        api_key = wanted.api_key or self._derive(wanted.label, "key")
        if account_id in state.accounts or api_key in state.by_key:
            raise ValueError(f"an account labelled {wanted.label!r}, or with its key, already exists")
        secret = wanted.secret or self._derive(wanted.label, "secret")
        account = Account(
            account_id, wanted.label, api_key, secret.encode(), Decimal(0), wanted.taker_fee, wanted.maker_fee,
            wanted.permissions, state.now(),
        )  # fmt: skip
        state.accounts[account_id] = state.by_key[api_key] = account
        self.deposit(account, wanted.balance)
        return account

    def _derive(self, label: str, what: str) -> str:
        return hashlib.sha256(f"{self.state.seed}\0{label}\0{what}".encode()).hexdigest()

    def deposit(self, account: Account, amount: Decimal) -> None:
        """Move money in (or out, when negative)."""
        if not amount:
            return
        self.state.credit(account, "DEPOSIT", amount)
        for listener in self.state.listeners:
            listener.balance_changed(account, "DEPOSIT", amount, ())

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Move the mark price: first resting orders match, then conditional orders fire, then liquidations run."""
        state = self.state
        state.instrument(symbol)
        if price <= 0:
            raise Refusal(Reason.PRICE_NOT_POSITIVE, symbol)
        state.tape.move(symbol, price)
        for listener in state.listeners:
            listener.price_moved(symbol, price)
        self.desk.cross(symbol)
        self.conditionals.trigger(symbol)
        self.liquidator.sweep(symbol)

    def tick(self, steps: int = 1) -> dict[str, Decimal]:
        """Advance every symbol's walk and return the new mark prices."""
        state = self.state
        for _ in range(steps):
            for instrument in list(state.instruments.values()):
                self.set_price(instrument.symbol, state.tape.next_price(instrument))
        return dict(state.tape.marks)

    def fund(self, symbol: str, rate: Decimal) -> int:
        """Settle funding: longs pay shorts `rate` of their notional when it is positive. Return accounts touched."""
        state = self.state
        state.instrument(symbol)
        state.funding_rates[symbol] = rate
        mark = state.mark(symbol)
        holders = list(state.holders[symbol].values())
        for account in holders:
            for position in account.live_positions():
                if position.symbol != symbol:
                    continue
                amount = (-position.quantity * mark * rate).quantize(CENT, ROUND_HALF_EVEN)
                state.credit(account, "FUNDING_FEE", amount, symbol)
                for listener in state.listeners:
                    listener.balance_changed(account, "FUNDING_FEE", amount, ())
        self.liquidator.sweep(symbol)
        return len(holders)

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set the account's leverage for a symbol."""
        if not 1 <= leverage <= self.state.instrument(symbol).max_leverage:
            raise Refusal(Reason.LEVERAGE_INVALID)
        account.leverages[symbol] = leverage
        for listener in self.state.listeners:
            listener.leverage_changed(account, symbol, leverage)

    def set_isolated(self, account: Account, symbol: str, *, isolated: bool) -> None:
        """Store the margin mode of a symbol; refused while it is unchanged or in use."""
        self.state.instrument(symbol)
        if (symbol in account.isolated) == isolated:
            raise Refusal(Reason.MODE_UNCHANGED)
        if any(order.symbol == symbol for order in account.open_orders.values()):
            raise Refusal(Reason.OPEN_ORDERS_EXIST)
        if any(position.symbol == symbol for position in account.live_positions()):
            raise Refusal(Reason.OPEN_POSITIONS_EXIST)
        if isolated:
            account.isolated.add(symbol)
        else:
            account.isolated.discard(symbol)

    def set_hedge_mode(self, account: Account, *, hedge: bool) -> None:
        """Switch between one-way and hedge mode; refused while it is unchanged or in use."""
        if account.hedge_mode == hedge:
            raise Refusal(Reason.MODE_UNCHANGED)
        if account.open_orders:
            raise Refusal(Reason.OPEN_ORDERS_EXIST)
        if any(account.live_positions()):
            raise Refusal(Reason.OPEN_POSITIONS_EXIST)
        account.hedge_mode = hedge
