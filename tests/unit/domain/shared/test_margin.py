from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.margin import funds_needed, funds_per_notional, initial_margin
from tests.unit.domain.builders import PROPERTY, D, decimals


@PROPERTY
@given(decimals("0.01", "1000000", 8), st.integers(1, 125))
def test_held_funds_cover_the_initial_margin_and_the_fees(notional: Decimal, leverage: int) -> None:
    needed = funds_needed(notional, leverage)
    margin = initial_margin(notional, leverage)
    assert margin * leverage >= notional
    assert needed >= margin + notional * D("0.003") - D("1E-18")
    assert needed > margin


def test_higher_leverage_ties_up_less() -> None:
    shares = [funds_per_notional(leverage) for leverage in range(1, 126)]
    assert shares == sorted(shares, reverse=True)
    assert funds_per_notional(10) == D("0.103")
    assert funds_needed(D(1000), 10) == 103
