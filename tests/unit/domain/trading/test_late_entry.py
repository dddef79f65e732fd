"""An entry that appears after its follow has left: what must be closed for it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.market import Side
from app.domain.shared.money import Quantity
from app.domain.trading.late_entry import LateEntry, way_out
from tests.unit.domain.builders import D

QUANTITIES = st.decimals(min_value="0.001", max_value="1000", places=3)
FRACTIONS = st.lists(st.decimals(min_value="0.01", max_value="1", places=2), min_size=1, max_size=4)


def late(held: str, appeared: str, *fractions: str, pending: str = "0", side: Side = Side.BUY) -> LateEntry:
    return LateEntry(side, Quantity(D(appeared)), D(held), Quantity(D(pending)), [D(f) for f in fractions])


@pytest.mark.parametrize(
    ("entry", "quantity", "fraction"),
    [
        (late("5", "5", "1"), "5", "1"),
        (late("-5", "5", "1", side=Side.SELL), "5", "1"),
        (late("10", "5", "1"), "5", "0.5"),
        (late("10", "5", "1", pending="5"), "5", "1"),
        (late("5", "5", "0.5"), "2.5", "0.5"),
        (late("8", "8", "0.5", "0.5"), "6", "0.75"),
        (late("3", "5", "1"), "3", "1"),
        (late("30", "10", "1"), "10", "0.333333333333333334"),
    ],
    ids=[
        "the leader is out",
        "a short",
        "a newer lot stays",
        "what another exit closes is not ours to close",
        "the leader has left by half",
        "two reductions multiply",
        "never more than is held",
        "a third is rounded up, so that rounding to the step leaves nothing over",
    ],
)
def test_what_the_exits_since_would_have_closed_is_closed(
    entry: LateEntry, quantity: str, fraction: str
) -> None:
    out = way_out(entry)
    assert out is not None
    assert (out.quantity, out.fraction) == (D(quantity), D(fraction))


@pytest.mark.parametrize(
    "entry",
    [late("5", "5"), late("5", "5", "1", pending="5"), late("0", "5", "1"), late("-5", "5", "1")],
    ids=["no exit since", "all of it is on its way out", "flat", "the follow has turned round"],
)
def test_nothing_is_closed_where_nothing_was_left_behind(entry: LateEntry) -> None:
    assert way_out(entry) is None


def test_a_share_without_an_end_is_cut_to_what_is_stored() -> None:
    out = way_out(late("0.007", "0.003", "0.333333333333333333", "0.333333333333333333"))
    assert out is not None
    for figure in (out.quantity, out.fraction):
        assert figure == figure.quantize(D("1E-18"))
    assert out.quantity >= D("0.003") * D("0.5555555555555555")


@given(older=QUANTITIES, appeared=QUANTITIES, fractions=FRACTIONS)
def test_the_rest_is_the_leaders_share_of_what_appeared_and_all_of_the_newer_lot(
    older: Decimal, appeared: Decimal, fractions: list[Decimal]
) -> None:
    held = older + appeared
    out = way_out(LateEntry(Side.BUY, Quantity(appeared), held, Quantity(D(0)), fractions))
    kept = D(1)
    for fraction in fractions:
        kept *= 1 - fraction
    assert out is not None
    assert 0 <= older + appeared * kept - (held - out.quantity) <= D("1E-18")
    assert 0 < out.fraction <= 1
    assert 0 <= out.fraction * held - out.quantity <= held * D("1E-18")
