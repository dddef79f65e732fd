"""The position: what one follow holds on one market, made of fills and of nothing else.

Invariants: quantity is the signed sum of the booked fills; the cost of what is held is exact (the average entry is
derived, so that rounding never accumulates); realised PnL is price difference times quantity, never multiplied by
leverage; fees and funding are separate figures; a fill beyond zero closes first and then opens the other way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.shared.errors import InvalidValue
from app.domain.shared.margin import initial_margin
from app.domain.shared.market import Side
from app.domain.shared.money import NO_MONEY, ZERO, Money, Price, Quantity, settle_down


@dataclass(frozen=True, slots=True)
class Position:
    """One follow's position on one market.

    `quantity` is signed base units. `cost` is the quote currency paid for it (above zero for either direction):
    average entry times absolute quantity. `margin` is the initial margin in use. `realised` is the price result of
    all that was closed, before fees; `fees` and `funding` are what was paid (positive) and received or paid (signed).
    """

    quantity: Decimal = ZERO
    cost: Money = NO_MONEY
    margin: Money = NO_MONEY
    realised: Money = NO_MONEY
    fees: Money = NO_MONEY
    funding: Money = NO_MONEY

    @property
    def average_entry(self) -> Price | None:
        """The average price of what is held, None when flat."""
        return Price(settle_down(self.cost / abs(self.quantity))) if self.quantity else None

    @property
    def net_result(self) -> Money:
        """What the position has earned so far: realised PnL less fees, plus funding."""
        return Money(self.realised - self.fees + self.funding)

    def unrealised(self, mark: Price) -> Money:
        """Return what closing at `mark` would add to the realised PnL, before fees."""
        if self.quantity == 0:
            return NO_MONEY
        return Money((mark * abs(self.quantity) - self.cost) * (1 if self.quantity > 0 else -1))

    def with_funding(self, amount: Money) -> Position:
        """Book one funding payment (negative when paid): an entry of its own, never a trade."""
        return replace(self, funding=Money(self.funding + amount))


@dataclass(frozen=True, slots=True)
class Effect:
    """What one fill did: the position after it, and what it means for the account, in quote currency.

    `realised` is the price result (before the fee), `margin_added` and `margin_freed` change the margin in use.
    """

    position: Position
    realised: Money
    margin_added: Money
    margin_freed: Money


def apply_fill(
    position: Position, side: Side, price: Price, quantity: Quantity, fee: Money, leverage: int
) -> Effect:
    """Book one execution.

    The part against the position closes it in proportion to its cost; the part beyond (a flip, or any entry) opens
    at the fill's price with `leverage`. Raises InvalidValue for an empty execution.
    """
    if quantity <= 0:
        raise InvalidValue("An execution has a quantity above zero.")
    closing = ZERO
    if position.quantity * side.sign < 0:
        closing = min(quantity, abs(position.quantity))
    opening = quantity - closing
    realised, freed, closed = NO_MONEY, NO_MONEY, position
    if closing:
        whole = closing == abs(position.quantity)
        cost_out = position.cost if whole else settle_down(position.cost * closing / abs(position.quantity))
        freed = (
            position.margin
            if whole
            else Money(settle_down(position.margin * closing / abs(position.quantity)))
        )
        direction = 1 if position.quantity > 0 else -1
        realised = Money((price * closing - cost_out) * direction)
        closed = replace(
            position,
            quantity=position.quantity + closing * side.sign,
            cost=Money(position.cost - cost_out),
            margin=Money(position.margin - freed),
            realised=Money(position.realised + realised),
        )
    added = initial_margin(opening * price, leverage) if opening else NO_MONEY
    after = replace(
        closed,
        quantity=closed.quantity + opening * side.sign,
        cost=Money(closed.cost + opening * price),
        margin=Money(closed.margin + added),
        fees=Money(closed.fees + fee),
    )
    return Effect(position=after, realised=realised, margin_added=added, margin_freed=freed)
