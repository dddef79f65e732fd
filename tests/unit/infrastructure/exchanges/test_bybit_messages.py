"""Bybit's answers and messages as recorded and as other clients' authors keep them, and what the joining makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.accounts import (
    read_balance,
    read_funding,
    read_key_facts,
    read_positions,
)
from app.infrastructure.exchanges.bybit.wire.answer import result_of
from app.infrastructure.exchanges.bybit.wire.events import (
    PositionChanged,
    Wallet,
    read_facts,
)
from app.infrastructure.exchanges.bybit.wire.market import read_contracts, read_ticker_message, read_tickers
from app.infrastructure.exchanges.bybit.wire.orders import read_open_orders
from app.infrastructure.exchanges.bybit.wire.socket import read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import BTC, NAMES, execution, facts

DATA = Path(__file__).resolve().parents[5] / "shared/data/exchange_vectors"


def recorded(name: str) -> bytes:
    path = DATA / "nautilus_recorded/bybit" / f"{name}.json"
    if not path.exists():
        pytest.skip("no recorded payloads beside the repository")
    return path.read_bytes()


def examples(function: str) -> list[bytes]:
    path = DATA / "ccxt_payload_examples/bybit.json"
    if not path.exists():
        pytest.skip("no payload examples beside the repository")
    found: Any = json.loads(path.read_text(encoding="utf-8"))
    rows = found if isinstance(found, list) else found["cases"]
    return [json.dumps(row["payload"]).encode() for row in rows if row["function"] == function]


def test_recorded_orders_positions_and_wallets_become_values() -> None:
    reports, cursor = read_open_orders(recorded("http_get_orders_realtime"), NAMES)
    assert [(r.client_order_id, r.status, r.executed) for r in reports][:2] == [
        ("client-open-1", OrderStatus.OPEN, quantity(0)), ("client-open-2", OrderStatus.OPEN, quantity(0)),
    ]  # fmt: skip
    assert cursor == ""
    held, strangers, _ = read_positions(recorded("http_get_positions"), NAMES)
    assert [(p.symbol, p.quantity, p.leverage) for p in held] == [
        (BTC, quantity("0.5"), 10),
        (NAMES["ETHUSDT"], -5, 5),
    ]
    assert strangers == []
    balance = read_balance(recorded("http_get_wallet_balance"))
    assert (balance.wallet, balance.available) == (money("1000.50"), money("3.00326056"))


def test_a_recorded_position_on_a_contract_unknown_to_us_is_named() -> None:
    held, strangers, _ = read_positions(recorded("http_get_positions"), {})
    assert (held, strangers) == ([], ["BTCUSDT", "ETHUSDT"])


@pytest.mark.parametrize(
    ("name", "reduce_only"),
    [
        ("limit_if_touched", False), ("market_if_touched", False), ("stop_limit", False), ("take_profit", True),
    ],
)  # fmt: skip
def test_recorded_order_messages_become_reports(name: str, reduce_only: bool) -> None:
    (report,) = read_facts(recorded(f"ws_account_order_{name}"), NAMES, {})
    assert isinstance(report, OrderReport)
    assert (report.symbol, report.status, report.reduce_only) == (BTC, OrderStatus.OPEN, reduce_only)


def test_recorded_wallets_and_answers_of_the_socket_are_read() -> None:
    (wallet,) = read_facts(recorded("ws_account_wallet"), NAMES, {})
    assert isinstance(wallet, Wallet)
    assert wallet.balance == money("9647.75537647")
    assert not read_reply(recorded("ws_auth_failure")).success
    assert read_reply(recorded("ws_subscription_ack")).success
    assert not read_reply(recorded("ws_subscription_failure")).success
    assert read_facts(recorded("ws_orderbook_delta"), NAMES, {}) == []


def test_the_fast_execution_topic_lacks_what_booking_needs() -> None:
    with pytest.raises(Unreadable):
        read_facts(recorded("ws_account_execution_fast"), NAMES, {})


def test_examples_of_contracts_and_tickers_become_values() -> None:
    (body,) = examples("fetch_future_markets")
    (instrument,), names, _ = read_contracts(body)
    assert (instrument.symbol, instrument.venue_symbol, names) == (BTC, "BTCUSDT", {"BTCUSDT": BTC})
    assert instrument.tick > 0
    assert instrument.quantity_min <= instrument.quantity_max
    assert instrument.leverage_max >= 25
    marks = [read_tickers(body, NAMES) for body in examples("fetch_funding_rates")]
    assert any(mark[BTC] > 0 for mark in marks)


@pytest.mark.parametrize(
    "function", ["handle_my_trades", "handle_order", "fetch_my_trades", "parse_order", "parse_trade"]
)
def test_every_example_is_read_or_refused_by_name(function: str) -> None:
    found = examples(function)
    refused = [why for body in found if (why := refusal(body)) is not None]
    assert found
    assert all("$" in why or "payload" in why for why in refused)


def refusal(body: bytes) -> str | None:
    try:
        read_facts(body, NAMES, {})
    except Unreadable as error:
        return str(error)
    return None


def test_an_execution_becomes_a_fill_with_fee_and_profit() -> None:
    (fill,) = facts("execution.linear", execution())
    assert isinstance(fill, Fill)
    assert (fill.trade_id, fill.fee, fill.realised_pnl, fill.order_final) == (
        "e-1",
        money("0.5"),
        money("-3.5"),
        False,
    )
    (last,) = facts("execution", execution(leavesQty="0"))
    assert isinstance(last, Fill)
    assert last.order_final


@pytest.mark.parametrize(
    "change",
    [
        {"execId": ""}, {"orderId": ""}, {"execQty": "0"}, {"execQty": "-1"}, {"execPrice": "0"}, {"side": "None"},
        {"execTime": "x"}, {"execFee": "NaN"}, {"execPnl": "1e3"}, {"leavesQty": "many"}, {"execQty": 1},
    ],
)  # fmt: skip
def test_a_contradictory_execution_is_refused_not_booked(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        facts("execution", execution(**change))


@pytest.mark.parametrize(
    "change",
    [{"category": "inverse"}, {"symbol": "OTHERUSDT"}, {"execType": "Settle"}, {"execType": "UNKNOWN"}],
)
def test_what_is_not_ours_or_moves_nothing_is_left_out(change: dict[str, object]) -> None:
    assert facts("execution", execution(**change)) == []


def test_position_messages_tell_leverage_and_flat_ones_too() -> None:
    row: dict[str, object] = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "",
        "size": "0",
        "entryPrice": "0",
        "leverage": "12.5",
    }
    (changed,) = facts("position.linear", row)
    assert isinstance(changed, PositionChanged)
    assert (changed.position.quantity, changed.position.leverage) == (quantity(0), 12)
    with pytest.raises(Unreadable):
        facts("position", {**row, "size": "1"})


def answer(result: object) -> bytes:
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": 1}).encode()


def test_funding_keeps_its_sign_and_other_entries_are_left_out() -> None:
    row: dict[str, object] = {
        "id": "f-1", "symbol": "BTCUSDT", "type": "SETTLEMENT", "currency": "USDT", "funding": "-0.004",
        "transactionTime": "1700000000000",
    }  # fmt: skip
    payments, cursor = read_funding(
        answer(
            {"list": [row, {**row, "type": "TRADE"}, {**row, "currency": "USDC"}], "nextPageCursor": "a%3A1"}
        ),
        NAMES,
    )
    assert [(p.payment_id, p.amount, p.symbol) for p in payments] == [("f-1", money("-0.004"), BTC)]
    assert cursor == "a%3A1"


@pytest.mark.parametrize("cursor", ["a&b=c", "a b", "ü", "x" * 2000])
def test_a_cursor_that_would_change_the_request_is_refused(cursor: str) -> None:
    with pytest.raises(Unreadable):
        read_funding(answer({"list": [], "nextPageCursor": cursor}), NAMES)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ({"readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"]}, "ips": ["*"]}, KeyFacts(True, False, False)),
        ({"readOnly": 1, "permissions": {"ContractTrade": ["Order", "Position"]}, "ips": []}, KeyFacts(False, False, False)),
        (
            {"readOnly": 0, "permissions": {"Derivatives": ["DerivativesTrade"], "Wallet": ["Withdraw"]}, "ips": ["192.0.2.1"]},
            KeyFacts(True, True, True),
        ),
        ({"readOnly": 0, "permissions": {"Spot": ["SpotTrade"]}}, KeyFacts(False, False, False)),
    ],
)  # fmt: skip
def test_the_rights_of_a_key_are_told(key: dict[str, object], expected: KeyFacts) -> None:
    assert read_key_facts(answer(key)) == expected


def test_isolated_margin_is_told_by_the_assets_own_figures() -> None:
    coin = {
        "coin": "USDT",
        "walletBalance": "100",
        "totalOrderIM": "10",
        "totalPositionIM": "20",
        "locked": "",
        "bonus": "1",
    }
    balance = read_balance(answer({"list": [{"coin": [coin], "totalAvailableBalance": ""}]}))
    assert (balance.wallet, balance.available) == (money(100), money(69))
    with pytest.raises(Unreadable):
        read_balance(answer({"list": [{"coin": [{**coin, "coin": "BTC"}]}]}))


def test_a_ticker_without_a_mark_changes_nothing() -> None:
    assert (
        read_ticker_message(b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","lastPrice":"1"}}', NAMES)
        == {}
    )
    assert read_ticker_message(b'{"success":true,"ret_msg":"pong","op":"ping"}', NAMES) == {}
    heard = read_ticker_message(
        b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","markPrice":"64000.5"}}', NAMES
    )
    assert heard == {BTC: price("64000.5")}


def test_only_perpetual_contracts_settled_in_usdt_are_ours() -> None:
    row: dict[str, Any] = {
        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT",
        "settleCoin": "USDT", "leverageFilter": {"maxLeverage": "100.00"}, "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {"qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "1190", "maxMktOrderQty": "500",
                          "minNotionalValue": "5"},
    }  # fmt: skip
    others = [
        {**row, "symbol": "BTC-26DEC25", "contractType": "LinearFutures"}, {**row, "symbol": "BTCPERP", "settleCoin": "USDC"},
        {**row, "symbol": "ETHUSDT", "baseCoin": "ETH", "status": "PreLaunch"}, {**row, "baseCoin": "ü"}, {"symbol": "X"},
    ]  # fmt: skip
    instruments, names, _ = read_contracts(answer({"list": [row, *others], "nextPageCursor": ""}))
    (instrument,) = instruments
    assert (instrument.venue, instrument.quantity_max, instrument.leverage_max) == (
        Venue.BYBIT_LINEAR, quantity(500), 100
    )  # fmt: skip
    assert names == {"BTCUSDT": BTC, "ETHUSDT": Symbol("ETH-USDT")}


def test_a_no_is_never_read_as_a_result() -> None:
    from app.infrastructure.exchanges.bybit.wire.market import _TIME

    with pytest.raises(Unreadable):
        result_of(_TIME, b'{"retCode":10016,"result":{"timeSecond":"1"},"time":5}')
