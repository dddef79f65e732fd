"""User-data messages: as recorded from the venue, changed at random, and contradictory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.binance.wire.accounts import read_balance, read_funding, read_positions
from app.infrastructure.exchanges.binance.wire.events import (
    StreamEnded,
    Told,
    read_events,
    user_stream_path,
)
from app.infrastructure.exchanges.binance.wire.market import marks_path
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import Names, Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import COIN_NAMES, DATA, NAMES, order_event

RECORDED = DATA / "nautilus_recorded/binance"
USDM, COINM = Venue.BINANCE_USDM, Venue.BINANCE_COINM


def read(body: bytes, names: Names = NAMES, rates: Rates = {}) -> list[Told]:  # noqa: B006 - never changed
    venue = COINM if names is COIN_NAMES else USDM
    return read_events(body, names, rates, venue, "USDT" if venue is USDM else None)


def only(told: list[Told]) -> Any:
    (event,) = told
    return event


def recorded(name: str) -> bytes:
    path = RECORDED / f"futures__{name}.json"
    if not path.exists():
        pytest.skip("no recorded payloads beside the repository")
    return path.read_bytes()


def test_routed_streams_name_their_category_and_events() -> None:
    assert marks_path(routed=True) == "/market/ws/!markPrice@arr@1s"
    assert (
        user_stream_path("key", routed=True)
        == "/private/ws?listenKey=key&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ALGO_UPDATE/listenKeyExpired"
    )
    assert user_stream_path("key", routed=False) == "/ws/key"


def test_a_trade_becomes_a_report_with_its_fill() -> None:
    got = only(read(order_event()))
    assert isinstance(got, OrderUpdate)
    assert got.fill is not None
    assert (got.report.side, got.report.status, got.report.reduce_only) == (
        Side.SELL,
        OrderStatus.PARTIAL,
        True,
    )
    assert (got.fill.trade_id, got.fill.fee, got.fill.realised_pnl) == ("5", money("0.04"), money("-3.5"))
    assert not got.fill.order_final


def test_a_fee_in_another_asset_is_converted_at_its_mark() -> None:
    got = only(read(order_event(N="BNB", n="0.001"), NAMES, {Symbol("BNB-USDT"): price("600")}))
    assert isinstance(got, OrderUpdate)
    assert got.fill is not None
    assert got.fill.fee == money("0.6")


@pytest.mark.parametrize(
    "change",
    [
        {"t": 0}, {"t": -1}, {"l": "0"}, {"l": "1.1"}, {"L": "0"}, {"L": "-3"}, {"i": 0}, {"S": "?"}, {"X": "?"},
        {"z": "3"}, {"q": "NaN"}, {"rp": "x"}, {"T": -1}, {"l": 1}, {"n": "1e2"},
    ],
)  # fmt: skip
def test_a_contradictory_trade_is_refused_not_booked(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        read(order_event(**change))


@pytest.mark.parametrize("kind", ["NEW", "CANCELED", "EXPIRED", "AMENDMENT", "SOMETHING_NEW"])
def test_only_executions_bring_a_fill(kind: str) -> None:
    got = only(read(order_event(x=kind)))
    assert isinstance(got, OrderUpdate)
    assert got.fill is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"e":"ACCOUNT_CONFIG_UPDATE","o":1}',
        b'{"e":"MARGIN_CALL"}',
        order_event(s="BTCUSD_240329"),
        order_event(s="XXXUSDT"),
    ],
)
def test_what_does_not_concern_us_is_nothing(body: bytes) -> None:
    assert read(body) == []


def test_the_end_of_the_listen_key_is_told_apart() -> None:
    assert isinstance(only(read(b'{"e":"listenKeyExpired","E":1}')), StreamEnded)


def test_the_recorded_trade_is_read_in_full() -> None:
    got = only(read(recorded("user_data_json__order_update_trade")))
    assert isinstance(got, OrderUpdate)
    assert got.fill is not None
    assert (got.fill.trade_id, got.fill.price, got.fill.quantity) == (
        "12345678",
        price("7100.5"),
        quantity("0.001"),
    )
    assert (got.fill.fee, got.fill.realised_pnl) == (money("0.01"), money("12.34"))


def test_a_recorded_liquidation_is_a_fill_and_its_announcement_is_not() -> None:
    done = only(read(recorded("user_data_json__order_update_calculated")))
    pending = only(read(recorded("user_data_json__order_update_calculated_pending")))
    assert isinstance(done, OrderUpdate)
    assert isinstance(pending, OrderUpdate)
    assert done.fill is not None
    assert done.fill.order_final
    assert pending.fill is None


def test_a_recorded_delivery_of_another_market_is_nothing() -> None:
    assert read(recorded("user_data_json__order_update_delivery")) == []


def test_the_recorded_account_update_tells_wallet_and_positions() -> None:
    got = only(read(recorded("user_data_json__account_update")))
    assert isinstance(got, BalanceUpdate)
    assert (got.balance, got.change, got.reason) == (money("122624.12345678"), money("50.12345678"), "ORDER")
    assert [str(row.quantity) for row in got.positions] == ["0", "20", "-10"]


def test_the_recorded_balance_is_read() -> None:
    assert read_balance(recorded("http_json__balance"), "USDT", told=True).wallet == money("122.12345678")


def test_a_wallet_that_nobody_named_is_not_zero() -> None:
    with pytest.raises(Unreadable):
        read_balance(b'[{"asset":"BNB","balance":"1","availableBalance":"1"}]', "USDT", told=True)


def test_positions_on_unknown_contracts_are_named_and_flat_ones_left_out() -> None:
    def row(symbol: str, amount: str) -> dict[str, Any]:
        return {
            "symbol": symbol,
            "positionAmt": amount,
            "entryPrice": "1",
            "unRealizedProfit": "0",
            "leverage": "20",
        }

    body = json.dumps([row("BTCUSDT", "-0.5"), row("ETHUSDT", "0.000"), row("NEWUSDT", "3")]).encode()
    found, strangers = read_positions(body, NAMES)
    assert [(entry.symbol, str(entry.quantity), entry.leverage) for entry in found] == [
        ("BTC-USDT", "-0.5", 20)
    ]
    assert strangers == ["NEWUSDT"]


def test_only_funding_in_the_margin_asset_is_funding() -> None:
    def row(kind: str, asset: str, number: int) -> dict[str, Any]:
        return {
            "symbol": "BTCUSDT",
            "incomeType": kind,
            "income": "-0.1",
            "asset": asset,
            "time": number,
            "tranId": number,
        }

    rows = [row("FUNDING_FEE", "USDT", 2), row("COMMISSION", "USDT", 3), row("FUNDING_FEE", "BNB", 4)]
    found, size = read_funding(json.dumps(rows).encode(), NAMES, "USDT")
    assert [payment.payment_id for payment in found] == ["2"]
    assert size == 3


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_a_mutated_message_neither_crashes_nor_invents_a_fill(
    changes: list[tuple[int, int]], cut: bool
) -> None:
    body = bytearray(order_event())
    for at, byte in changes:
        body[at % len(body)] = byte
    raw = bytes(body[: changes[0][0] % len(body)] if cut else body)
    try:
        got = read(raw)
    except Unreadable:
        return
    for event in got:
        if isinstance(event, OrderUpdate) and event.fill is not None:
            assert event.fill.quantity > 0
            assert event.fill.price > 0
            assert int(event.fill.trade_id) > 0
            assert event.fill.quantity <= event.report.executed <= event.report.quantity


def test_a_coin_m_trade_is_told_in_face_value_and_coins() -> None:
    row = {
        "s": "BTCUSD_PERP",
        "q": "20",
        "l": "10",
        "z": "10",
        "N": "BTC",
        "n": "0.00000547",
        "rp": "-0.0001",
    }
    got = only(read(order_event(**row), COIN_NAMES))
    assert got.fill is not None
    assert (got.report.quantity, got.fill.quantity) == (quantity(2000), quantity(1000))
    assert (got.fill.fee, got.fill.realised_pnl) == (money("0.00000547"), money("-0.0001"))


def test_each_coin_has_a_wallet_of_its_own() -> None:
    message = {
        "e": "ACCOUNT_UPDATE", "T": 1, "a": {
            "m": "ORDER", "B": [{"a": "BTC", "wb": "1.5", "bc": "0"}, {"a": "ETH", "wb": "2", "bc": "0"}],
            "P": [{"s": "BTCUSD_PERP", "pa": "-7", "ep": "64000", "up": "0.1"}],
        },
    }  # fmt: skip
    told: list[Any] = list(read(json.dumps(message).encode(), COIN_NAMES))
    assert [(event.asset, event.balance) for event in told] == [("BTC", money("1.5")), ("ETH", money(2))]
    assert [row.quantity for row in told[0].positions] == [-700]


@pytest.mark.parametrize(
    ("side", "leg", "reduces"),
    [("BUY", "LONG", False), ("SELL", "LONG", True), ("SELL", "SHORT", False), ("BUY", "SHORT", True)],
)
def test_in_hedge_mode_the_leg_tells_what_reduces(side: str, leg: str, reduces: bool) -> None:
    got = only(read(order_event(S=side, ps=leg, R=False)))
    assert got.report.reduce_only is reduces
