"""Conditional orders: they wait outside the book until the mark price reaches their trigger, then become real orders.

A stop triggers when the price moves against the position it protects, a take-profit when it moves in favour; a
trailing stop follows the best price since its activation at a distance of `callback_rate` percent. Those of one group are
one-cancels-other. At spot they lock what they would give away, a group only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from simulator.engine.order import ZERO, Order, OrderRequest, Side


class ConditionalType(StrEnum):
    """The kinds of conditional order."""

    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"


LIMIT_KINDS = (ConditionalType.STOP, ConditionalType.TAKE_PROFIT)
STOP_KINDS = (ConditionalType.STOP, ConditionalType.STOP_MARKET, ConditionalType.TRAILING_STOP_MARKET)


class ConditionalStatus(StrEnum):
    """Life of a conditional order; TRIGGERED while the order it became is open."""

    NEW = "NEW"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(slots=True)
class Conditional:
    """`request` is the order it becomes; `trigger_price` moves for a trailing stop; `best` is that stop's best price.

    `cancel_when_flat` cancels it when there is nothing left that it could close, as venues do that attach it to a
    position. `group` names what it stands or falls with: when one fires or ends, the others end too.
    """

    algo_id: int
    client_algo_id: str
    account_id: str
    kind: ConditionalType
    request: OrderRequest
    trigger_price: Decimal
    working_type: str
    created_ms: int
    updated_ms: int
    callback_rate: Decimal = ZERO
    activation_price: Decimal = ZERO
    best: Decimal = ZERO
    status: ConditionalStatus = ConditionalStatus.NEW
    triggered_ms: int = 0
    refusal: str = ""
    order: Order | None = None
    cancel_when_flat: bool = False
    group: str = ""

    @property
    def reserve(self) -> str:
        """Return the name under which its account keeps what it locks."""
        return self.group or str(self.algo_id)

    @property
    def rises(self) -> bool:
        """Say whether it triggers at or above its price (else at or below)."""
        return (self.kind in STOP_KINDS) == (self.request.side is Side.BUY)

    def reached(self, mark: Decimal) -> bool:
        """Say whether `mark` triggers it; a trailing stop also moves its trigger here."""
        if self.kind is ConditionalType.TRAILING_STOP_MARKET and not self._trail(mark):
            return False
        return mark >= self.trigger_price if self.rises else mark <= self.trigger_price

    def _trail(self, mark: Decimal) -> bool:
        sell = self.request.side is Side.SELL
        if not self.best:
            wanted = self.activation_price
            if wanted and (mark < wanted if sell else mark > wanted):
                return False
            self.best = mark
        self.best = max(self.best, mark) if sell else min(self.best, mark)
        away = self.best * self.callback_rate / 100
        self.trigger_price = self.best - away if sell else self.best + away
        return True
