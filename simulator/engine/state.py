"""The exchange's whole memory, and the few primitive moves that keep its indexes and ledger in step.

Invariants: every wallet movement passes `credit`; every order enters by `enter` and leaves by `end`; `holders` lists
exactly the accounts with an open position in a symbol; `resting` lists exactly the open orders of a symbol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from simulator.engine.account import USDT, Account
from simulator.engine.book import Ladder, SyntheticBook
from simulator.engine.events import Listener
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.ledger import BalanceChange, Ledger
from simulator.engine.order import ZERO, Execution, Order, OrderRequest, Status, Uniqueness
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.tape import Tape

CENT = Decimal("0.00000001")
UniquenessRule = Literal["venue", "open", "always", "none"]


@dataclass(slots=True)
class Rules:
    """What an operator may change while the exchange runs; times in milliseconds.

    `matching_delay_ms` lies between acknowledging and matching, where a dialect acknowledges first; with zero the
    order is matched right after the answer. `client_id_uniqueness` rules over what a request says of its venue,
    unless it is "venue".
    """

    visibility_lag_ms: int = 0
    matching_delay_ms: int = 0
    client_id_uniqueness: UniquenessRule = "venue"

    def uniqueness(self, venues: Uniqueness) -> Uniqueness:
        """Return the rule in force for a request whose venue has the rule `venues`."""
        return venues if self.client_id_uniqueness == "venue" else self.client_id_uniqueness


class State:
    """Accounts, instruments, books, tape and ledger; `now` returns the exchange's clock in epoch milliseconds."""

    def __init__(self, seed: int, now: Callable[[], int]) -> None:
        self.seed = seed
        self.now = now
        self.rules = Rules()
        self.ledger = Ledger()
        self.tape = Tape(seed)
        self.instruments: dict[str, Instrument] = {}
        self.siblings: dict[str, tuple[str, ...]] = {}
        self.books: dict[str, SyntheticBook] = {}
        self.accounts: dict[str, Account] = {}
        self.by_key: dict[str, Account] = {}
        self.resting: dict[str, dict[int, Order]] = {}
        self.holders: dict[str, dict[str, Account]] = {}
        self.funding_rates: dict[str, Decimal] = {}
        self.listeners: list[Listener] = []
        self._order_id = 10_000_000
        self._trade_id = 1_000_000

    def instrument(self, symbol: str) -> Instrument:
        """Return a listed instrument or refuse with UNKNOWN_SYMBOL."""
        found = self.instruments.get(symbol)
        if found is None:
            raise Refusal(Reason.UNKNOWN_SYMBOL, symbol)
        return found

    def listed(self, kind: Kind) -> list[Instrument]:
        """Return the instruments of one kind, in the order they were listed."""
        return [instrument for instrument in self.instruments.values() if instrument.kind is kind]

    def account(self, account_id: str) -> Account:
        """Return an account or refuse with UNKNOWN_ACCOUNT."""
        found = self.accounts.get(account_id)
        if found is None:
            raise Refusal(Reason.UNKNOWN_ACCOUNT, account_id)
        return found

    def mark(self, symbol: str) -> Decimal:
        """Return the mark price of a listed symbol."""
        return self.tape.marks[symbol]

    def ladder(self, symbol: str) -> Ladder:
        """Return the order book around the current mark, snapped to the tick."""
        instrument = self.instruments[symbol]
        mark = self.tape.marks[symbol]
        return self.books[symbol].at(mark if not mark % instrument.tick else instrument.floor_price(mark))

    def next_order_id(self) -> int:
        self._order_id += 1
        return self._order_id

    def next_trade_id(self) -> int:
        self._trade_id += 1
        return self._trade_id

    def credit(
        self, account: Account, kind: str, amount: Decimal, symbol: str = "", reference: str = "", asset: str = USDT
    ) -> None:  # fmt: skip
        """Move `amount` of `asset` (negative takes) in or out of its wallet and record it."""
        balance = account.wallets[asset] = account.wallets.get(asset, ZERO) + amount
        ledger = self.ledger
        change = BalanceChange(
            ledger.next_seq(), account.account_id, kind, amount, balance, symbol, reference, self.now(), asset
        )
        ledger.balances.append(change)
        account.changes.append(change)

    def enter(self, account: Account, request: OrderRequest, quantity: Decimal) -> Order:
        """Accept an order of `quantity` and announce it; it is not in the book yet."""
        now, order_id, ledger = self.now(), self.next_order_id(), self.ledger
        order = Order(
            seq=ledger.next_seq(),
            order_id=order_id,
            client_order_id=request.client_order_id or f"sim-{order_id}",
            account_id=account.account_id,
            symbol=request.symbol,
            side=request.side,
            position_side=request.position_side,
            type=request.type,
            time_in_force=request.time_in_force,
            price=request.price,
            quantity=quantity,
            reduce_only=request.reduce_only,
            close_position=request.close_position,
            origin=request.origin,
            original_type=request.original_type or request.type.value,
            trigger_price=request.trigger_price,
            received_ms=request.received_ms or now,
            created_ms=now,
            updated_ms=now,
            visible_ms=now + self.rules.visibility_lag_ms,
            quote_quantity=request.quote_quantity,
            conditional_id=request.conditional_id,
        )
        account.orders[order_id] = order
        account.client_ids[order.client_order_id] = order
        ledger.orders.append(order)
        ledger.note(
            now, "ORDER_ACCEPTED", order.account_id, order.symbol, order_id,
            {"client_order_id": order.client_order_id, "quantity": str(quantity)},
        )  # fmt: skip
        for listener in self.listeners:
            listener.order_changed(account, order, Execution.NEW, None)
        return order

    def rest(self, account: Account, order: Order) -> None:
        """Put an accepted order into the book."""
        account.open_orders[order.order_id] = order
        self.resting[order.symbol][order.order_id] = order

    def end(self, account: Account, order: Order, status: Status) -> None:
        """Cancel or expire what is left of an order and announce it."""
        order.status = status
        order.updated_ms = now = self.now()
        self.forget(account, order)
        self.ledger.note(
            now, f"ORDER_{status.value}", order.account_id, order.symbol, order.order_id,
            {"client_order_id": order.client_order_id, "executed": str(order.executed)},
        )  # fmt: skip
        execution = Execution.CANCELED if status is Status.CANCELED else Execution.EXPIRED
        for listener in self.listeners:
            listener.order_changed(account, order, execution, None)

    def forget(self, account: Account, order: Order) -> None:
        """Take an order that ended out of the book."""
        if account.open_orders.pop(order.order_id, None) is not None:
            self.resting[order.symbol].pop(order.order_id, None)

    def index_holder(self, account: Account, symbol: str) -> None:
        """Note whether the account has a position in `symbol`."""
        holders = self.holders[symbol]
        if any(position.symbol == symbol for position in account.live_positions()):
            holders[account.account_id] = account
        else:
            holders.pop(account.account_id, None)
