"""What should rest for a position: on the right side, never against it, never more than is held."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side
from app.domain.shared.money import Price, Ratio
from app.domain.shared.protection_terms import (
    NO_PROTECTION,
    ProtectionTerms,
    TakeProfit,
    UnprotectedPolicy,
    of_plain,
    to_plain,
)
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.domain.trading.protection import (
    EVENT_OF_STATUS,
    IS_LIVE,
    PROTECTION_LIFECYCLE,
    STOP_RUNG,
    ProtectionEvent,
    ProtectionState,
    best_mark,
    is_moved,
    is_reached,
    stop_price,
    wanted,
)
from tests.unit.domain.builders import D, instrument

ENTRY = Price(D(100))
RATIOS = st.decimals("0.001", "0.5", places=3).map(Ratio)
SIZES = st.decimals("0.001", "50", places=3)
PRICES = st.decimals("20", "500", places=1).map(Price)


def ratio(text: str) -> Ratio:
    return Ratio(D(text))


def rungs(*steps: tuple[str, str]) -> tuple[TakeProfit, ...]:
    return tuple(TakeProfit(ratio(move), ratio(share)) for move, share in steps)


@st.composite
def agreed(draw: st.DrawFn) -> ProtectionTerms:
    moves = sorted(draw(st.sets(RATIOS, max_size=5)))
    shares = [draw(st.decimals("0.01", "0.2", places=2)) for _ in moves]
    return ProtectionTerms(
        stop_loss=draw(st.none() | RATIOS),
        take_profits=tuple(TakeProfit(move, Ratio(share)) for move, share in zip(moves, shares, strict=True)),
        trailing=draw(st.none() | RATIOS),
        break_even_after=draw(st.none() | RATIOS),
        unprotected=draw(st.sampled_from(UnprotectedPolicy)),
    )


@pytest.mark.parametrize(("quantity", "stop", "take"), [("1", "95", "110"), ("-1", "105", "90")])
def test_a_long_is_stopped_below_and_a_short_above(quantity: str, stop: str, take: str) -> None:
    terms = ProtectionTerms(stop_loss=ratio("0.05"), take_profits=rungs(("0.1", "1")))
    first, second = wanted(D(quantity), ENTRY, terms, ENTRY, instrument())
    side = Side.SELL if D(quantity) > 0 else Side.BUY
    assert (first.rung, first.kind, first.side, first.trigger) == (
        STOP_RUNG, TriggerKind.STOP_LOSS, side, D(stop)
    )  # fmt: skip
    assert (second.rung, second.kind, second.side, second.trigger) == (
        "TP1", TriggerKind.TAKE_PROFIT, side, D(take)
    )  # fmt: skip


@given(SIZES, st.booleans(), agreed(), PRICES, PRICES)
def test_a_stop_never_moves_against_the_position(
    size: Decimal, short: bool, terms: ProtectionTerms, first: Price, second: Price
) -> None:
    quantity = -size if short else size
    best = best_mark(quantity, None, ENTRY, first)
    later = best_mark(quantity, best, ENTRY, second)
    before, after = stop_price(quantity, ENTRY, terms, best), stop_price(quantity, ENTRY, terms, later)
    if before is not None:
        assert after is not None
        assert after <= before if short else after >= before


@given(SIZES, st.booleans(), agreed(), PRICES)
def test_what_rests_only_closes_and_never_more_than_is_held(
    size: Decimal, short: bool, terms: ProtectionTerms, mark: Price
) -> None:
    quantity = -size if short else size
    found = wanted(quantity, ENTRY, terms, best_mark(quantity, None, ENTRY, mark), instrument())
    assert all(want.side is (Side.BUY if short else Side.SELL) for want in found)
    assert all(want.trigger > 0 and want.trigger % instrument().tick == 0 for want in found)
    assert sum(want.quantity for want in found if want.kind is TriggerKind.TAKE_PROFIT) <= size
    assert len({want.rung for want in found}) == len(found)


def test_rungs_that_are_done_keep_their_share_of_what_the_position_was() -> None:
    terms = ProtectionTerms(take_profits=rungs(("0.1", "0.5"), ("0.2", "0.25")))
    assert [want.quantity for want in wanted(D(4), ENTRY, terms, ENTRY, instrument())] == [2, 1]
    (left,) = wanted(D(2), ENTRY, terms, ENTRY, instrument(), frozenset({"TP1"}))
    assert (left.rung, left.quantity) == ("TP2", D(1))
    whole = ProtectionTerms(take_profits=rungs(("0.1", "1")))
    assert wanted(D(1), ENTRY, whole, ENTRY, instrument(), frozenset({"TP1"})) == ()


def test_the_stop_stands_at_the_entry_once_the_price_has_moved_far_enough() -> None:
    terms = ProtectionTerms(stop_loss=ratio("0.1"), break_even_after=ratio("0.05"))
    assert stop_price(D(1), ENTRY, terms, Price(D("104.9"))) == 90
    assert stop_price(D(1), ENTRY, terms, Price(D(105))) == 100
    assert stop_price(D(-1), ENTRY, terms, Price(D(95))) == 100


def test_a_trigger_that_the_mark_has_passed_is_reached_and_a_hair_is_no_move() -> None:
    (stop,) = wanted(D(1), ENTRY, ProtectionTerms(stop_loss=ratio("0.05")), ENTRY, instrument())
    assert [is_reached(stop, Price(D(mark))) for mark in ("95.1", "95", "94")] == [False, True, True]
    assert not is_moved(Price(D("95.05")), stop)
    assert is_moved(Price(D("94")), stop)


def test_too_small_a_rung_is_left_out_and_a_flat_position_wants_nothing() -> None:
    terms = ProtectionTerms(stop_loss=ratio("0.05"), take_profits=rungs(("0.1", "0.2")))
    assert [want.rung for want in wanted(D("0.004"), ENTRY, terms, ENTRY, instrument())] == [STOP_RUNG]
    assert wanted(D(0), ENTRY, terms, ENTRY, instrument()) == ()
    assert wanted(D(1), ENTRY, NO_PROTECTION, ENTRY, instrument()) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"stop_loss": ratio("1")}, {"stop_loss": ratio("0")}, {"trailing": ratio("-0.1")},
        {"break_even_after": ratio("0")}, {"take_profits": rungs(("0.2", "0.5"), ("0.1", "0.5"))},
        {"take_profits": rungs(("0.1", "0.6"), ("0.2", "0.5"))}, {"take_profits": rungs(("0.1", "0"))},
        {"take_profits": rungs(*((f"0.{n}", "0.1") for n in range(1, 7)))},
        {"stop_loss": Ratio(Decimal("NaN"))},
    ],
)  # fmt: skip
def test_terms_that_contradict_themselves_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        ProtectionTerms(**wrong)  # type: ignore[arg-type]  # a table of fields of several types


@given(agreed())
def test_terms_are_stored_and_read_back_as_they_were(terms: ProtectionTerms) -> None:
    assert of_plain(to_plain(terms)) == terms


@pytest.mark.parametrize("state", sorted({*IS_LIVE, ProtectionState.ABSENT}))
def test_every_word_of_the_venue_is_heard_while_one_is_asked_about(state: ProtectionState) -> None:
    assert all(PROTECTION_LIFECYCLE.allows(state, event) for event in EVENT_OF_STATUS.values())


def test_what_is_over_is_left_by_a_trigger_alone() -> None:
    over = set(ProtectionState) - IS_LIVE
    for state in over:
        allowed = {event for event in ProtectionEvent if PROTECTION_LIFECYCLE.allows(state, event)}
        assert allowed <= {
            ProtectionEvent.SEEN_TRIGGERED, ProtectionEvent.SEEN_RESTING, ProtectionEvent.SEEN_CANCELED,
            ProtectionEvent.SEEN_EXPIRED, ProtectionEvent.REFUSED,
        }  # fmt: skip
        if state is not ProtectionState.ABSENT:
            assert allowed <= {ProtectionEvent.SEEN_TRIGGERED}
    assert set(EVENT_OF_STATUS) == set(ProtectionStatus)
