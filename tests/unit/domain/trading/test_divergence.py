"""Divergence by itself: which fills closed our lots, with the owner's own trades beside and on top of ours."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.execution import Fill, FillCause, VenuePosition
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.domain.trading.divergence import Lot, Share, attribute, missing, move_of, on_our_side
from tests.fakes.clock import START
from tests.unit.domain.builders import BTC, D

A, B = FollowId(1), FollowId(2)


def fill(number: int, signed: str | Decimal, cause: FillCause = FillCause.TRADE) -> Fill:
    """An execution of one's own order each; a fee and a profit that do not divide evenly."""
    quantity = D(signed) if isinstance(signed, str) else signed
    return Fill(
        venue=Venue.BINANCE_USDM, symbol=BTC, trade_id=str(number), order_id=f"v{number}", client_order_id="web",
        side=Side.of(quantity), price=Price(D(100)), quantity=Quantity(abs(quantity)), fee=Money(D("0.1")),
        realised_pnl=Money(D("-1")), at=START, cause=cause,
    )  # fmt: skip


def lots(*quantities: str) -> tuple[Lot, ...]:
    return tuple(Lot(FollowId(number), D(each)) for number, each in enumerate(quantities, start=1))


def told(shares: Sequence[Share] | None) -> list[tuple[int, str, str]] | None:
    if shares is None:
        return None
    return [(each.follow_id, each.fill.trade_id, str(each.fill.quantity.normalize())) for each in shares]


NOT_BOOKED: dict[str, Decimal] = {}


@pytest.mark.parametrize(
    ("ours", "theirs", "fills", "booked", "expected"),
    [
        pytest.param(("2",), "0", ["-2"], {}, [(1, "1", "2")], id="closed by hand"),
        pytest.param(("-2",), "0", ["2"], {}, [(1, "1", "2")], id="a short closed by hand"),
        pytest.param(("2",), "0.5", ["-1", "-0.5"], {}, [(1, "1", "1"), (1, "2", "0.5")], id="in part"),
        pytest.param(("2",), "-1", ["-3"], {}, [(1, "1", "2")], id="beyond: the rest is the owner's short"),
        pytest.param(("1", "1"), "0", ["-2"], {}, [(1, "1", "1"), (2, "1~2", "1")], id="over two lots"),
        pytest.param(("1", "1"), "1", ["-1"], {}, [(1, "1", "1")], id="the older lot first"),
        pytest.param(("2",), "1", ["3", "-4"], {}, [(1, "2", "1")], id="manual on top absorbs first"),
        pytest.param(("2",), "1", ["-2", "1"], {}, [(1, "1", "2")], id="what the owner bought back is his"),
        pytest.param(("2",), "0", ["2", "-2"], {"1": "2"}, [(1, "2", "2")], id="our own entry before it"),
        pytest.param(("2",), "0", ["-1", "2", "-2"], {"2": "2"}, [(1, "3", "2")], id="his sale before our entry"),
        pytest.param(("1",), "0", ["3", "-4"], {"1": "1"}, [(1, "2", "1")], id="a fill booked in part, once"),
        pytest.param(("2",), "0", [], {}, None, id="an empty answer explains nothing"),
        pytest.param(("2",), "0", ["-1"], {}, None, id="half an explanation is none"),
        pytest.param(("2",), "1", ["1"], {}, None, id="only fills on our own side"),
        pytest.param(("2",), "0", ["-2"], {"1": "-2"}, None, id="what is booked is not taken twice"),
        pytest.param(("2",), "2", ["-1"], {}, [], id="nothing is missing"),
        pytest.param(("2",), "3", ["5", "-4"], {}, [], id="the owner's own comings and goings"),
    ],
)  # fmt: skip
def test_only_what_makes_the_venues_position_smaller_than_our_lots_is_ours(
    ours: tuple[str, ...],
    theirs: str,
    fills: list[str],
    booked: dict[str, str],
    expected: list[tuple[int, str, str]] | None,
) -> None:
    given_fills = [fill(number, each) for number, each in enumerate(fills, start=1)]
    known = {name: D(each) for name, each in booked.items()}
    assert told(attribute(lots(*ours), D(theirs), given_fills, known)) == expected


def test_the_parts_of_a_fill_add_up_to_its_fee_and_profit_without_a_rest() -> None:
    shares = attribute(lots("1", "1", "1"), D(0), [fill(1, "-3")], NOT_BOOKED)
    assert shares is not None
    assert [each.fill.trade_id for each in shares] == ["1", "1~2", "1~3"]
    assert sum((each.fill.fee for each in shares), D(0)) == D("0.1")
    assert sum((each.fill.realised_pnl for each in shares), D(0)) == D(-1)


def test_a_share_keeps_the_cause_and_the_order_of_its_fill() -> None:
    (share,) = attribute(lots("2"), D(0), [fill(7, "-2", FillCause.LIQUIDATION)], NOT_BOOKED) or ()
    assert (share.fill.cause, share.fill.order_id) == (FillCause.LIQUIDATION, "v7")


@pytest.mark.parametrize(
    ("ours", "held", "expected"),
    [
        ("2", [], "2"),
        ("2", ["2"], "0"),
        ("2", ["5"], "0"),
        ("2", ["-1"], "2"),
        ("-2", ["-0.5"], "1.5"),
        ("2", ["2", "-1"], "0"),
        ("-1", ["2", "-1"], "0"),
        ("2", ["1", "-1"], "1"),
    ],
)
def test_in_hedge_mode_the_other_leg_is_the_owners(ours: str, held: list[str], expected: str) -> None:
    rows = [VenuePosition(BTC, D(each), D(100), NO_MONEY, 5) for each in held]
    assert missing(D(ours), on_our_side(D(ours), rows)) == D(expected)


steps = st.lists(st.tuples(st.booleans(), st.integers(min_value=-5, max_value=5).filter(bool)), max_size=12)


@given(start=st.integers(min_value=1, max_value=5), on_top=st.integers(min_value=0, max_value=5), moves=steps)
def test_an_owners_history_is_explained_exactly_and_a_second_time_leaves_nothing(
    start: int, on_top: int, moves: list[tuple[bool, int]]
) -> None:
    """Whatever an owner does to an account that holds our lot: what is attributed is what he closed of ours."""
    ours, position, fills, booked = Decimal(start), Decimal(start + on_top), [], {}
    closed = Decimal(0)
    for number, (is_ours, change) in enumerate(moves, start=1):
        one = fill(number, Decimal(change))
        if is_ours and change < 0:
            continue  # an exit of ours would be limited to what is held
        fills.append(one)
        position += move_of(one)
        if is_ours:
            booked[one.trade_id] = move_of(one)
            ours += move_of(one)
            if missing(ours - closed, position):
                return  # our entry met the owner's position the other way: nobody can say whose is what
        else:
            lost = missing(ours - closed, position)
            closed += lost
    shares = attribute([Lot(A, ours)], position, fills, booked)
    assert shares is not None
    assert sum((each.fill.quantity for each in shares), Decimal(0)) == closed
    for each in shares:
        booked[each.fill.trade_id] = move_of(each.fill)
    left = [Lot(A, ours - closed)] if ours != closed else []
    assert attribute(left, position, fills, booked) == []
