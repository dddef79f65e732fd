"""The private stream: messages as facts, facts joined to events; the listing and its marks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.bitget.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.bitget.pages import DAY_MS, OLDEST_MS, WINDOW_MS, windows
from app.infrastructure.exchanges.bitget.wire.events import Fact, Positions, StreamRefused, Wallet, read_facts
from app.infrastructure.exchanges.bitget.wire.listing import (
    read_listing,
    read_server_time,
    read_ticker_message,
    read_tickers,
)
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT
from app.infrastructure.exchanges.bitget.wire.socket import PONG, read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import (
    BTC,
    MARKS,
    NAMES,
    answer,
    coin,
    futures_fill,
    futures_plan,
    message,
    position,
    spot_fill,
    spot_plan,
    streamed_order,
)

LINE = FUTURES.name


def facts(channel: str, *rows: object, line: str = LINE) -> list[Fact]:
    product = FUTURES if line == LINE else SPOT
    return read_facts(product, message(line, channel, *rows), NAMES, MARKS)


def fill_row(number: int, **change: object) -> dict[str, object]:
    row = futures_fill(
        tradeId=str(number), orderId="1111461743123927040", posMode="one_way_mode", tradeSide="buy_single"
    )
    return {**row, **change}


def test_each_channel_is_read() -> None:
    (order,) = facts("orders", streamed_order())
    assert isinstance(order, OrderReport)
    assert (order.executed, order.status) == (quantity("0.01"), OrderStatus.PARTIAL)
    (fill,) = facts("fill", fill_row(1))
    assert isinstance(fill, Fill)
    assert fill.trade_id == "1"
    (held,) = facts("positions", {**position(), "instId": "BTCUSDT", "leverage": 20})
    assert isinstance(held, Positions)
    assert held.positions[0].quantity == Decimal("0.002")
    (wallet,) = facts("account", {"marginCoin": "USDT", "equity": "110", "unrealizedPL": "10"})
    assert isinstance(wallet, Wallet)
    assert wallet.balance == 100
    streamed = {**futures_plan(planType="sl", status="executed"), "instId": "BTCUSDT"}
    streamed.pop("planStatus")
    (plan,) = facts("orders-algo", streamed)
    assert isinstance(plan, ProtectionReport)
    assert plan.status is ProtectionStatus.TRIGGERED


def test_spot_channels_are_read() -> None:
    (wallet,) = facts("account", coin(), line="SPOT")
    assert isinstance(wallet, Wallet)
    assert (wallet.asset, wallet.balance) == ("BTC", Decimal("0.8"))
    (fill,) = facts("fill", spot_fill(feeDetail=[{"feeCoin": "BTC", "totalFee": "-0.0000007"}]), line="SPOT")
    assert isinstance(fill, Fill)
    assert fill.base_fee == quantity("0.0000007")
    (plan,) = facts("orders-algo", {**spot_plan(), "instId": "BTCUSDT"}, line="SPOT")
    assert isinstance(plan, ProtectionReport)
    assert facts("positions", position(), line="SPOT") == []


def test_both_spellings_of_our_id_are_read() -> None:
    row = streamed_order()
    row["clientOId"] = row.pop("clientOid")
    (order,) = facts("orders", row)
    assert isinstance(order, OrderReport)
    assert order.client_order_id == "mine"


def test_at_spot_a_sale_is_what_reduces() -> None:
    for side, reduces in (("buy", False), ("sell", True)):
        (order,) = facts("orders", streamed_order(side=side, reduceOnly=None), line="SPOT")
        assert isinstance(order, OrderReport)
        assert order.reduce_only is reduces


def test_without_the_unrealised_profit_no_wallet_is_told() -> None:
    assert facts("account", {"marginCoin": "USDT", "equity": "110"}) == []


@pytest.mark.parametrize(
    "body",
    [
        PONG, b'{"event":"subscribe","arg":{"instType":"USDT-FUTURES","channel":"orders"}}',
        b'{"event":"login","code":0}', message("SPOT", "orders", streamed_order()), message(LINE, "books", {"x": 1}),
        message(LINE, "orders", streamed_order(instId="NEWUSDT")), b"{}",
    ],
)  # fmt: skip
def test_what_does_not_concern_us_tells_nothing(body: bytes) -> None:
    assert read_facts(FUTURES, body, NAMES, MARKS) == []


@pytest.mark.parametrize("body", [b"", b"null", b"pongs", b'{"event":"error","code":30001}', b"\xff"])
def test_what_cannot_be_read_is_said(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_facts(FUTURES, body, NAMES, MARKS)


def test_an_error_on_a_running_stream_ends_it() -> None:
    with pytest.raises(StreamRefused):
        read_facts(FUTURES, b'{"event":"error","code":30004}', NAMES, MARKS)


def test_answers_of_the_socket_are_told_apart() -> None:
    assert read_reply(b'{"event":"error","code":30005,"msg":"no"}').refuses
    assert read_reply(b'{"event":"login","code":"30011"}').refuses
    assert not read_reply(b'{"event":"login","code":"0"}').refuses
    assert not read_reply(b'{"event":"login","code":0}').refuses
    assert read_reply(PONG).event == ""


def test_a_fill_waits_for_a_word_on_its_order_and_takes_its_name() -> None:
    joining = Joining()
    assert list(joining.take(facts("fill", fill_row(1)))) == []
    opened = streamed_order(accBaseVolume="0", status="live", priceAvg="0")
    (news,) = joining.take(facts("orders", opened))
    assert isinstance(news, OrderUpdate)
    assert news.fill is None  # it is from before the execution
    (joined,) = joining.take(facts("orders", streamed_order()))
    assert isinstance(joined, OrderUpdate)
    assert joined.fill is not None
    assert (joined.fill.trade_id, joined.fill.client_order_id) == ("1", "mine")
    (late,) = joining.take(facts("fill", fill_row(2)))
    assert isinstance(late, OrderUpdate)
    assert late.fill is not None
    assert late.fill.trade_id == "2"


def test_a_repeated_execution_keeps_its_name() -> None:
    joining = Joining()
    list(joining.take(facts("orders", streamed_order())))
    twice = list(joining.take([*facts("fill", fill_row(1)), *facts("fill", fill_row(1))]))
    assert [update.fill.trade_id for update in twice if isinstance(update, OrderUpdate) and update.fill] == [
        "1",
        "1",
    ]


def test_too_many_waiting_executions_end_the_connection() -> None:
    joining = Joining(waiting_max=2)
    list(joining.take(facts("fill", fill_row(1), fill_row(2))))
    with pytest.raises(TooManyWaiting):
        list(joining.take(facts("fill", fill_row(3))))


def test_a_position_that_is_no_longer_listed_is_flat() -> None:
    joining = Joining()
    money = {"marginCoin": "USDT", "equity": "110", "unrealizedPL": "10"}
    joined = list(joining.take([*facts("positions", position()), *facts("account", money)]))
    (update,) = joined
    assert isinstance(update, BalanceUpdate)
    assert [row.quantity for row in update.positions] == [Decimal("0.002")]
    (flat,) = joining.take([*facts("positions"), *facts("account", money)])
    assert isinstance(flat, BalanceUpdate)
    assert [(row.symbol, row.quantity) for row in flat.positions] == [(BTC, Decimal(0))]
    (quiet,) = joining.take(facts("account", money))
    assert isinstance(quiet, BalanceUpdate)
    assert quiet.positions == ()


def test_a_wallet_that_changed_without_an_execution_may_have_been_funded() -> None:
    def told(joining: Joining, *extra: Fact, equity: str, hours: int = 0) -> str:
        (wallet,) = facts("account", {"marginCoin": "USDT", "equity": equity, "unrealizedPL": "0"})
        assert isinstance(wallet, Wallet)
        (update,) = joining.take([*extra, replace(wallet, at=wallet.at + timedelta(hours=hours))])
        assert isinstance(update, BalanceUpdate)
        return update.reason

    joining, traded = Joining(), facts("fill", fill_row(1))
    assert told(joining, equity="100") == ""  # what came before is asked for with the connection
    assert told(joining, *traded, equity="99") == ""
    assert told(joining, equity="99") == ""
    assert told(joining, equity="98") == "FUNDING_FEE"
    assert told(joining, *traded, equity="97", hours=1) == "FUNDING_FEE"
    spot = Joining(funded=False)
    assert [told(spot, equity=equity) for equity in ("100", "98")] == ["", ""]


def test_a_protection_is_passed_on() -> None:
    one_way = {"posMode": "one_way_mode", "posSide": "net", "side": "sell"}
    streamed = {**futures_plan(planType="tp", status="live", **one_way), "instId": "BTCUSDT"}
    (update,) = Joining().take(facts("orders-algo", streamed))
    assert isinstance(update, ProtectionUpdate)
    assert update.report.side is Side.SELL


def contract(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "minTradeNum": "0.001", "priceEndStep": "5",
        "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001", "symbolType": "perpetual", "minTradeUSDT": "5",
        "symbolStatus": "normal", "maxLever": "125", "maxMarketOrderQty": "220", "maxOrderQty": "1200",
    }  # fmt: skip
    return {**row, **change}


def pair(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "minTradeAmount": "0", "maxTradeAmount": "0",
        "pricePrecision": "2", "quantityPrecision": "6", "status": "online", "minTradeUSDT": "1",
    }  # fmt: skip
    return {**row, **change}


def test_a_contract_is_listed_with_its_steps() -> None:
    (found,) = read_listing(FUTURES, answer([contract()])).instruments
    assert (found.tick, found.step, found.quantity_max) == (Decimal("0.5"), Decimal("0.001"), Decimal(220))
    (unlimited,) = read_listing(
        FUTURES, answer([contract(maxMarketOrderQty="", maxOrderQty=None)])
    ).instruments
    assert unlimited.quantity_max > 10**9


def test_a_pair_is_listed_with_its_precisions() -> None:
    (found,) = read_listing(SPOT, answer([pair()])).instruments
    assert (found.tick, found.step, found.quantity_min) == (
        Decimal("0.01"), Decimal("0.000001"), Decimal("0.000001")
    )  # fmt: skip
    assert found.quantity_max > 10**9  # a maximum of zero is none


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"symbolStatus": "maintain"}, True), ({"symbolType": "delivery"}, False), ({"quoteCoin": "USDC"}, False),
        ({"baseCoin": "\uff42tc"}, False), ({"pricePlace": "-1"}, False), ({"sizeMultiplier": "0"}, False),
        ({"symbol": "BTC USDT"}, False), ({"maxLever": "0"}, False), ({"minTradeNum": None}, False),
    ],
)  # fmt: skip
def test_a_market_that_does_not_trade_or_cannot_be_read_is_left_out(
    change: dict[str, object], named: bool
) -> None:
    listing = read_listing(FUTURES, answer([contract(**change)]))
    assert listing.instruments == ()
    assert bool(listing.names) is named


def test_marks_are_the_mark_price_of_contracts_and_the_latest_of_coins() -> None:
    rows = [{"symbol": "BTCUSDT", "lastPr": "1", "markPrice": "2"}, {"symbol": "NEWUSDT", "markPrice": "3"}]
    assert read_tickers(FUTURES, answer(rows), NAMES) == {BTC: price(2)}
    assert read_tickers(SPOT, answer(rows), NAMES) == {BTC: price(1)}
    streamed = message(
        LINE, "ticker", {"instId": "ETHUSDT", "markPrice": "4"}, {"instId": "BTCUSDT", "markPrice": "0"}
    )
    assert read_ticker_message(FUTURES, streamed, NAMES) == {Symbol("ETH-USDT"): price(4)}
    assert read_ticker_message(FUTURES, PONG, NAMES) == {}


def test_the_clock_is_read() -> None:
    assert read_server_time(answer({"serverTime": "1688008631614"})) == 1688008631614
    with pytest.raises(Unreadable):
        read_server_time(answer({"serverTime": "now"}))


def test_windows_cover_what_the_venue_shows_and_nothing_older() -> None:
    now = 1_700_000_000_000
    spans = list(windows(0, now))
    assert spans[0][0] == now - OLDEST_MS
    assert spans[-1][1] >= now
    assert all(last - first == WINDOW_MS < 30 * DAY_MS for first, last in spans)
    assert all(second[0] == first[1] + 1 for first, second in pairwise(spans))
    assert list(windows(now + DAY_MS, now)) == []


def test_no_text_of_a_refusal_shows_what_was_read() -> None:
    with pytest.raises(Unreadable) as error:
        read_facts(FUTURES, json.dumps({"arg": "s3cret", "data": []}).encode(), NAMES, MARKS)
    assert "s3cret" not in str(error.value)
