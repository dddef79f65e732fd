"""Every recorded payload and every example kept by other clients: read to the right value, or refused in a typed way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.exchanges.outcomes import Accepted, VenueError
from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.binance.wire import (
    accounts,
    algo,
    market,
    orders,
    spot_accounts,
    spot_market,
    spot_orders,
    trades,
)
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES, SPOT_CODES
from app.infrastructure.exchanges.binance.wire.events import StreamEnded, read_events
from app.infrastructure.exchanges.binance.wire.refusals import refused_read
from app.infrastructure.exchanges.binance.wire.spot_events import read_spot_events
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    BTC,
    COIN,
    COIN_NAMES,
    DATA,
    ID,
    SPOT,
    buy,
    load,
    raw,
)

NAMES = {
    "BTCUSDT": Symbol("BTC-USDT"), "ETHUSDT": Symbol("ETH-USDT"), "BNBUSDT": Symbol("BNB-USDT"), "LTCBTC": Symbol("LTC-BTC"),
}  # fmt: skip
USDM, COINM = Venue.BINANCE_USDM, Venue.BINANCE_COINM
FOLDER = DATA / "nautilus_recorded/binance"


def recorded(name: str) -> Any:
    return load(f"nautilus_recorded/binance/{name}.json")


READERS: dict[str, Callable[[bytes], Any]] = {
    "usdm stream": lambda body: read_events(body, NAMES, {}, USDM, "USDT"),
    "coinm stream": lambda body: read_events(body, COIN_NAMES, {}, COINM, None),
    "spot stream": lambda body: read_spot_events(body, NAMES, {}),
    "spot event": lambda body: read_spot_events(b'{"event":' + body + b"}", NAMES, {}),
    "order": lambda body: orders.outcome(buy(BTC, "1"), 200, body, None),
    "orders": lambda body: orders.read_orders(body, NAMES, USDM),
    "coin order": lambda body: orders.outcome(buy(COIN, "100"), 200, body, None),
    "spot order": lambda body: spot_orders.outcome(buy(SPOT, "1"), 200, body, None),
    "spot orders": lambda body: spot_orders.read_orders(body, NAMES),
    "spot protections": lambda body: spot_orders.read_open(body, NAMES),
    "algo": lambda body: algo.read_protection(BTC, ID, body),
    "algos": lambda body: algo.read_open(body, NAMES, USDM),
    "trades": lambda body: trades.read_fills(BTC, body, {}),
    "spot trades": lambda body: spot_accounts.read_fills(SPOT, body, {}),
    "positions": lambda body: accounts.read_positions(body, NAMES),
    "balance": lambda body: accounts.read_balance(body, "USDT", told=True),
    "spot balance": lambda body: spot_accounts.read_balance(body, "USDT"),
    "holdings": lambda body: spot_accounts.read_holdings(body, NAMES),
    "funding": lambda body: accounts.read_funding(body, NAMES, "USDT"),
    "listing": lambda body: market.read_listing(body, USDM),
    "coin listing": lambda body: market.read_listing(body, COINM),
    "spot listing": spot_market.read_listing,
    "marks": lambda body: market.read_marks(body, NAMES),
    "mark updates": lambda body: market.read_mark_updates(body, NAMES),
    "prices": lambda body: spot_market.read_prices(body, NAMES),
    "price updates": lambda body: spot_market.read_price_updates(body, NAMES),
    "time": market.read_server_time,
    "refusal": lambda body: refused_read(400, body, None, CONTRACT_CODES),
    "spot refusal": lambda body: refused_read(400, body, None, SPOT_CODES),
}


def fills_of(got: Any) -> list[Any]:
    """Whatever a reader took for an execution."""
    if isinstance(got, list):
        return [
            row.fill if isinstance(row, OrderUpdate) else row
            for row in got
            if getattr(row, "fill", row) is not None
        ]
    return []


@pytest.mark.parametrize("reader", list(READERS))
def test_no_payload_crashes_a_reader_that_it_is_not_meant_for(reader: str) -> None:
    files = sorted(FOLDER.glob("*.json")) if FOLDER.exists() else []
    bodies = [path.read_bytes() for path in files]
    bodies += [raw(case["payload"]) for case in load("ccxt_payload_examples/binance.json")]
    assert len(bodies) > 60
    for body in bodies:
        try:
            got = READERS[reader](body)
        except Unreadable:
            continue
        assert not isinstance(got, Accepted)  # none of them is about our client order id
        for row in fills_of(got) if "stream" in reader or "trades" in reader else ():
            if hasattr(row, "trade_id"):
                assert (row.quantity > 0, row.price > 0, int(row.trade_id) > 0) == (True, True, True)


def test_the_recorded_spot_trade_is_read_in_full() -> None:
    body = raw({"subscriptionId": 0, "event": recorded("spot__user_data_json__execution_report_trade")})
    (told,) = read_spot_events(body, NAMES, {})
    assert isinstance(told, OrderUpdate)
    assert told.fill is not None
    assert (told.fill.trade_id, told.fill.price, told.fill.quantity) == ("98765432", price(2500), quantity(1))
    assert (told.fill.base_fee, told.fill.fee, told.report.status) == (
        quantity("0.001"), money("2.5"), OrderStatus.FILLED
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"),
    [("execution_report_new", OrderStatus.OPEN), ("execution_report_expired", OrderStatus.EXPIRED)],
)
def test_recorded_spot_reports_without_a_trade_bring_no_fill(name: str, status: OrderStatus) -> None:
    (told,) = read_spot_events(raw({"event": recorded(f"spot__user_data_json__{name}")}), NAMES, {})
    assert isinstance(told, OrderUpdate)
    assert (told.report.status, told.fill) == (status, None)


def test_a_recorded_stop_with_a_limit_is_no_protection_of_ours() -> None:
    body = raw({"event": recorded("spot__user_data_json__execution_report_stop_loss")})
    (told,) = read_spot_events(body, NAMES, {})
    assert isinstance(told, OrderUpdate)


@pytest.mark.parametrize("name", ["balance_update", "list_status_wrapped"])
def test_recorded_events_that_do_not_concern_us_are_nothing(name: str) -> None:
    payload = recorded(f"spot__user_data_json__{name}")
    assert read_spot_events(raw(payload if "event" in payload else {"event": payload}), NAMES, {}) == []


def test_the_recorded_full_reply_of_spot_is_accepted_under_its_id() -> None:
    payload = {**recorded("spot__http_json__new_order_full_response"), "clientOrderId": ID}
    placed = buy(SPOT, "10")
    assert not isinstance(spot_orders.outcome(placed, 200, raw(payload), None), Accepted)  # it is a sale
    sale = type(placed)(SPOT, Side.SELL, quantity(10), False, ID, 1, 2)
    got = spot_orders.outcome(sale, 200, raw(payload), None)
    assert isinstance(got, Accepted)
    assert (got.report.executed, got.report.average_price) == (quantity(10), price(1))


def test_the_recorded_orders_of_spot_are_read() -> None:
    (open_order,) = spot_orders.read_orders(raw(recorded("spot__http_json__open_orders_response")), NAMES)
    assert (open_order.client_order_id, open_order.status) == ("myOrder1", OrderStatus.OPEN)
    litecoin = type(SPOT)(
        SPOT.venue, Symbol("LTC-BTC"), "LTCBTC", SPOT.tick, SPOT.step, SPOT.quantity_min, SPOT.quantity_max,
        SPOT.notional_min,
    )  # fmt: skip
    cancelled = spot_orders.read_order(
        litecoin, "myOrder1", raw(recorded("spot__http_json__cancel_order_response"))
    )
    assert (cancelled.status, cancelled.client_order_id) == (OrderStatus.CANCELED, "myOrder1")


def test_the_recorded_listing_without_filters_is_no_listing() -> None:
    with pytest.raises(Unreadable):
        spot_market.read_listing(raw(recorded("spot__http_json__exchange_info_response")))


@pytest.mark.parametrize("name", ["new", "canceled"])
def test_recorded_algo_updates_of_limit_kind_are_not_ours(name: str) -> None:
    payload = recorded(f"futures__user_data_json__algo_update_{name}")
    assert read_events(raw(payload), NAMES, {}, USDM, "USDT") == []
    ours = {**payload, "o": {**payload["o"], "o": "TAKE_PROFIT_MARKET", "R": True}}
    (told,) = read_events(raw(ours), NAMES, {}, USDM, "USDT")
    assert isinstance(told, ProtectionUpdate)
    assert (told.report.kind, told.report.trigger) == (TriggerKind.TAKE_PROFIT, price(750))
    wanted = ProtectionStatus.RESTING if name == "new" else ProtectionStatus.CANCELED
    assert told.report.status is wanted


def test_the_recorded_account_update_tells_both_legs_of_a_hedge() -> None:
    payload = recorded("futures__user_data_json__account_update")
    (told,) = read_events(raw(payload), NAMES, {}, USDM, "USDT")
    assert isinstance(told, BalanceUpdate)
    assert [str(row.quantity) for row in told.positions] == ["0", "20", "-10"]


def test_an_example_of_a_position_that_is_flat_is_no_position() -> None:
    examples = [case["payload"] for case in load("ccxt_payload_examples/binance.json")]
    risk = next(row for row in examples if isinstance(row, list) and "positionAmt" in json.dumps(row))
    assert accounts.read_positions(raw(risk), NAMES) == ([], [])


def test_an_example_of_an_error_is_a_refusal_of_the_key() -> None:
    examples = [case["payload"] for case in load("ccxt_payload_examples/binance.json")]
    error = next(row for row in examples if isinstance(row, dict) and row.get("code") == -2015)
    refused: VenueError = refused_read(401, raw(error), None, SPOT_CODES)
    assert refused.context["kind"] == "KEY"


def test_no_recorded_message_ends_a_stream() -> None:
    for path in sorted(FOLDER.glob("*user_data*.json")) if FOLDER.exists() else []:
        told = READERS["usdm stream" if "futures" in path.name else "spot event"](path.read_bytes())
        assert not any(isinstance(event, StreamEnded) for event in told)
