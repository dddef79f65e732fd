"""Protection of a position: what should rest at the exchange, and the life of one such order. Pure.

Invariants: a protection only ever reduces; the stop of a long position stands below and that of a short one above what
it trails, and never moves against the position; the rungs together sell no more than is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Instrument, MarketKind, Side
from app.domain.shared.money import ZERO, Price, Quantity, ceil_to, floor_to
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.shared.triggers import ProtectionStatus, TriggerKind

STOP_RUNG: Final = "SL"
STEP_TO_MOVE: Final = Decimal("0.001")
"""By what share of its price a stop must move to be placed anew: each move costs a venue's patience."""


class ProtectionState(StrEnum):
    """What we know of one protection. ABSENT: looked for beyond the fence and not there."""

    PLACING = "PLACING"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    RESTING = "RESTING"
    CANCELING = "CANCELING"
    TRIGGERED = "TRIGGERED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    ABSENT = "ABSENT"


class ProtectionEvent(Enum):
    """What can happen to one protection."""

    NEVER_LEFT = "never_left"
    REFUSED = "refused"
    LOST = "lost"
    SEEN_RESTING = "seen_resting"
    SEEN_TRIGGERED = "seen_triggered"
    SEEN_CANCELED = "seen_canceled"
    SEEN_EXPIRED = "seen_expired"
    CANCEL = "cancel"
    PROVEN_ABSENT = "proven_absent"


_S, _E = ProtectionState, ProtectionEvent
_OPEN: Final = (_S.PLACING, _S.UNKNOWN, _S.RESTING, _S.CANCELING, _S.ABSENT)

PROTECTION_LIFECYCLE: Final = Lifecycle[ProtectionState, ProtectionEvent](
    "protection",
    {
        (_S.PLACING, _E.NEVER_LEFT): _S.NOT_SENT,
        (_S.PLACING, _E.LOST): _S.UNKNOWN,
        (_S.UNKNOWN, _E.LOST): _S.UNKNOWN,
        (_S.UNKNOWN, _E.PROVEN_ABSENT): _S.ABSENT,
        (_S.CANCELING, _E.PROVEN_ABSENT): _S.CANCELED,  # it rested, was cancelled, and the venue forgot it
        (_S.RESTING, _E.CANCEL): _S.CANCELING,
        (_S.CANCELING, _E.CANCEL): _S.CANCELING,
        (_S.CANCELING, _E.SEEN_RESTING): _S.CANCELING,
        **{(state, _E.SEEN_RESTING): _S.RESTING for state in (_S.PLACING, _S.UNKNOWN, _S.RESTING, _S.ABSENT)},
        **{
            (state, _E.REFUSED): _S.REJECTED for state in _OPEN
        },  # by the venue: at once, or the order it was to become
        **{(state, _E.SEEN_TRIGGERED): _S.TRIGGERED for state in _OPEN},
        **{(state, _E.SEEN_CANCELED): _S.CANCELED for state in _OPEN},
        **{(state, _E.SEEN_EXPIRED): _S.EXPIRED for state in _OPEN},
        # A cancellation and a trigger may cross: what was executed counts.
        (_S.CANCELED, _E.SEEN_TRIGGERED): _S.TRIGGERED,
        (_S.EXPIRED, _E.SEEN_TRIGGERED): _S.TRIGGERED,
        (_S.REJECTED, _E.SEEN_TRIGGERED): _S.TRIGGERED,
    },
)

EVENT_OF_STATUS: Final[Mapping[ProtectionStatus, ProtectionEvent]] = MappingProxyType(
    {
        ProtectionStatus.RESTING: _E.SEEN_RESTING,
        ProtectionStatus.TRIGGERED: _E.SEEN_TRIGGERED,
        ProtectionStatus.CANCELED: _E.SEEN_CANCELED,
        ProtectionStatus.EXPIRED: _E.SEEN_EXPIRED,
        ProtectionStatus.REJECTED: _E.REFUSED,
    }
)

IS_LIVE: Final = frozenset({_S.PLACING, _S.UNKNOWN, _S.RESTING, _S.CANCELING})
"""States in which it may rest at the venue or come to rest there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One protection as it should rest: `rung` names its place ("SL", "TP1", ...), `side` is that of the closing order."""

    rung: str
    kind: TriggerKind
    side: Side
    trigger: Price
    quantity: Quantity


def wanted(
    quantity: Decimal,
    entry: Price,
    terms: ProtectionTerms,
    best: Price,
    instrument: Instrument,
    done: frozenset[str] = frozenset(),
) -> tuple[Wanted, ...]:
    """Return what should rest for a position: the stop first, then the rungs of the ladder that are not `done`.

    `quantity` is signed base units, `entry` the average entry, `best` the best mark price since then. Shares are of
    what the position was before the rungs that are done sold theirs. A rung that rounds to less than the venue takes is
    left out; what it would have sold is left to the stop and to the leader.
    """
    if not quantity:
        return ()
    side = Side.of(quantity).opposite
    found: list[Wanted] = []
    stop = stop_price(quantity, entry, terms, best)
    whole = instrument.round_quantity(abs(quantity))
    if stop is not None and _tradable(whole, stop, instrument):
        found.append(Wanted(STOP_RUNG, TriggerKind.STOP_LOSS, side, _on_tick(stop, side, instrument), whole))
    ladder = [(f"TP{number}", rung) for number, rung in enumerate(terms.take_profits, 1)]
    sold = sum((rung.share for name, rung in ladder if name in done), ZERO)
    if sold >= 1:
        return tuple(found)
    before, left = abs(quantity) / (1 - sold), whole
    for name, rung in ladder:
        trigger = Price(entry * (1 + rung.move * (1 if quantity > 0 else -1)))
        size = min(instrument.round_quantity(before * rung.share), left)
        if name in done or trigger <= ZERO or not _tradable(size, trigger, instrument):
            continue
        left = Quantity(left - size)
        found.append(Wanted(name, TriggerKind.TAKE_PROFIT, side, _on_tick(trigger, side, instrument), size))
    return tuple(found)


def stop_price(quantity: Decimal, entry: Price, terms: ProtectionTerms, best: Price) -> Price | None:
    """Return the tightest of stop-loss, trailing stop and break-even, None when none of them applies (yet)."""
    is_long = quantity > 0
    sign = 1 if is_long else -1
    candidates: list[Decimal] = []
    if terms.stop_loss is not None:
        candidates.append(entry * (1 - terms.stop_loss * sign))
    if terms.trailing is not None:
        candidates.append(best * (1 - terms.trailing * sign))
    if terms.break_even_after is not None and (best - entry) * sign >= entry * terms.break_even_after:
        candidates.append(entry)
    if not candidates:
        return None
    return Price(max(candidates) if is_long else min(candidates))


def best_mark(quantity: Decimal, known: Price | None, entry: Price, mark: Price) -> Price:
    """Return the best mark price since the entry: it only ever moves in favour of the position."""
    start = known if known is not None else entry
    return max(start, mark) if quantity > 0 else min(start, mark)


def is_reached(want: Wanted, mark: Price) -> bool:
    """Return whether the mark has already passed a trigger, so that it could not rest any more."""
    return mark >= want.trigger if want.kind.rises(want.side) else mark <= want.trigger


def is_moved(now: Price, want: Wanted) -> bool:
    """Return whether a resting trigger differs enough from the wanted one to be placed anew."""
    return abs(want.trigger - now) >= now * STEP_TO_MOVE


def _tradable(size: Quantity, at: Price, instrument: Instrument) -> bool:
    if instrument.kind is MarketKind.SPOT:
        return size >= instrument.smallest_order(at)
    return size >= max(instrument.step, instrument.quantity_min)


def _on_tick(price: Decimal, side: Side, instrument: Instrument) -> Price:
    # Away from the market for a seller's stop, towards it for nobody: a tick decides nothing, and never lies at zero.
    rounded = floor_to(price, instrument.tick) if side is Side.SELL else ceil_to(price, instrument.tick)
    return Price(max(rounded, instrument.tick))
