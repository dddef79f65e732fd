"""Limits: how far a follower may go. Several levels set them; the tightest wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TypeVar

from app.domain.shared.errors import InvalidValue

N = TypeVar("N", int, Decimal)


@dataclass(frozen=True, slots=True)
class Limits:
    """One level's limits; None means that this level sets none.

    Notionals and the daily loss are quote currency above zero, `drawdown_max` is a ratio of the high-water mark,
    `leverage_max` and `positions_max` are counts.
    """

    order_notional_max: Decimal | None = None
    symbol_notional_max: Decimal | None = None
    total_notional_max: Decimal | None = None
    daily_loss_max: Decimal | None = None
    drawdown_max: Decimal | None = None
    leverage_max: int | None = None
    positions_max: int | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            value: Decimal | int | None = getattr(self, item.name)
            if value is not None and (not Decimal(value).is_finite() or value < 0):
                raise InvalidValue(f"The limit {item.name} must be zero or more.", limit=item.name)
        if self.drawdown_max is not None and self.drawdown_max > 1:
            raise InvalidValue("The drawdown limit is a ratio between 0 and 1.", limit="drawdown_max")


def tightest(levels: Iterable[Limits]) -> Limits:
    """Merge levels (platform, plan, user, follow): for each limit the smallest that any level sets."""
    merged = tuple(levels)
    return Limits(
        order_notional_max=_least(level.order_notional_max for level in merged),
        symbol_notional_max=_least(level.symbol_notional_max for level in merged),
        total_notional_max=_least(level.total_notional_max for level in merged),
        daily_loss_max=_least(level.daily_loss_max for level in merged),
        drawdown_max=_least(level.drawdown_max for level in merged),
        leverage_max=_least(level.leverage_max for level in merged),
        positions_max=_least(level.positions_max for level in merged),
    )


def _least(values: Iterable[N | None]) -> N | None:
    return min((value for value in values if value is not None), default=None)
