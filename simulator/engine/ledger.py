"""The append-only record of everything the exchange accepted: the truth that the outside is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulator.engine.order import Fill, Order


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """One movement of the wallet of `asset`; `kind` is DEPOSIT, REALIZED_PNL, COMMISSION, FUNDING_FEE, INSURANCE_CLEAR
    or, for either side of a spot exchange, TRADE. `balance` is the wallet after it.
    """

    seq: int
    account_id: str
    kind: str
    amount: Decimal
    balance: Decimal
    symbol: str
    reference: str
    time_ms: int
    asset: str = "USDT"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal: what happened, to whom, and the numbers as text."""

    seq: int
    time_ms: int
    kind: str
    account_id: str
    symbol: str
    order_id: int
    data: dict[str, str]


class Ledger:
    """Four lists that only grow, sharing one sequence number. Orders change in place; the journal says when."""

    def __init__(self) -> None:
        self._seq = 0
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.balances: list[BalanceChange] = []
        self.events: list[Event] = []

    def next_seq(self) -> int:
        """Return the next number of the shared sequence."""
        self._seq += 1
        return self._seq

    @property
    def last_seq(self) -> int:
        """Return the highest number given out."""
        return self._seq

    def note(
        self, time_ms: int, kind: str, account_id: str, symbol: str, order_id: int, data: dict[str, str]
    ) -> None:
        """Append one event to the journal."""
        self.events.append(Event(self.next_seq(), time_ms, kind, account_id, symbol, order_id, data))
