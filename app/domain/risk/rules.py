"""The rules on new risk, each a sentence; the table says in which order they speak.

A rule sees one proposal, the account's exposure and the merged limits, and returns None (fine) or a denial. A denial
with `room` means that a smaller order would pass. Rules see entries only: exits are never asked.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias

from app.domain.risk.denials import Denial, DenialCode
from app.domain.risk.exposure import Exposure, Proposal
from app.domain.risk.limits import Limits
from app.domain.shared.margin import funds_per_notional
from app.domain.shared.money import ZERO

Rule: TypeAlias = Callable[[Proposal, Exposure, Limits], Denial | None]


def entries_are_not_halted(order: Proposal | None, exposure: Exposure, limits: Limits) -> Denial | None:
    """The operator, the venue's state or the user has not stopped new risk."""
    return Denial(DenialCode.ENTRIES_HALTED, ZERO, ZERO) if exposure.entries_halted else None


def price_has_not_drifted(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """The market has not moved against the follower by more than agreed since the leader traded."""
    drift = (order.mark_price - order.reference_price) * order.side.sign / order.reference_price
    if drift <= order.drift_max:
        return None
    return Denial(DenialCode.PRICE_DRIFTED, drift.quantize(Decimal("0.000001")), order.drift_max)


def no_opposing_position(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """No other leader's position on this market would be netted away: one-way accounts hold one direction."""
    if exposure.other_quantity * order.side.sign >= 0:
        return None
    return Denial(DenialCode.OPPOSING_POSITION, abs(exposure.other_quantity), ZERO)


def daily_loss_within_limit(order: Proposal | None, exposure: Exposure, limits: Limits) -> Denial | None:
    """Today's realised loss has not reached the limit."""
    if limits.daily_loss_max is None or -exposure.realised_today < limits.daily_loss_max:
        return None
    return Denial(DenialCode.DAILY_LOSS_LIMIT, -exposure.realised_today, limits.daily_loss_max)


def drawdown_within_limit(order: Proposal | None, exposure: Exposure, limits: Limits) -> Denial | None:
    """The wallet is not too far below the highest it has been."""
    if limits.drawdown_max is None or exposure.high_water <= 0:
        return None
    drawdown = (exposure.high_water - exposure.wallet) / exposure.high_water
    if drawdown < limits.drawdown_max:
        return None
    return Denial(DenialCode.DRAWDOWN_LIMIT, drawdown.quantize(Decimal("0.000001")), limits.drawdown_max)


def positions_within_limit(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """The account does not hold too many positions to open another."""
    if limits.positions_max is None or not order.opens_position or exposure.positions < limits.positions_max:
        return None
    return Denial(DenialCode.TOO_MANY_POSITIONS, Decimal(exposure.positions), Decimal(limits.positions_max))


def leverage_within_limit(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """The order does not use more leverage than allowed (sizing caps it first, so this is the last guard)."""
    if limits.leverage_max is None or order.leverage <= limits.leverage_max:
        return None
    return Denial(DenialCode.LEVERAGE_ABOVE_LIMIT, Decimal(order.leverage), Decimal(limits.leverage_max))


def order_within_limit(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """One order is not larger than allowed."""
    if limits.order_notional_max is None or order.notional <= limits.order_notional_max:
        return None
    return Denial(
        DenialCode.ORDER_ABOVE_LIMIT, order.notional, limits.order_notional_max, limits.order_notional_max
    )


def symbol_exposure_within_limit(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """The account does not carry too much on one market."""
    if limits.symbol_notional_max is None:
        return None
    wanted = exposure.symbol_notional + order.notional
    if wanted <= limits.symbol_notional_max:
        return None
    room = max(limits.symbol_notional_max - exposure.symbol_notional, ZERO)
    return Denial(DenialCode.SYMBOL_EXPOSURE_LIMIT, wanted, limits.symbol_notional_max, room)


def total_exposure_within_limit(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """The account does not carry too much in all."""
    if limits.total_notional_max is None:
        return None
    wanted = exposure.total_notional + order.notional
    if wanted <= limits.total_notional_max:
        return None
    room = max(limits.total_notional_max - exposure.total_notional, ZERO)
    return Denial(DenialCode.TOTAL_EXPOSURE_LIMIT, wanted, limits.total_notional_max, room)


def funds_suffice(order: Proposal, exposure: Exposure, limits: Limits) -> Denial | None:
    """Free funds cover the initial margin and the fees."""
    per_notional = funds_per_notional(order.leverage)
    needed = order.notional * per_notional
    if needed <= exposure.free:
        return None
    room = max(exposure.free, ZERO) / per_notional
    return Denial(DenialCode.INSUFFICIENT_FUNDS, needed, exposure.free, room)


STANDING_RULES: Final[tuple[Callable[[None, Exposure, Limits], Denial | None], ...]] = (
    entries_are_not_halted,
    daily_loss_within_limit,
    drawdown_within_limit,
)
"""Those that look at the account alone: they refuse any order, one that waits to be sent again too."""

RULES: Final[tuple[Rule, ...]] = (
    entries_are_not_halted,
    daily_loss_within_limit,
    drawdown_within_limit,
    no_opposing_position,
    positions_within_limit,
    leverage_within_limit,
    price_has_not_drifted,
    order_within_limit,
    symbol_exposure_within_limit,
    total_exposure_within_limit,
    funds_suffice,
)
