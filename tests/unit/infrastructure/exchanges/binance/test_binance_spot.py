"""What spot tells of accounts and markets: holdings, wallets, fees in coins, listings, events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate
from app.domain.shared.execution import FeeRates, OrderStatus
from app.domain.shared.market import MarketKind, Side, Symbol
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.binance.wire import (
    spot_accounts,
    spot_market,
)
from app.infrastructure.exchanges.binance.wire.events import StreamEnded
from app.infrastructure.exchanges.binance.wire.spot_events import api_address, read_answer, read_spot_events
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    NAMES,
    SPOT,
    SPOT_TRADE,
    raw,
    spot_event,
)

ACCOUNT = raw(
    {
        "balances": [
            {"asset": "BTC", "free": "0.5", "locked": "0.25"},
            {"asset": "USDT", "free": "100", "locked": "20"},
            {"asset": "SHIB", "free": "9", "locked": "0"},
            {"asset": "ETH", "free": "0", "locked": "0"},
        ]
    }
)


def test_a_spot_wallet_holds_what_orders_lock_too() -> None:
    wallet = spot_accounts.read_balance(ACCOUNT, "USDT")
    assert (wallet.wallet, wallet.available) == (money(120), money(100))
    assert spot_accounts.read_balance(ACCOUNT, "DOGE").wallet == 0


def test_coins_that_have_a_market_of_ours_are_holdings() -> None:
    (held,) = spot_accounts.read_holdings(ACCOUNT, NAMES)
    assert (held.symbol, held.quantity, held.entry_price, held.leverage) == (
        Symbol("BTC-USDT"),
        Decimal("0.75"),
        Decimal(0),
        1,
    )


@pytest.mark.parametrize(
    ("change", "fee", "kept"),
    [
        ({}, "0.32", "0.000005"),  # taken in the coins bought
        ({"isBuyer": False, "commissionAsset": "USDT", "commission": "0.32"}, "0.32", "0"),
        ({"commissionAsset": "BNB", "commission": "0.001"}, "0.6", "0"),  # at the mark of BNB
        ({"isBuyer": False, "commission": "0.000005"}, "0.32", "0"),  # not of the coins bought: none were
        ({"commissionAsset": "XYZ", "commission": "1"}, "0", "0"),  # nobody knows its worth
    ],
)
def test_a_spot_fee_is_told_in_quote_currency_and_in_coins_kept(
    change: dict[str, object], fee: str, kept: str
) -> None:
    rates = {Symbol("BNB-USDT"): price(600), Symbol("BTC-USDT"): price(64000)}
    (fill,) = spot_accounts.read_fills(SPOT, raw([{**SPOT_TRADE, **change}]), rates)
    assert (fill.fee, fill.base_fee) == (money(fee), quantity(kept))
    assert fill.side is (Side.BUY if change.get("isBuyer", True) else Side.SELL)


def test_spot_fees_add_up_before_any_discount() -> None:
    row = {"maker": "0.001", "taker": "0.002", "buyer": "0.0003", "seller": "0.0001"}
    nothing = dict.fromkeys(row, "0")
    body = {"symbol": "BTCUSDT", "standardCommission": row, "taxCommission": {**nothing, "taker": "0.01"}}
    assert spot_accounts.read_fees(SPOT, raw(body)) == FeeRates(Decimal("0.0013"), Decimal("0.0123"))
    with pytest.raises(Unreadable):
        spot_accounts.read_fees(SPOT, raw({**body, "symbol": "ETHUSDT"}))


def spot_listing(**change: object) -> Any:
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "71.5", "stepSize": "0"},
        {"filterType": "NOTIONAL", "minNotional": "5"},
    ]
    row = {
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "isSpotTradingAllowed": True,
        "filters": filters,
    }  # fmt: skip
    return {"symbols": [row, {**row, "symbol": "OTHERUSDT", "baseAsset": "OTHER", **change}]}


def test_a_spot_market_is_listed_with_the_filters_that_every_order_passes() -> None:
    first = spot_market.read_listing(raw(spot_listing())).instruments[0]
    assert (first.kind, first.settle, first.tick, first.step) == (
        MarketKind.SPOT, "USDT", Decimal("0.01"), Decimal("0.00001")
    )  # fmt: skip
    assert (first.quantity_min, first.quantity_max, first.notional_min) == (
        quantity("0.00001"), quantity("71.5"), money(5)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named", "tradable"),
    [
        ({"status": "BREAK"}, True, False), ({"isSpotTradingAllowed": False}, True, False),
        ({"quoteAsset": "BTC"}, False, False), ({"filters": []}, False, False), ({"baseAsset": "币"}, False, False),
    ],
)  # fmt: skip
def test_what_may_not_be_traded_at_spot_is_not_listed(
    change: dict[str, object], named: bool, tradable: bool
) -> None:
    listing = spot_market.read_listing(raw(spot_listing(**change)))
    assert ("OTHERUSDT" in listing.names) is named
    assert (len(listing.instruments) == 2) is tradable


def test_prices_of_spot_are_the_last_ones() -> None:
    body = raw([{"symbol": "BTCUSDT", "price": "64000.00"}, {"symbol": "ETHBTC", "price": "0.05"}])
    assert spot_market.read_prices(body, NAMES) == {Symbol("BTC-USDT"): price(64000)}
    body = raw([{"e": "24hrMiniTicker", "s": "BTCUSDT", "c": "64001.00", "o": "1"}])
    assert spot_market.read_price_updates(body, NAMES) == {Symbol("BTC-USDT"): price(64001)}


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("wss://stream.binance.com:9443", "wss://ws-api.binance.com/ws-api/v3"),
        ("wss://stream.testnet.binance.vision", "wss://ws-api.testnet.binance.vision/ws-api/v3"),
        ("ws://127.0.0.1:4000", "ws://127.0.0.1:4000/ws-api/v3"),
    ],
)
def test_the_websocket_api_has_a_host_of_its_own_in_production(url: str, api: str) -> None:
    assert api_address(url) == api


def test_the_answer_to_a_subscription_is_yes_or_a_code() -> None:
    assert read_answer(raw({"id": "1", "status": 200, "result": {"subscriptionId": 0}})) is None
    assert read_answer(raw({"id": "1", "status": 401, "error": {"code": -2015, "msg": "x"}})) == "-2015"
    assert read_answer(raw({"id": None, "status": 500})) == "500"
    with pytest.raises(Unreadable):
        read_answer(raw({"subscriptionId": 0, "event": {}}))


def test_a_spot_execution_becomes_a_fill_with_its_trade_id() -> None:
    (told,) = read_spot_events(spot_event(), NAMES, {})
    assert isinstance(told, OrderUpdate)
    assert told.fill is not None
    assert (told.fill.trade_id, told.fill.quantity, told.fill.base_fee) == (
        "5",
        quantity(1),
        quantity("0.0005"),
    )
    assert (told.fill.fee, told.report.status, told.report.average_price) == (
        money("0.05"), OrderStatus.PARTIAL, price(100)
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"t": 0}, {"t": -1}, {"l": "0"}, {"l": "1.1"}, {"L": "0"}, {"i": 0}, {"S": "?"}, {"X": "?"}, {"z": "3"}, {"q": "NaN"}, {"T": -1}],
)  # fmt: skip
def test_a_contradictory_spot_trade_is_refused_not_booked(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        read_spot_events(spot_event(**change), NAMES, {})


def test_a_cancelled_spot_order_is_told_under_its_own_id() -> None:
    body = spot_event(c="cancel-1", C="cmine", x="CANCELED", X="CANCELED", l="0", t=-1, N=None)
    (told,) = read_spot_events(body, NAMES, {})
    assert isinstance(told, OrderUpdate)
    assert (told.report.client_order_id, told.report.status, told.fill) == (
        "cmine",
        OrderStatus.CANCELED,
        None,
    )


def test_changed_wallets_come_with_the_holdings() -> None:
    event = {
        "e": "outboundAccountPosition",
        "u": 5,
        "B": [{"a": "BTC", "f": "1", "l": "1"}, {"a": "USDT", "f": "7", "l": "0"}],
    }
    told = read_spot_events(raw({"subscriptionId": 0, "event": event}), NAMES, {})
    assert [(row.asset, row.balance) for row in told if isinstance(row, BalanceUpdate)] == [
        ("BTC", money(2)),
        ("USDT", money(7)),
    ]
    assert isinstance(told[0], BalanceUpdate)
    assert [row.quantity for row in told[0].positions] == [2]


@pytest.mark.parametrize(
    "body",
    [
        {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}, {"e": "serverShutdown", "E": 1},
        {"event": {"e": "serverShutdown"}},
    ],
)  # fmt: skip
def test_the_end_of_a_spot_stream_is_told_apart(body: object) -> None:
    (told,) = read_spot_events(raw(body), NAMES, {})
    assert isinstance(told, StreamEnded)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "events", "status": 200, "result": {}}, {"event": {"e": "balanceUpdate", "a": "BTC", "d": "1"}},
        {"event": {"e": "listStatus"}}, {"event": {"e": "externalLockUpdate"}}, {"event": {}}, {},
    ],
)  # fmt: skip
def test_what_does_not_concern_us_at_spot_is_nothing(body: object) -> None:
    assert read_spot_events(raw(body), NAMES, {}) == []
