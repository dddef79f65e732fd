"""From a leader's fills to a leader's intent: which fills are one decision, and what it means.

The aggregation rule. A leader's order may execute in hundreds of fills; copying each would send thousands of tiny
orders. So:
 1. fills of one (symbol, order id) belong to one burst;
 2. a burst is decided as soon as the venue says that the order is final, else when no fill has come for
    `quiet`, or when `open_max` has passed since its first fill;
 3. a fill that comes after its order's burst was decided begins a new burst: an order that rests for hours is
    copied as it fills, not when it ends.
Invariant: each fill is in exactly one burst, and a burst's fills keep the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Action, Fill
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import ZERO, Price, Quantity, settle_down


@dataclass(frozen=True, slots=True)
class BurstRule:
    """How long a burst may stay open: since its last fill, and since its first."""

    quiet: timedelta = timedelta(milliseconds=150)
    open_max: timedelta = timedelta(milliseconds=1500)


@dataclass(frozen=True, slots=True)
class Burst:
    """The fills of one leader order that make one decision, oldest first; never empty."""

    symbol: Symbol
    order_id: str
    fills: tuple[Fill, ...]

    def __post_init__(self) -> None:
        if not self.fills:
            raise InvalidValue("A burst holds at least one fill.", order_id=self.order_id)

    @property
    def signed_quantity(self) -> Decimal:
        """The change of position in the market's unit: bought above zero, sold below; a fee kept in coins never came."""
        return sum((fill.quantity * fill.side.sign - fill.base_fee for fill in self.fills), ZERO)

    @property
    def average_price(self) -> Price:
        """The quantity-weighted price over all fills, cut to 18 decimals."""
        volume = sum((fill.quantity for fill in self.fills), ZERO)
        return Price(settle_down(sum((fill.quantity * fill.price for fill in self.fills), ZERO) / volume))

    @property
    def last_at(self) -> datetime:
        """The venue's time of the newest fill: latency is counted from here."""
        return max(fill.at for fill in self.fills)


class BurstCollector:
    """Collects fills into bursts by the rule above; the caller's clock says when (`seen_at`, `now`)."""

    def __init__(self, rule: BurstRule) -> None:
        self._rule = rule
        self._open: dict[tuple[Symbol, str], list[Fill]] = {}
        self._first_seen: dict[tuple[Symbol, str], datetime] = {}
        self._last_seen: dict[tuple[Symbol, str], datetime] = {}

    def add(self, fill: Fill, seen_at: datetime) -> Burst | None:
        """Take one fill; return its burst at once if the venue says that the order is final."""
        key = (fill.symbol, fill.order_id)
        self._open.setdefault(key, []).append(fill)
        self._first_seen.setdefault(key, seen_at)
        self._last_seen[key] = seen_at
        return self._close(key) if fill.order_final else None

    def due(self, now: datetime) -> tuple[Burst, ...]:
        """Return the bursts that have been quiet or open for long enough, oldest first."""
        ripe = [
            key
            for key in self._open
            if now - self._last_seen[key] >= self._rule.quiet
            or now - self._first_seen[key] >= self._rule.open_max
        ]
        return tuple(self._close(key) for key in ripe)

    def next_due(self) -> datetime | None:
        """Return when `due` will next return something if no fill comes, or None when nothing is open."""
        moments = (
            min(self._last_seen[key] + self._rule.quiet, self._first_seen[key] + self._rule.open_max)
            for key in self._open
        )
        return min(moments, default=None)

    def _close(self, key: tuple[Symbol, str]) -> Burst:
        fills = self._open.pop(key)
        del self._first_seen[key], self._last_seen[key]
        return Burst(symbol=key[0], order_id=key[1], fills=tuple(fills))


@dataclass(frozen=True, slots=True)
class Step:
    """One half of an intent, with one direction: what each follower is asked to copy.

    `quantity` is the leader's, in base units, above zero. `fraction` is, for exits, the share of the leader's
    position that was closed (0 < fraction <= 1), and 1 for entries.
    """

    action: Action
    side: Side
    quantity: Quantity
    fraction: Decimal


@dataclass(frozen=True, slots=True)
class Intent:
    """What a leader meant: the action on the position, before and after (signed), and its one or two steps."""

    action: Action
    before: Decimal
    after: Decimal
    steps: Sequence[Step]


def net(before: Decimal, change: Decimal, dust: Decimal) -> Intent | None:
    """Return what changing a position of `before` by `change` means; None when nothing tradable changed.

    `dust` (base units, usually the instrument's step) is the size below which a rest counts as flat: a leader
    who sells all but a rounding error has closed.
    """
    after = before + change
    start = ZERO if abs(before) < dust else before
    end = ZERO if abs(after) < dust else after
    if start == end or change == 0:
        return None
    if start == 0:
        return Intent(Action.OPEN, before, after, (_entry(Action.OPEN, end),))
    if end == 0:
        return Intent(Action.CLOSE, before, after, (_exit(Action.CLOSE, start, Decimal(1)),))
    if (start > 0) != (end > 0):
        return Intent(
            Action.FLIP, before, after, (_exit(Action.CLOSE, start, Decimal(1)), _entry(Action.OPEN, end))
        )
    if abs(end) > abs(start):
        return Intent(Action.ADD, before, after, (_entry(Action.ADD, end - start),))
    share = settle_down((abs(start) - abs(end)) / abs(start))
    return Intent(Action.REDUCE, before, after, (_exit(Action.REDUCE, start - end, share),))


def _entry(action: Action, signed: Decimal) -> Step:
    return Step(action, Side.of(signed), Quantity(abs(signed)), Decimal(1))


def _exit(action: Action, signed: Decimal, fraction: Decimal) -> Step:
    return Step(action, Side.of(signed).opposite, Quantity(abs(signed)), fraction)
