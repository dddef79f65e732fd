from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Quantity
from app.domain.trading.position import Effect, Position, apply_fill
from tests.unit.domain.builders import PROPERTY, D, decimals

BUY, SELL = Side.BUY, Side.SELL
FLAT = Position()
Execution = tuple[Side, Decimal, Decimal]


def book(
    position: Position,
    side: Side,
    price: str | Decimal,
    quantity: str | Decimal,
    fee: str = "0",
    leverage: int = 10,
) -> Effect:
    return apply_fill(position, side, Price(D(price)), Quantity(D(quantity)), Money(D(fee)), leverage)


def after(*fills: tuple[Side, str, str], leverage: int = 10) -> Position:
    position = FLAT
    for side, price, quantity in fills:
        position = book(position, side, price, quantity, leverage=leverage).position
    return position


@pytest.mark.parametrize(
    ("fills", "quantity", "cost", "margin", "realised"),
    [
        ([(BUY, "100", "2")], "2", "200", "20", "0"),
        ([(SELL, "100", "2")], "-2", "200", "20", "0"),
        ([(BUY, "100", "1"), (BUY, "110", "1")], "2", "210", "21", "0"),
        ([(BUY, "100", "2"), (SELL, "110", "1")], "1", "100", "10", "10"),
        ([(BUY, "100", "2"), (SELL, "110", "2")], "0", "0", "0", "20"),
        ([(SELL, "100", "2"), (BUY, "90", "2")], "0", "0", "0", "20"),
        ([(SELL, "100", "2"), (BUY, "110", "1")], "-1", "100", "10", "-10"),
        ([(BUY, "100", "1"), (SELL, "90", "3")], "-2", "180", "18", "-10"),
        ([(SELL, "100", "1"), (BUY, "90", "3")], "2", "180", "18", "10"),
    ],
)
def test_fills_net_into_one_position(
    fills: list[tuple[Side, str, str]], quantity: str, cost: str, margin: str, realised: str
) -> None:
    position = after(*fills)
    assert position == Position(D(quantity), Money(D(cost)), Money(D(margin)), Money(D(realised)))


@pytest.mark.parametrize("leverage", [1, 5, 20, 125])
@pytest.mark.parametrize(("opening", "exit_price"), [(BUY, "110"), (SELL, "90")])
def test_pnl_is_never_multiplied_by_leverage(leverage: int, opening: Side, exit_price: str) -> None:
    position = book(FLAT, opening, "100", "3", leverage=leverage).position
    assert position.unrealised(Price(D(exit_price))) == 30
    effect = book(position, opening.opposite, exit_price, "3", leverage=leverage)
    assert effect.realised == 30
    assert effect.position.realised == 30


@pytest.mark.parametrize(
    ("opening", "exit_price", "result"),
    [(SELL, "90", "10"), (SELL, "110", "-10"), (BUY, "90", "-10"), (BUY, "110", "10"), (SELL, "100", "0")],
)
def test_a_short_earns_when_the_price_falls_and_loses_when_it_rises(
    opening: Side, exit_price: str, result: str
) -> None:
    position = book(FLAT, opening, "100", "1").position
    assert position.unrealised(Price(D(exit_price))) == D(result)
    assert book(position, opening.opposite, exit_price, "1").realised == D(result)


def test_a_flip_closes_first_and_then_opens_at_the_fills_price() -> None:
    long = after((BUY, "100", "2"))
    effect = book(long, SELL, "130", "5", fee="1.5", leverage=5)
    assert effect.realised == 60
    assert effect.margin_freed == 20
    assert effect.margin_added == 78
    assert effect.position == Position(D(-3), Money(D(390)), Money(D(78)), Money(D(60)), Money(D("1.5")))
    assert effect.position.average_entry == 130


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_an_empty_execution_is_refused(quantity: str) -> None:
    with pytest.raises(InvalidValue):
        book(FLAT, BUY, "100", quantity)


def test_fees_and_funding_are_figures_of_their_own() -> None:
    position = book(FLAT, BUY, "100", "1", fee="0.04").position
    position = book(position, SELL, "110", "1", fee="-0.01").position.with_funding(Money(D("-0.5")))
    assert [position.realised, position.fees, position.funding] == [10, D("0.03"), D("-0.5")]
    assert position.net_result == D("9.47")


def test_funding_is_not_a_trade() -> None:
    long = after((BUY, "100", "2"))
    assert replace(long.with_funding(Money(D(3))), funding=Money(D(0))) == long


def test_a_flat_position_has_no_average_and_nothing_unrealised() -> None:
    assert FLAT.average_entry is None
    assert FLAT.unrealised(Price(D(100))) == 0
    assert after((BUY, "100", "3"), (BUY, "101", "4")).average_entry == D("100.571428571428571428")


def test_rounding_never_accumulates_in_the_average() -> None:
    """A third of the cost is cut at each step; what is cut off stays in the cost and leaves with the last part."""
    position = after((BUY, "100", "1"), (BUY, "101", "2"))
    for _ in range(2):
        position = book(position, SELL, "100", "1").position
    position = book(position, SELL, "100", "1").position
    assert position.realised == -2
    assert [position.cost, position.margin] == [0, 0]


FILLS = st.lists(
    st.tuples(st.sampled_from(Side), decimals("0.01", "90000", 2), decimals("0.001", "40", 3)), max_size=14
)


def replay(fills: list[Execution], leverage: int) -> list[Effect]:
    effects: list[Effect] = []
    for side, price, quantity in fills:
        position = effects[-1].position if effects else FLAT
        effects.append(book(position, side, price, quantity, fee="0.01", leverage=leverage))
    return effects


def flattened(fills: list[Execution], price: Decimal) -> list[Execution]:
    net = sum((side.sign * quantity for side, _, quantity in fills), D(0))
    return [*fills, (Side.of(-net), price, abs(net))] if net else fills


@PROPERTY
@given(FILLS, decimals("0.01", "90000", 2), st.integers(1, 125))
def test_money_is_conserved_whatever_the_fills(fills: list[Execution], price: Decimal, leverage: int) -> None:
    fills = flattened(fills, price)
    effects = replay(fills, leverage)
    last = effects[-1].position if effects else FLAT
    sold = sum((price * quantity for side, price, quantity in fills if side is SELL), D(0))
    bought = sum((price * quantity for side, price, quantity in fills if side is BUY), D(0))
    assert last.quantity == 0
    assert last.realised == sold - bought
    assert [last.cost, last.margin] == [0, 0]
    assert last.fees == D("0.01") * len(fills)
    assert last.realised == sum((effect.realised for effect in effects), D(0))


@PROPERTY
@given(FILLS, st.integers(1, 125))
def test_every_moment_adds_up(fills: list[Execution], leverage: int) -> None:
    """At any time: realised + unrealised at the last price = what the same trades are worth in cash."""
    cash, margin = D(0), D(0)
    for (side, price, quantity), effect in zip(fills, replay(fills, leverage), strict=True):
        cash -= side.sign * price * quantity
        margin += effect.margin_added - effect.margin_freed
        position = effect.position
        assert position.realised + position.unrealised(Price(price)) == cash + position.quantity * price
        assert position.margin == margin >= 0
        assert position.cost >= 0
        assert (position.cost == 0) is (position.quantity == 0)
        assert position.margin * leverage >= position.cost - D("1E-12")


@PROPERTY
@given(FILLS, decimals("1", "90000", 2))
def test_a_short_is_the_mirror_image_of_a_long(fills: list[Execution], mark: Decimal) -> None:
    mirrored = [(side.opposite, price, quantity) for side, price, quantity in fills]
    for one, other in zip(replay(fills, 10), replay(mirrored, 10), strict=True):
        assert one.position.quantity == -other.position.quantity
        assert one.position.cost == other.position.cost
        assert one.realised == -other.realised
        assert one.position.unrealised(Price(mark)) == -other.position.unrealised(Price(mark))
