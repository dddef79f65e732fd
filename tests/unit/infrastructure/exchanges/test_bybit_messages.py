"""Bybit's answers and messages as recorded and as other clients' authors keep them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.outcomes import DefiniteNo, RefusalKind, VenueError
from app.domain.shared.execution import FeeRates, Fill, OrderReport, OrderStatus
from app.domain.shared.market import MarketKind, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.answer import result_of
from app.infrastructure.exchanges.bybit.wire.events import PositionChanged, Wallet, read_facts
from app.infrastructure.exchanges.bybit.wire.fills import read_fills
from app.infrastructure.exchanges.bybit.wire.market import (
    read_contracts,
    read_ticker_message,
    read_tickers,
)
from app.infrastructure.exchanges.bybit.wire.orders import read_open_orders, read_order
from app.infrastructure.exchanges.bybit.wire.positions import read_positions
from app.infrastructure.exchanges.bybit.wire.protections import read_open_protections
from app.infrastructure.exchanges.bybit.wire.refusals import refused_order, refused_read
from app.infrastructure.exchanges.bybit.wire.socket import read_reply
from app.infrastructure.exchanges.bybit.wire.terms import read_fee_rates
from app.infrastructure.exchanges.bybit.wire.wallets import read_balance, read_holdings
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import (
    BTC,
    DATA,
    INVERSE,
    LINEAR,
    NAMES,
    SPOT,
    answer,
    facts,
    instrument,
    load,
    recorded,
)

LINEAR_BTC = instrument(Venue.BYBIT_LINEAR)


def examples() -> list[tuple[str, bytes]]:
    found: Any = load("ccxt_payload_examples/bybit.json")
    rows = found if isinstance(found, list) else found["cases"]
    return [(row["function"], json.dumps(row["payload"]).encode()) for row in rows]


def examples_of(function: str) -> list[bytes]:
    return [body for name, body in examples() if name == function]


def test_recorded_orders_positions_and_wallets_become_values() -> None:
    reports, cursor = read_open_orders(recorded("http_get_orders_realtime"), Venue.BYBIT_LINEAR, NAMES)
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
    balance = read_balance(recorded("http_get_wallet_balance"), "USDT", LINEAR)
    assert (balance.wallet, balance.available) == (money("1000.50"), money("3.00326056"))


@pytest.mark.parametrize(
    ("name", "order_id"),
    [
        ("http_get_orders_history", "abcdef123456"),
        ("http_get_orders_history_with_duplicate", "closed-order-1"),
    ],
)
def test_a_recorded_cancelled_order_is_found_among_others(name: str, order_id: str) -> None:
    # It bears the word of a stop-loss but no trigger: it is an order.
    found = read_order(LINEAR_BTC, recorded(name), order_id=order_id)
    assert found is not None
    assert (found.status, found.executed, found.average_price) == (OrderStatus.CANCELED, quantity(0), None)


def test_recorded_executions_and_fees_become_values() -> None:
    body = json.loads(recorded("http_get_executions"))
    with pytest.raises(Unreadable):  # two markets in one answer, and we asked for one
        read_fills(LINEAR_BTC, json.dumps(body).encode(), {})
    body["result"]["list"] = body["result"]["list"][:1]
    (fill,), unpriced, cursor = read_fills(LINEAR_BTC, json.dumps(body).encode(), {})
    assert (fill.client_order_id, fill.price, fill.quantity, fill.fee) == (
        "test-order-001", price(50000), quantity("0.1"), money("0.0150"),
    )  # fmt: skip
    assert (unpriced, cursor) == (frozenset(), "132766%3A2%2C132766%3A2")
    assert read_fee_rates(recorded("http_get_fee_rate"), LINEAR_BTC) == FeeRates(
        maker=Decimal("0.0001"), taker=Decimal("0.0006")
    )


def test_a_recorded_wallet_counts_no_borrowed_money() -> None:
    borrowed = read_balance(recorded("http_get_wallet_balance_with_spot_borrow"), "USDT", SPOT)
    assert (borrowed.wallet, borrowed.available) == (money("1000.00"), money("1000.00"))
    # Coins that were borrowed and sold are no holding.
    assert read_holdings(recorded("http_get_wallet_balance_spot_short"), NAMES) == []


def test_recorded_spot_and_inverse_markets_become_instruments() -> None:
    found, names, _ = read_contracts(recorded("http_get_instruments_spot"), SPOT)
    assert [(i.symbol, i.kind, i.settle, i.leverage_max) for i in found] == [
        (Symbol("BTC-USDT"), MarketKind.SPOT, "USDT", 1), (Symbol("ETH-USDT"), MarketKind.SPOT, "USDT", 1),
    ]  # fmt: skip
    assert (found[0].step, found[0].notional_min, found[0].quantity_max) == (
        quantity("0.0001"), money(10), quantity(100)
    )  # fmt: skip
    assert set(names) == {"BTCUSDT", "ETHUSDT"}
    (stock,), _, _ = read_contracts(recorded("http_get_instruments_spot_xstocks"), SPOT)
    assert stock.symbol == "AAPL-USDT"
    (oil,), _, _ = read_contracts(recorded("http_get_instruments_inverse_symbol_type"), INVERSE)
    assert (oil.symbol, oil.kind, oil.settle, oil.quantity_max) == (
        "BRENT-USD", MarketKind.INVERSE, "BRENT", quantity(100)
    )  # fmt: skip
    assert read_contracts(recorded("http_get_instruments_option_symbol_id"), LINEAR)[:2] == ([], {})
    assert read_contracts(recorded("http_get_instruments_spot"), LINEAR)[:2] == ([], {})


@pytest.mark.parametrize("name", ["limit_if_touched", "market_if_touched", "stop_limit", "take_profit"])
def test_a_recorded_order_that_waits_for_a_trigger_is_no_order_yet(name: str) -> None:
    found = read_facts(recorded(f"ws_account_order_{name}"), LINEAR, NAMES, {})
    assert not [fact for fact in found if isinstance(fact, OrderReport)]
    # Only what may reduce and nothing else is a protection.
    assert len(found) == (name == "take_profit")


def test_recorded_wallets_and_answers_of_the_socket_are_read() -> None:
    (wallet,) = read_facts(recorded("ws_account_wallet"), LINEAR, NAMES, {})
    assert isinstance(wallet, Wallet)
    assert wallet.balance == money("9647.75537647")
    assert not read_reply(recorded("ws_auth_failure")).success
    assert read_reply(recorded("ws_subscription_ack")).success
    assert not read_reply(recorded("ws_subscription_failure")).success
    assert read_facts(recorded("ws_orderbook_delta"), LINEAR, NAMES, {}) == []


def test_the_fast_execution_topic_lacks_what_booking_needs() -> None:
    with pytest.raises(Unreadable):
        read_facts(recorded("ws_account_execution_fast"), LINEAR, NAMES, {})


def test_no_recorded_payload_crashes_a_reader_or_becomes_a_fill_of_another_kind() -> None:
    if not DATA.exists():
        pytest.skip("no recorded payloads beside the repository")
    bodies = [path.read_bytes() for path in sorted((DATA / "nautilus_recorded/bybit").glob("*.json"))]
    bodies += [body for _, body in examples()]
    assert len(bodies) > 80
    for body in bodies:
        for category in (LINEAR, SPOT, INVERSE):
            read_everything(body, category.venue)


def read_everything(body: bytes, venue: Venue) -> None:
    """Put a payload before every reader: a value or Unreadable, and a fill only where there is an execution."""
    market, category = (
        instrument(venue),
        {LINEAR.venue: LINEAR, SPOT.venue: SPOT, INVERSE.venue: INVERSE}[venue],
    )
    for read in (
        lambda: read_open_orders(body, venue, NAMES), lambda: read_order(market, body, order_id="x"),
        lambda: read_open_protections(body, category, NAMES), lambda: read_positions(body, NAMES),
        lambda: read_balance(body, "USDT", category), lambda: read_holdings(body, NAMES),
        lambda: read_contracts(body, category), lambda: read_tickers(body, category, NAMES),
        lambda: read_fee_rates(body, market),
    ):  # fmt: skip
        try:
            read()
        except Unreadable:
            continue
    for told in (lambda: read_fills(market, body, {})[0], lambda: read_facts(body, category, NAMES, {})):
        try:
            fills = [fact for fact in told() if isinstance(fact, Fill)]
        except Unreadable:
            continue
        assert not fills or b"execId" in body
        assert all(fill.quantity > 0 and fill.price > 0 and fill.trade_id for fill in fills)


def test_examples_of_contracts_and_tickers_become_values() -> None:
    (body,) = examples_of("fetch_future_markets")
    (found,), names, _ = read_contracts(body, LINEAR)
    assert (found.symbol, found.venue_symbol, names) == (BTC, "BTCUSDT", {"BTCUSDT": BTC})
    assert found.tick > 0
    assert found.quantity_min <= found.quantity_max
    assert found.leverage_max >= 25
    marks = [read_tickers(body, LINEAR, NAMES) for body in examples_of("fetch_funding_rates")]
    assert any(mark[BTC] > 0 for mark in marks)


def test_every_example_of_an_error_is_a_typed_refusal() -> None:
    for body in examples_of("handle_errors"):
        assert isinstance(refused_read(200, body, {}), VenueError)
        assert refused_order(200, body, {}, reduce_only=False) is not None
    got = refused_order(200, answer({}, 170131, "Balance insufficient "), {}, reduce_only=False)
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.INSUFFICIENT_FUNDS


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


def test_a_ticker_without_a_mark_changes_nothing_and_spot_has_its_last_price() -> None:
    quiet = b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","lastPrice":"1"}}'
    assert read_ticker_message(quiet, LINEAR, NAMES) == {}
    assert read_ticker_message(quiet, SPOT, NAMES) == {BTC: price(1)}
    assert read_ticker_message(b'{"success":true,"ret_msg":"pong","op":"ping"}', LINEAR, NAMES) == {}
    heard = read_ticker_message(
        b'{"topic":"tickers.BTCUSDT","data":{"symbol":"BTCUSDT","markPrice":"64000.5"}}', LINEAR, NAMES
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
    instruments, names, _ = read_contracts(answer({"list": [row, *others], "nextPageCursor": ""}), LINEAR)
    (found,) = instruments
    assert (found.venue, found.quantity_max, found.leverage_max) == (
        Venue.BYBIT_LINEAR, quantity(500), 100
    )  # fmt: skip
    assert names == {"BTCUSDT": BTC, "ETHUSDT": Symbol("ETH-USDT")}


def test_a_no_is_never_read_as_a_result() -> None:
    from app.infrastructure.exchanges.bybit.wire.market import _TIME

    with pytest.raises(Unreadable):
        result_of(_TIME, b'{"retCode":10016,"result":{"timeSecond":"1"},"time":5}')
