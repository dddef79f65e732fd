"""Reading the library's rows: values, refusals, and a hundred thousand rows as no exchange should send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, NotSent, Unknown
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.generic.calls import Call, Unheard, decoded
from app.infrastructure.exchanges.generic.holdings import balance_of, funding_of, position_of
from app.infrastructure.exchanges.generic.market import read_markets, read_marks
from app.infrastructure.exchanges.generic.recipe import Recipe
from app.infrastructure.exchanges.generic.recipes import RECIPES
from app.infrastructure.exchanges.generic.refusals import outcome_of_error
from app.infrastructure.exchanges.generic.rows import decimal, fill_of, report_of
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.generic.canned import Canned

GATE = RECIPES[Venue.CCXT_GATE]
UNIFIED = "BTC/USDT:USDT"
BTC = Instrument(
    Venue.CCXT_GATE, Symbol("BTC-USDT"), "BTC_USDT", Decimal("0.1"), Decimal("0.0001"), quantity("0.0001"),
    quantity("100"), money("0"), contract_size=Decimal("0.0001"),
)  # fmt: skip
ORDER: dict[str, Any] = {
    "id": "42", "clientOrderId": "t-c1", "symbol": UNIFIED, "side": "buy", "status": "closed", "amount": "200",
    "filled": "200", "average": "64000.1", "reduceOnly": False, "timestamp": 1790000000000,
    "lastUpdateTimestamp": 1790000000200, "info": {"contract": "BTC_USDT"},
}  # fmt: skip
TRADE: dict[str, Any] = {
    "id": "t1", "order": "42", "symbol": UNIFIED, "side": "sell", "amount": "100", "price": "64000.1",
    "fee": {"cost": "0.32", "currency": "USDT"}, "fees": [], "timestamp": 1790000000000,
    "info": {"contract": "BTC_USDT", "text": "t-c1"},
}  # fmt: skip
POSITION: dict[str, Any] = {
    "symbol": UNIFIED, "contracts": "100", "side": "short", "entryPrice": "64000", "unrealizedPnl": "-1.5",
    "leverage": "7", "info": {"contract": "BTC_USDT"},
}  # fmt: skip
BALANCE: dict[str, Any] = {"USDT": {"free": "90", "used": "10", "total": "100"}, "info": {"currency": "USDT"}}
FUNDING: dict[str, Any] = {
    "id": "f1",
    "symbol": UNIFIED,
    "amount": "-0.5",
    "timestamp": 1790000000000,
    "info": {},
}
SIZES = {UNIFIED: BTC}


def report(**change: Any) -> OrderReport:
    return report_of({**ORDER, **change}, BTC, GATE, unified=UNIFIED)


def fill(**change: Any) -> Fill:
    return fill_of({**TRADE, **change}, BTC, GATE, {}, unified=UNIFIED)


def test_contracts_become_coins_and_our_id_is_read_back() -> None:
    found = report()
    assert (found.quantity, found.executed, found.client_order_id) == (Decimal("0.02"), Decimal("0.02"), "c1")
    assert (found.status, found.average_price, found.side) == (OrderStatus.FILLED, price("64000.1"), Side.BUY)


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("open", "0", OrderStatus.OPEN), ("open", None, OrderStatus.OPEN), ("open", "50", OrderStatus.PARTIAL),
        ("canceling", "0", OrderStatus.OPEN), ("closed", "200", OrderStatus.FILLED),
        ("closed", "50", OrderStatus.CANCELED), ("closed", "0", OrderStatus.CANCELED),
        ("canceled", "200", OrderStatus.FILLED), ("canceled", "50", OrderStatus.CANCELED),
        ("expired", "0", OrderStatus.EXPIRED), ("rejected", None, OrderStatus.REJECTED),
    ],
)  # fmt: skip
def test_word_and_quantity_together_are_the_status(
    word: str, filled: str | None, status: OrderStatus
) -> None:
    assert report(status=word, filled=filled).status is status


@pytest.mark.parametrize(
    "change",
    [
        {"status": None}, {"status": "NEW"}, {"status": "closed", "filled": None},
        {"status": "canceled", "filled": None}, {"filled": "201"}, {"filled": 200.0}, {"amount": None}, {"amount": "0"},
        {"amount": "-1"}, {"amount": "NaN"}, {"side": None}, {"side": "BUY"}, {"id": None}, {"id": ""},
        {"timestamp": None, "lastUpdateTimestamp": None}, {"symbol": "ETH/USDT:USDT", "info": {}}, {"id": "x" * 200},
    ],
    ids=str,
)  # fmt: skip
def test_an_order_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        report(**change)


def test_an_execution_is_read_with_its_fee() -> None:
    found = fill()
    assert (found.quantity, found.price, found.fee) == (Decimal("0.01"), price("64000.1"), money("0.32"))
    assert (found.trade_id, found.order_id, found.client_order_id) == ("t1", "42", "c1")


def test_a_fee_in_another_coin_is_converted_and_several_are_added() -> None:
    fees = [{"cost": "0.001", "currency": "BNB"}, {"cost": "0.1", "currency": "USDT"}]
    found = fill_of({**TRADE, "fees": fees}, BTC, GATE, {Symbol("BNB-USDT"): price("600")}, unified=UNIFIED)
    assert found.fee == money("0.7")


@pytest.mark.parametrize(
    "change",
    [
        {"id": None}, {"order": None}, {"price": None}, {"price": "0"}, {"price": "-1"}, {"price": 64000.1},
        {"amount": "0"}, {"amount": None}, {"side": None}, {"timestamp": None}, {"symbol": "ETH/USDT:USDT", "info": {}},
    ],
    ids=str,
)  # fmt: skip
def test_no_phantom_becomes_an_execution(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        fill(**change)


def test_a_market_mistaken_by_the_library_is_told_by_the_exchanges_own_name() -> None:
    assert report(symbol="BTC/USDT").symbol == "BTC-USDT"


def test_positions_are_signed_flat_ones_are_none_and_strangers_named() -> None:
    found = position_of(POSITION, SIZES)
    assert not isinstance(found, str)
    assert found is not None
    assert (found.quantity, found.leverage, found.unrealised_pnl) == (Decimal("-0.01"), 7, money("-1.5"))
    assert position_of({**POSITION, "contracts": "0"}, SIZES) is None
    assert position_of({**POSITION, "symbol": "ETH/USDT:USDT", "info": {}}, SIZES) == "ETH/USDT:USDT"
    with pytest.raises(Unreadable):
        position_of({**POSITION, "side": None}, SIZES)
    with pytest.raises(Unreadable):
        position_of({**POSITION, "contracts": None}, SIZES)


def test_leverage_that_is_not_told_follows_from_value_and_margin() -> None:
    found = position_of(
        {**POSITION, "leverage": None, "notional": "640", "initialMargin": "91.42857143"}, SIZES
    )
    assert found is not None
    assert not isinstance(found, str)
    assert found.leverage == 7


def test_the_wallet_without_unrealised_profit_is_preferred() -> None:
    recipe = Recipe("x", wallet=("marginBalance",))
    answer = {
        **BALANCE,
        "info": {
            "data": [{"currency": "XBT", "marginBalance": "1"}, {"currency": "USDT", "marginBalance": "98"}]
        },
    }
    assert balance_of(answer, "USDT", recipe).wallet == 98
    assert balance_of(BALANCE, "USDT", GATE).wallet == 100
    assert balance_of(BALANCE, "BTC", GATE).wallet == 0


def test_funding_is_negative_when_paid() -> None:
    assert funding_of(FUNDING, SIZES).amount == money("-0.5")


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("1e-05", "0.00001"),
        ("1E-8", "0.00000001"),
        ("2.5e3", "2500"),
        ("12.50", "12.50"),
        (7, "7"),
        (None, None),
    ],
)
def test_an_exponent_is_written_out(told: object, value: str | None) -> None:
    assert decimal({"n": told}, "n") == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    "told", [0.1, True, [], {}, "1e400", "1e-400", "NaN", "Infinity", "0x10", "1_000", "\uff11"]
)
def test_what_is_no_plain_number_is_refused(told: object) -> None:
    with pytest.raises(Unreadable):
        decimal({"n": told}, "n")


def test_no_float_comes_out_of_an_answer() -> None:
    text = '{"a": 0.1, "b": 1e-5, "c": [1.5], "d": NaN, "e": 12345678901234567890.5, "f": 3}'
    assert decoded(text, whole_as_text=False) == {
        "a": "0.1", "b": "1e-5", "c": ["1.5"], "d": "NaN", "e": "12345678901234567890.5", "f": 3,
    }  # fmt: skip
    assert decoded("[" * 100_000, whole_as_text=True) is None


class InsufficientFunds(Exception):
    """Named like the library's."""


class BaseOfLibrary(Exception):
    """A class that is on no list."""


def classified(payload: object) -> Any:
    call = Call(Canned(), "", 0, 1.0, left=1, reply=Reply(200, {}, b""), payload=payload)
    got = {
        outcome_of_error(error("text"), call, GATE) for error in (InsufficientFunds, BaseOfLibrary, Unheard)
    }
    assert not any(isinstance(each, Accepted | NotSent) for each in got)
    for each in got:
        assert isinstance(each, DefiniteNo | Duplicate | Unknown)
        if isinstance(each, DefiniteNo):
            assert each.code
            assert len(each.message) <= 200
    return got


def fills_only_its_own(row: Any) -> None:
    found = fill_of(row, BTC, GATE, {}, unified=UNIFIED)
    assert found.trade_id
    assert found.order_id
    assert found.price > 0
    assert found.quantity > 0
    assert row.get("symbol") == UNIFIED or "BTC_USDT" in json.dumps(row["info"])


def orders_are_whole(row: Any) -> None:
    found = report_of(row, BTC, GATE, unified=UNIFIED)
    assert found.order_id
    assert 0 <= found.executed <= found.quantity


READERS: list[tuple[str, object, Callable[[Any], object], int]] = [
    ("order", ORDER, orders_are_whole, 25_000),
    ("execution", TRADE, fills_only_its_own, 25_000),
    ("position", POSITION, lambda row: position_of(row, SIZES), 15_000),
    ("balance", BALANCE, lambda row: balance_of(row, "USDT", GATE), 10_000),
    ("funding", FUNDING, lambda row: funding_of(row, SIZES), 10_000),
    ("refusal", {"label": "BALANCE_NOT_ENOUGH", "message": "no", "data": [{"sCode": "1"}]}, classified, 10_000),
    (
        "marks", {UNIFIED: {"markPrice": "1", "info": {"mark_price": "1"}}},
        lambda row: read_marks(row, {UNIFIED: Symbol("BTC-USDT")}, GATE), 2_500,
    ),
    (
        "markets",
        {
            UNIFIED: {
                "id": "BTC_USDT", "symbol": UNIFIED, "base": "BTC", "quote": "USDT", "settle": "USDT", "swap": True,
                "linear": True, "active": True, "contractSize": "0.0001",
                "precision": {"price": "0.1", "amount": "1"},
                "limits": {"amount": {"min": "1", "max": "100"}, "cost": {}, "leverage": {"max": "100"}},
            }
        },
        lambda row: read_markets(Venue.CCXT_GATE, row, GATE), 2_500,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "payload", "reader", "count"), READERS, ids=[row[0] for row in READERS])
def test_a_mutated_row_is_read_rightly_or_refused(
    name: str, payload: object, reader: Callable[[Any], object], count: int
) -> None:
    read = refused = 0
    for raw in mutations(payload, count, seed=7):
        row = decoded(raw.decode(errors="replace"), whole_as_text=False)
        if not isinstance(row, dict):
            continue  # the gateway asks for rows before any reader sees them
        try:
            reader(row)
            read += 1
        except Unreadable:
            refused += 1
    assert read + refused > count // 2
