"""The exchange as a whole: the only door that dialects and the operator use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from simulator.engine import isolated as isolated_margin
from simulator.engine.account import USDT, Account, Permissions
from simulator.engine.book import SyntheticBook
from simulator.engine.conditional_desk import ConditionalDesk
from simulator.engine.desk import Desk
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.liquidation import Liquidator
from simulator.engine.listing import default_instruments
from simulator.engine.margin import available
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import CENT, State


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an operator asks for: `balance` in USDT and `balances` of other assets; empty keys are derived from the seed
    and the label.
    """

    label: str
    balance: Decimal
    taker_fee: Decimal = Decimal("0.0005")
    maker_fee: Decimal = Decimal("0.0002")
    permissions: Permissions = field(default_factory=Permissions)
    api_key: str = ""
    secret: str = field(default="", repr=False)
    balances: Mapping[str, Decimal] = field(default_factory=dict)


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
        self._link_siblings()
        if known:
            self.set_price(symbol, instrument.price)
            return
        state.tape.list_symbol(instrument)
        state.resting[symbol] = {}
        state.holders[symbol] = {}
        if instrument.kind is not Kind.SPOT:
            state.funding_rates[symbol] = Decimal("0.0001")

    def _link_siblings(self) -> None:
        """Let each spot market follow the linear one of its pair, each inverse one the first linear one of its coin."""
        state = self.state
        pairs: dict[tuple[str, str], str] = {}
        coins: dict[str, str] = {}
        for linear in state.listed(Kind.LINEAR):
            pairs.setdefault((linear.base, linear.quote), linear.symbol)
            coins.setdefault(linear.base, linear.symbol)
        followers: dict[str, tuple[str, ...]] = {}
        for instrument in state.instruments.values():
            leader = None
            if instrument.kind is Kind.SPOT:
                leader = pairs.get((instrument.base, instrument.quote))
            elif instrument.kind is Kind.INVERSE:
                leader = coins.get(instrument.base)
            if leader is not None:
                followers[leader] = (*followers.get(leader, ()), instrument.symbol)
        state.siblings = followers

    def open_account(self, wanted: NewAccount) -> Account:
        """Open a funded account; ValueError when the label or the key is taken."""
        state = self.state
        account_id = self._derive(wanted.label, "id")[:16]
        api_key = wanted.api_key or self._derive(wanted.label, "key")
        if account_id in state.accounts or api_key in state.by_key:
            raise ValueError(f"an account labelled {wanted.label!r}, or with its key, already exists")
        secret = wanted.secret or self._derive(wanted.label, "secret")
        account = Account(
            account_id, wanted.label, api_key, secret.encode(), wanted.taker_fee, wanted.maker_fee, wanted.permissions,
            state.now(),
        )  # fmt: skip
        state.accounts[account_id] = state.by_key[api_key] = account
        self.deposit(account, wanted.balance)
        for asset, amount in wanted.balances.items():
            self.deposit(account, amount, asset)
        return account

    def _derive(self, label: str, what: str) -> str:
        return hashlib.sha256(f"{self.state.seed}\0{label}\0{what}".encode()).hexdigest()

    def deposit(self, account: Account, amount: Decimal, asset: str = USDT) -> None:
        """Move money in (or out, when negative)."""
        if not amount:
            return
        self.state.credit(account, "DEPOSIT", amount, asset=asset)
        for listener in self.state.listeners:
            listener.balance_changed(account, "DEPOSIT", amount, (), asset)

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Move the mark price of a market and, when it is linear, of the spot and inverse markets that follow it."""
        self.set_prices({symbol: price})

    def set_prices(self, prices: Mapping[str, Decimal]) -> None:
        """Move mark prices; a market that follows another one and is named itself takes its own price."""
        state = self.state
        for symbol, price in prices.items():
            state.instrument(symbol)
            if price <= 0:
                raise Refusal(Reason.PRICE_NOT_POSITIVE, symbol)
        for symbol, price in prices.items():
            self._move(symbol, price)
            for follower in state.siblings.get(symbol, ()):
                if follower not in prices:
                    instrument = state.instruments[follower]
                    self._move(follower, max(instrument.tick, instrument.floor_price(price)))

    def _move(self, symbol: str, price: Decimal) -> None:
        """First resting orders match, then conditional orders fire, then liquidations run."""
        state = self.state
        state.tape.move(symbol, price)
        for listener in state.listeners:
            listener.price_moved(symbol, price)
        self.desk.cross(symbol)
        self.conditionals.trigger(symbol)
        self.liquidator.sweep(symbol)

    def tick(self, steps: int = 1) -> dict[str, Decimal]:
        """Advance the walk of every market that follows no other and return all new mark prices."""
        state = self.state
        led = {symbol for followers in state.siblings.values() for symbol in followers}
        walking = [instrument for symbol, instrument in state.instruments.items() if symbol not in led]
        for _ in range(steps):
            for instrument in walking:
                self.set_price(instrument.symbol, state.tape.next_price(instrument))
        return dict(state.tape.marks)

    def fund(self, symbol: str, rate: Decimal) -> int:
        """Settle funding: longs pay shorts `rate` of their value when it is positive. Return accounts touched.

        An isolated position pays from its own margin, and no more than that.
        """
        state = self.state
        instrument = self._perpetual(symbol)
        state.funding_rates[symbol] = rate
        mark, asset = state.mark(symbol), instrument.settle
        holders = list(state.holders[symbol].values())
        for account in holders:
            for position in account.live_positions():
                if position.symbol != symbol:
                    continue
                paid = position.value(mark) * rate * (1 if position.quantity > 0 else -1)
                amount = -paid.quantize(CENT, ROUND_HALF_EVEN)
                if symbol in account.isolated:
                    amount = max(amount, -position.margin)
                    position.margin += amount
                state.credit(account, "FUNDING_FEE", amount, symbol, asset=asset)
                for listener in state.listeners:
                    listener.balance_changed(account, "FUNDING_FEE", amount, (), asset)
        self.liquidator.sweep(symbol)
        return len(holders)

    def _perpetual(self, symbol: str) -> Instrument:
        instrument = self.state.instrument(symbol)
        if instrument.kind is Kind.SPOT:
            raise Refusal(Reason.NOT_AT_SPOT, symbol)
        return instrument

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set the account's leverage for a symbol; the margin of its isolated positions follows."""
        instrument = self._perpetual(symbol)
        if not 1 <= leverage <= instrument.max_leverage:
            raise Refusal(Reason.LEVERAGE_INVALID)
        if symbol in account.isolated:
            more = isolated_margin.resized(account, leverage, symbol)
            if more > 0 and more > available(self.state, account, instrument.settle):
                raise Refusal(Reason.INSUFFICIENT_MARGIN)
            isolated_margin.resize(account, leverage, symbol)
        account.leverages[symbol] = leverage
        for listener in self.state.listeners:
            listener.leverage_changed(account, symbol, leverage)

    def set_isolated(self, account: Account, symbol: str, *, isolated: bool) -> None:
        """Choose the margin mode of a symbol; refused while it is unchanged or in use."""
        self._perpetual(symbol)
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
        instruments = self.state.instruments
        if any(instruments[order.symbol].kind is not Kind.SPOT for order in account.open_orders.values()):
            raise Refusal(Reason.OPEN_ORDERS_EXIST)
        if any(account.live_positions()):
            raise Refusal(Reason.OPEN_POSITIONS_EXIST)
        account.hedge_mode = hedge
