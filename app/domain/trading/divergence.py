"""Divergence: what of a venue's fills closed our lots, when the venue holds less than our books say. Pure.

Invariants.
 - Only what makes the venue's position smaller than our lots is ours: an owner's own position on top absorbs first.
 - The history is replayed from the venue's present position backwards, so that neither our own fills nor the owner's
   are taken for each other; where it does not add up, nothing is attributed at all.
 - A fill is attributed once, under its trade id; the parts of a fill over several lots add up to it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.shared.execution import Fill, VenuePosition
from app.domain.shared.ids import FollowId
from app.domain.shared.money import ZERO, Money, Quantity, settle_down

PART_MARK = "~"
"""Stands between the venue's trade id and the follow, in the key of a fill's second and later parts."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What one follow holds on a market, signed base units."""

    follow_id: FollowId
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a venue's fill that closed (some of) one follow's lot."""

    follow_id: FollowId
    fill: Fill


def sum_of(lots: Sequence[Lot]) -> Decimal:
    """Return what the lots are together, signed."""
    return sum((lot.quantity for lot in lots), ZERO)


def on_our_side(ours: Decimal, held: Sequence[VenuePosition]) -> Decimal:
    """Return the venue's position of one market as far as it can hold our lots, signed.

    Where positions net there is one, of whatever sign; in hedge mode the leg of the other side is the owner's.
    """
    if len(held) == 1:
        return held[0].quantity
    return sum((each.quantity for each in held if each.quantity * ours > 0), ZERO)


def missing(ours: Decimal, theirs: Decimal) -> Decimal:
    """Return how much smaller the venue's position is than ours, never below zero."""
    direction = -1 if ours < 0 else 1
    return max(ZERO, abs(ours) - max(ZERO, theirs * direction))


def vanished(lots: Sequence[Lot], theirs: Decimal) -> Sequence[Lot]:
    """Return what the venue does not hold of our lots, signed as they are, the oldest first; nothing where none is missing."""
    left = missing(sum_of(lots), theirs)
    found: list[Lot] = []
    for lot in lots:
        part = min(abs(lot.quantity), left)
        if part:
            found.append(Lot(lot.follow_id, part if lot.quantity > 0 else -part))
        left -= part
    return found


def move_of(fill: Fill) -> Decimal:
    """Return by how much a fill changes a position, signed: less what a spot venue kept as its fee in coins."""
    return fill.side.sign * (fill.quantity - fill.base_fee)


def attribute(
    lots: Sequence[Lot], theirs: Decimal, fills: Sequence[Fill], booked: Mapping[str, Decimal]
) -> Sequence[Share] | None:
    """Return which parts of the venue's fills closed our lots; None when the fills do not explain what is missing.

    `lots` are oldest first, `fills` are of one market and oldest first, whoever's they are; `booked` says by trade id
    how much of a fill moved our books, signed.
    """
    ours = sum_of(lots) - sum((booked.get(fill.trade_id, ZERO) for fill in fills), ZERO)
    position = theirs - sum((move_of(fill) for fill in fills), ZERO)
    left = list(lots)
    shares: list[Share] = []
    for fill in fills:
        if missing(ours, position):
            return None
        position += move_of(fill)
        ours += booked.get(fill.trade_id, ZERO)
        lost = missing(ours, position)
        if not lost:
            continue
        if fill.trade_id in booked or ours * fill.side.sign > 0:
            return None
        taken = _take(fill, lost, left)
        if taken is None:
            return None
        shares += taken
        ours += fill.side.sign * lost
    return None if missing(ours, position) else shares


def _take(fill: Fill, lost: Decimal, left: list[Lot]) -> Sequence[Share] | None:
    """Spread a fill's part over the lots that are left, the oldest first; `left` becomes what remains."""
    shares: list[Share] = []
    done = ZERO
    while done < lost:
        if not left or left[0].quantity * fill.side.sign > 0:
            return None
        lot = left[0]
        part = min(abs(lot.quantity), lost - done)
        shares.append(Share(lot.follow_id, _part(fill, done, done + part, lot.follow_id)))
        rest = lot.quantity + fill.side.sign * part
        left[0:1] = [Lot(lot.follow_id, rest)] if rest else []
        done += part
    return shares


def _part(fill: Fill, begin: Decimal, end: Decimal, follow: FollowId) -> Fill:
    """Return the part of a fill between two quantities; parts that meet share its fee and profit without a rest."""
    if begin == ZERO and end == fill.quantity:
        return fill

    def between(amount: Money) -> Money:
        return Money(_upto(amount, end, fill) - _upto(amount, begin, fill))

    return replace(
        fill,
        trade_id=fill.trade_id if begin == ZERO else f"{fill.trade_id}{PART_MARK}{follow}",
        quantity=Quantity(end - begin),
        fee=between(fill.fee),
        realised_pnl=between(fill.realised_pnl),
        order_final=False,
    )


def _upto(amount: Money, quantity: Decimal, fill: Fill) -> Decimal:
    if quantity == fill.quantity:
        return amount
    return settle_down(amount * quantity / fill.quantity)
