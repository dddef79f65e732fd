"""The conformance cards: each case of this folder bears a number and says which venues it is for.

A venue passes a card by passing its case; a venue without the thing that a case is about is left out by its
capabilities, never by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from app.domain.exchanges.venue import CAPABILITIES, Capabilities, IdUniqueness
from app.domain.shared.market import MarketKind, Venue
from tests.contract.exchanges.dialects import DIALECTS, Dialect

Need = Callable[[Capabilities, Dialect], bool]
Case = TypeVar("Case", bound=Callable[..., object])


def every_venue(_: Capabilities, __: Dialect) -> bool:
    """For all."""
    return True


def contracts(can: Capabilities, _: Dialect) -> bool:
    """Where positions are held, not coins."""
    return can.kind is not MarketKind.SPOT


def spot(can: Capabilities, _: Dialect) -> bool:
    """Where coins are held."""
    return can.kind is MarketKind.SPOT


def unique_ids(can: Capabilities, _: Dialect) -> bool:
    """Where a client order id that is in use is refused."""
    return can.id_uniqueness is not IdUniqueness.NONE


def hedging(can: Capabilities, _: Dialect) -> bool:
    """Where a long and a short position may stand side by side."""
    return can.hedges


def protecting(can: Capabilities, _: Dialect) -> bool:
    """Where stop-loss and take-profit rest at the exchange."""
    return can.protects


def protecting_shorts(can: Capabilities, _: Dialect) -> bool:
    """Where they rest and a position may be short."""
    return can.protects and can.kind is not MarketKind.SPOT


def protecting_both_sides(can: Capabilities, _: Dialect) -> bool:
    """Where they rest and both sides may be held at once."""
    return can.protects and can.hedges


def key_rights(_: Capabilities, dialect: Dialect) -> bool:
    """Where a key's right to trade can be withheld."""
    return bool(dialect.right)


def counting(_: Capabilities, dialect: Dialect) -> bool:
    """Where the venue tells how many orders it has counted."""
    return dialect.counts


def keyed_reads(_: Capabilities, dialect: Dialect) -> bool:
    """Where an account may be read by its owner alone."""
    return not dialect.public_reads


def card(number: str, needs: Need = every_venue) -> Callable[[Case], Case]:
    """Give a case its number and say which venues it is for."""

    def mark(case: Case) -> Case:
        marked: Case = pytest.mark.card(number, needs)(case)
        return marked

    return mark


def venues_for(needs: Need) -> list[Venue]:
    """Return the venues that a case is for."""
    return [venue for venue, dialect in DIALECTS.items() if needs(CAPABILITIES[venue], dialect)]
