from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from app.domain.shared.money import Money, Price, Quantity
from app.domain.shared.terms import CopyMode
from app.domain.trading.modes import MODES, Sizing
from tests.unit.domain.builders import PROPERTY, D, decimals

FACTS = Sizing(
    leader_quantity=Quantity(D(2)),
    leader_price=Price(D(100)),
    mark_price=Price(D(110)),
    leader_equity=Money(D(2_500)),
    follower_equity=Money(D(1_000)),
    value=D("0.5"),
)


def test_every_mode_has_its_function() -> None:
    assert set(MODES) == set(CopyMode)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (CopyMode.FIXED_AMOUNT, "0.5"),
        (CopyMode.MULTIPLIER, "110"),  # half of two coins, at the mark price
        (CopyMode.EQUITY_PROPORTIONAL, "40"),  # the leader put in 8 %; half of that, of 1000
    ],
)
def test_each_mode_sizes_by_its_own_rule(mode: CopyMode, wanted: str) -> None:
    assert MODES[mode](FACTS) == D(wanted)


@pytest.mark.parametrize("equity", [None, "0", "-5"])
def test_a_proportional_size_needs_to_know_what_the_leader_has(equity: str | None) -> None:
    facts = replace(FACTS, leader_equity=None if equity is None else Money(D(equity)))
    assert MODES[CopyMode.EQUITY_PROPORTIONAL](facts) is None


@pytest.mark.parametrize("mode", [CopyMode.FIXED_AMOUNT, CopyMode.MULTIPLIER])
def test_the_other_modes_do_not_need_the_leaders_equity(mode: CopyMode) -> None:
    assert MODES[mode](replace(FACTS, leader_equity=None)) == MODES[mode](FACTS)


@pytest.mark.parametrize("wallet", ["0", "-300"])
def test_an_empty_or_indebted_wallet_takes_no_proportional_share(wallet: str) -> None:
    facts = replace(FACTS, follower_equity=Money(D(wallet)))
    assert MODES[CopyMode.EQUITY_PROPORTIONAL](facts) == 0


@PROPERTY
@given(decimals("0.01", "100", 2), decimals("1", "10", 0))
def test_a_larger_factor_copies_in_proportion(factor: Decimal, times: Decimal) -> None:
    for mode in CopyMode:
        one, more = MODES[mode](replace(FACTS, value=factor)), MODES[mode](
            replace(FACTS, value=factor * times)
        )
        assert one is not None
        assert more == one * times


@PROPERTY
@given(decimals("1", "100000", 2))
def test_two_followers_of_equal_equity_take_equal_shares_whatever_the_mark(mark: Decimal) -> None:
    size = MODES[CopyMode.EQUITY_PROPORTIONAL]
    assert size(replace(FACTS, mark_price=Price(mark))) == size(FACTS)
