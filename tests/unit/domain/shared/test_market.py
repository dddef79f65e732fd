from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side, symbol
from app.domain.shared.money import Money, Price, Quantity
from tests.unit.domain.builders import PROPERTY, D, decimals, instrument


@pytest.mark.parametrize("text", ["BTC-USDT", "1000SHIB-USDT", "A-BC", "A" * 20 + "-" + "B" * 10])
def test_a_symbol_is_base_and_quote_joined_by_a_hyphen(text: str) -> None:
    assert symbol(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "BTCUSDT", "btc-usdt", "BTC/USDT", "BTC-", "-USDT", "BTC-USDT\n", " BTC-USDT", "A" * 21 + "-USDT", "BTC-U",
     "BTC-USDT-PERP", "\u0412TC-USDT", "BTC-USD\u0661", "BTC-USDT;--"],
)  # fmt: skip
def test_a_text_that_only_resembles_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        symbol(text)


@pytest.mark.parametrize(("side", "opposite", "sign"), [(Side.BUY, Side.SELL, 1), (Side.SELL, Side.BUY, -1)])
def test_a_side_knows_its_opposite_and_its_sign(side: Side, opposite: Side, sign: int) -> None:
    assert side.opposite is opposite
    assert side.sign == sign
    assert Side.of(D(sign)) is side


@pytest.mark.parametrize("field", ["tick", "step"])
@pytest.mark.parametrize("value", ["0", "-0.1"])
def test_an_instrument_without_a_tick_or_step_is_refused(field: str, value: str) -> None:
    given_values = {"tick": "0.1", "step": "0.001"} | {field: value}
    with pytest.raises(InvalidValue):
        instrument(tick=given_values["tick"], step=given_values["step"])


@pytest.mark.parametrize(
    ("wanted", "rounded"), [("1.2349", "1.234"), ("1.234", "1.234"), ("0.0009", "0"), ("0", "0")]
)
def test_a_quantity_is_rounded_down_to_the_step(wanted: str, rounded: str) -> None:
    assert instrument().round_quantity(D(wanted)) == D(rounded)


@pytest.mark.parametrize(
    ("price", "least", "notional", "smallest"),
    [
        ("100", "0.001", "5", "0.05"),  # the notional filter asks for more
        ("100000", "0.001", "5", "0.001"),  # the quantity filter asks for more
        ("3", "0.001", "5", "1.667"),  # rounded up, so that the notional is reached
        ("100", "0.0015", "0", "0.002"),  # a minimum between two steps
    ],
)
def test_the_smallest_order_passes_both_filters(price: str, least: str, notional: str, smallest: str) -> None:
    assert instrument(least=least, notional=notional).smallest_order(Price(D(price))) == D(smallest)


def test_the_smallest_order_is_at_least_one_step_where_the_venue_names_no_minimum() -> None:
    market = instrument(least="0", notional="0")
    assert market.smallest_order(Price(D(100))) == market.step


@PROPERTY
@given(decimals("0.01", "100000", 2), decimals("0.001", "10", 3), decimals("1", "100", 2))
def test_one_step_less_than_the_smallest_order_fails_a_filter(
    price: Decimal, least: Decimal, notional: Decimal
) -> None:
    market = replace(instrument(), quantity_min=Quantity(least), notional_min=Money(notional))
    smallest = market.smallest_order(Price(price))
    assert smallest % market.step == 0
    assert smallest >= least
    assert smallest * price >= notional
    less = smallest - market.step
    assert less < least or less * price < notional
