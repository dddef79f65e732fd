"""Fields of the library's rows: what is believed, where the exchange's own answer is looked into, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderStatus
from app.domain.shared.money import money
from app.infrastructure.exchanges.generic.rows import (
    client_id,
    fill_of,
    identity,
    instant,
    plain_number,
    stored,
    text,
    told,
)
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.generic.test_generic_rows import (
    BTC,
    GATE,
    TRADE,
    UNIFIED,
    report,
)

INNER: dict[str, Any] = {"info": {"data": [{"profit": None, "deep": {"profit": "1"}}, {"profit": "2"}]}}


@pytest.mark.parametrize(
    ("value", "read"),
    [("a", "a"), (7, "7"), (None, ""), (True, ""), (1.5, ""), ([], ""), ({}, "")],
    ids=str,
)
def test_text_is_text_or_a_whole_number_and_never_raises(value: object, read: str) -> None:
    assert text({"n": value}, "n") == read


def test_the_outer_of_two_fields_of_the_exchange_is_told() -> None:
    assert told(INNER, ("profit",)) == "2"
    assert told(INNER, ("gain", "profit")) == "2"
    assert told({"info": {"a": "1", "b": "2"}}, ("b", "a")) == "2"
    assert told(INNER, ()) == told({}, ("profit",)) == told({"info": "profit"}, ("profit",)) == ""


def test_the_exchanges_answer_may_be_as_deep_as_it_likes() -> None:
    deep: Any = {"profit": "1"}
    for _ in range(50_000):
        deep = [deep]
    assert told({"info": deep}, ("profit",)) == "1"


@pytest.mark.parametrize(
    ("row", "heard"),
    [
        ({"clientOrderId": "c1", "info": {"clientOid": "c2"}}, "c1"),
        ({"clientOrderId": None, "info": {"externalOid": "c2"}}, "c2"),
        ({"clientOrderId": "", "info": {"order": {"cliOrdId": "c2"}}}, "c2"),
        ({"clientOrderId": 12345, "info": {}}, "12345"),
        ({"clientOrderId": None, "info": {"clientOid": ""}}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_our_id_is_read_where_the_library_or_the_exchange_tells_it(row: dict[str, Any], heard: str) -> None:
    assert client_id(row) == heard


@pytest.mark.parametrize("value", ["x" * 129, "two words", "\ud800", "line\n", {}, [], True, 1.5], ids=repr)
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        identity({"id": value}, "id")
    with pytest.raises(Unreadable):
        client_id({"clientOrderId": value})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("63999.999999999993", "63999.999999999993"),
        ("1.2345678901234567e-05", "0.000012345678901235"),
        ("-5.551115123125783e-17", "-0.000000000000000056"),
        ("0e-400", "0"),
        ("-0.0", "0"),
        ("1e17", "100000000000000000"),
    ],
)
def test_what_a_double_leaves_behind_is_cut_to_what_is_stored(value: str, written: str) -> None:
    assert plain_number(value) == written


@pytest.mark.parametrize("value", ["1e-19", "1e18", "1" * 19, "", " 1", "1.", ".5", "+1", "1e", "1e1000"])
def test_what_would_vanish_or_overflow_is_no_number(value: str) -> None:
    with pytest.raises(Unreadable):
        plain_number(value)


def test_what_is_computed_has_no_exponent_and_fits() -> None:
    assert stored(Decimal("2E+2")).as_tuple().exponent == 0
    for value in (Decimal("1E+18"), Decimal("1E-19"), Decimal("NaN")):
        with pytest.raises(Unreadable):
            stored(value)


@pytest.mark.parametrize(
    "value", [None, "", "0", "-1", "1.5", 1.5, "\uff11", "9" * 15, "9" * 5000, True], ids=repr
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        instant({"timestamp": value}, "timestamp")


def test_an_order_is_as_old_as_its_last_change() -> None:
    assert report().at == from_epoch_ms(1790000000200)
    assert report(lastUpdateTimestamp=None).at == from_epoch_ms(1790000000000)


@pytest.mark.parametrize(
    ("change", "reduces"),
    [
        ({"reduceOnly": True}, True), ({"reduceOnly": None}, False), ({"reduceOnly": "true"}, False),
        ({"info": {"positionSide": "LONG"}}, False), ({"info": {"positionSide": "SHORT"}}, True),
        ({"info": {"positionSide": "BOTH"}}, False), ({"info": {"posSide": "net"}}, False),
        ({"side": "sell", "info": {"posSide": "long"}}, True), ({"side": "sell", "info": {"posSide": "short"}}, False),
        ({"info": {"offset": "close"}}, True), ({"info": {"offset": "open"}}, False),
        ({"info": {"side": "2"}}, True), ({"side": "sell", "info": {"side": 4}}, True), ({"info": {"side": "1"}}, False),
        ({"info": {"side": "buy"}}, False),
    ],
    ids=str,
)  # fmt: skip
def test_an_exit_is_known_by_the_librarys_flag_or_by_the_exchanges_own_words(
    change: dict[str, Any], reduces: bool
) -> None:
    assert report(**change).reduce_only is reduces


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("rejected", "50", OrderStatus.CANCELED), ("expired", "50", OrderStatus.EXPIRED),
        ("expired", "200", OrderStatus.FILLED), ("open", "200", OrderStatus.FILLED),
        ("canceling", "50", OrderStatus.PARTIAL),
    ],
)  # fmt: skip
def test_what_was_executed_is_never_denied_by_a_word(word: str, filled: str, status: OrderStatus) -> None:
    assert report(status=word, filled=filled).status is status


def test_an_order_that_expired_says_how_much_was_executed() -> None:
    with pytest.raises(Unreadable):
        report(status="expired", filled=None)


def test_a_price_is_told_only_of_what_was_executed() -> None:
    assert report(status="open", filled="0").average_price is None
    assert report(average="0").average_price is None
    with pytest.raises(Unreadable):
        report(average="-1")


def test_profit_is_read_where_the_recipe_names_its_field() -> None:
    row = {**TRADE, "info": {**TRADE["info"], "pnl": "-1.25e1"}}
    recipe = replace(GATE, profit=("pnl",))
    assert fill_of(row, BTC, recipe, {}, unified=UNIFIED).realised_pnl == money("-12.5")
    assert fill_of(row, BTC, GATE, {}, unified=UNIFIED).realised_pnl == money("0")
    with pytest.raises(Unreadable):
        fill_of({**row, "info": {**row["info"], "pnl": "a"}}, BTC, recipe, {}, unified=UNIFIED)


@pytest.mark.parametrize(
    ("change", "fee"),
    [
        ({"fee": None, "fees": None}, "0"), ({"fee": {}, "fees": []}, "0"), ({"fee": {"cost": "0.1"}}, "0.1"),
        ({"fee": {"cost": "-0.1", "currency": "USDT"}}, "-0.1"), ({"fee": {"cost": "1", "currency": "GT"}}, "0"),
        ({"fee": None, "fees": [{"cost": "0.1", "currency": "USDT"}]}, "0.1"),
    ],
    ids=str,
)  # fmt: skip
def test_fees_are_in_quote_and_a_rebate_is_negative(change: dict[str, Any], fee: str) -> None:
    assert fill_of({**TRADE, **change}, BTC, GATE, {}, unified=UNIFIED).fee == money(fee)


@pytest.mark.parametrize(
    "change", [{"fee": "0.1"}, {"fees": "0.1"}, {"fees": [1]}, {"fee": {"cost": 0.1}}, {"fee": {"cost": "a"}}], ids=str
)  # fmt: skip
def test_a_fee_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        fill_of({**TRADE, **change}, BTC, GATE, {}, unified=UNIFIED)
