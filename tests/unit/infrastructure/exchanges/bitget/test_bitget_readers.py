"""Answers of Bitget in their documented shape read into our words, and what must not be believed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.market import Side
from app.domain.shared.money import NO_QUANTITY, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.bitget.wire import accounts, coins, rights
from app.infrastructure.exchanges.bitget.wire.fills import read_fills
from app.infrastructure.exchanges.bitget.wire.plans import read_plans, read_sub_order
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT
from app.infrastructure.exchanges.bitget.wire.reports import read_open_orders, read_order
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import (
    BTC,
    COINS,
    MARKS,
    NAMES,
    PERPETUAL,
    answer,
    coin,
    futures_fill,
    futures_order,
    futures_plan,
    listed_order,
    position,
    spot_fill,
    spot_order,
    spot_plan,
    wallet,
)


@pytest.mark.parametrize(
    ("change", "direction", "reduces"),
    [
        ({}, Side.BUY, False),
        ({"side": "sell", "tradeSide": "sell_single", "reduceOnly": "YES"}, Side.SELL, True),
        ({"side": "sell", "tradeSide": "sell_single", "reduceOnly": "yes"}, Side.SELL, True),
        ({"posMode": "hedge_mode", "tradeSide": "open"}, Side.BUY, False),
        ({"posMode": "hedge_mode", "tradeSide": "close"}, Side.SELL, True),
        ({"posMode": "hedge_mode", "tradeSide": "close", "side": "sell"}, Side.BUY, True),
    ],
)
def test_an_orders_direction_follows_from_the_mode(
    change: dict[str, object], direction: Side, reduces: bool
) -> None:
    found = read_order(FUTURES, PERPETUAL, answer(futures_order(**change)), client_order_id="mine")
    assert found is not None
    assert (found.side, found.reduce_only) == (direction, reduces)


def test_an_order_of_another_name_or_market_is_no_answer() -> None:
    for change in ({"clientOid": "other"}, {"symbol": "ETHUSDT"}):
        with pytest.raises(Unreadable):
            read_order(FUTURES, PERPETUAL, answer(futures_order(**change)), client_order_id="mine")
    assert read_order(FUTURES, PERPETUAL, answer(None), client_order_id="mine") is None
    assert read_order(SPOT, COINS, answer([]), client_order_id="mine") is None


@pytest.mark.parametrize(
    "change",
    [
        {"state": "strange"}, {"side": "long"}, {"baseVolume": "0.03"}, {"baseVolume": "0"}, {"baseVolume": "-1"},
        {"size": "NaN"}, {"size": 1.5}, {"orderId": ""}, {"uTime": "soon"}, {"priceAvg": "1e400"},
    ],
)  # fmt: skip
def test_a_row_that_contradicts_itself_is_not_believed(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        read_order(FUTURES, PERPETUAL, answer(futures_order(**change)), client_order_id="mine")


def test_what_was_paid_tells_the_mean_of_a_spot_order() -> None:
    row = spot_order(status="partially_filled", baseVolume="0.01", quoteVolume="240")
    found = read_order(SPOT, COINS, answer([row]), client_order_id="mine")
    assert found is not None
    assert found.average_price == 24000  # `priceAvg` of a resting order is its limit


def test_a_spot_purchase_by_amount_counts_the_coins_that_were_bought() -> None:
    row = spot_order(orderType="market", size="9.1", status="filled", baseVolume="0.0007", quoteVolume="9.1")
    found = read_order(SPOT, COINS, answer([row]), client_order_id="mine")
    assert found is not None
    assert (found.quantity, found.executed) == (Decimal("0.0007"), Decimal("0.0007"))


def test_an_empty_page_may_hold_no_list_and_a_full_one_has_a_successor() -> None:
    assert read_open_orders(FUTURES, answer({"entrustedList": None, "endId": None}), NAMES) == ([], "")
    assert read_fills(FUTURES, PERPETUAL, answer({"fillList": None}), MARKS) == ([], "")
    page = [futures_fill(tradeId=str(1000 - number)) for number in range(100)]
    assert read_fills(FUTURES, PERPETUAL, answer({"fillList": page}), MARKS)[1] == "901"
    rows = [listed_order(orderId=str(1000 - number)) for number in range(100)]
    assert read_open_orders(FUTURES, answer({"entrustedList": rows}), NAMES)[1] == "901"


@pytest.mark.parametrize(
    ("trade_side", "mode", "direction"),
    [
        ("open", "hedge_mode", Side.BUY), ("close", "hedge_mode", Side.SELL),
        ("burst_close_long", "one_way_mode", Side.SELL), ("burst_close_short", "hedge_mode", Side.BUY),
        ("buy_single", "one_way_mode", Side.BUY),
    ],
)  # fmt: skip
def test_an_executions_direction_follows_from_the_mode(trade_side: str, mode: str, direction: Side) -> None:
    row = futures_fill(tradeSide=trade_side, posMode=mode)
    (fill,), _ = read_fills(FUTURES, PERPETUAL, answer({"fillList": [row]}), MARKS)
    assert fill.side is direction


def test_a_fee_in_the_coins_bought_is_told_with_its_worth() -> None:
    (fill,), _ = read_fills(SPOT, COINS, answer([spot_fill()]), MARKS)
    assert (fill.base_fee, fill.fee) == (quantity("0.0000007"), Decimal("0.0091"))


def test_a_fee_in_another_coin_is_converted_at_its_mark() -> None:
    paid = {"feeCoin": "BGB", "totalFee": "-0.5"}
    (fill,), _ = read_fills(SPOT, COINS, answer([spot_fill(feeDetail=paid)]), MARKS)
    assert (fill.base_fee, fill.fee) == (NO_QUANTITY, Decimal(1))


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "ETHUSDT"}, {"price": "0"}, {"price": "-1"}, {"baseVolume": "0"}, {"tradeId": ""}, {"side": "none"},
        {"orderId": ""}, {"cTime": ""}, {"baseVolume": 0.1}, {"feeDetail": "none"},
    ],
)  # fmt: skip
def test_an_execution_that_lacks_something_is_none(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        read_fills(FUTURES, PERPETUAL, answer({"fillList": [futures_fill(**change)]}), MARKS)


@pytest.mark.parametrize(
    ("change", "side", "kind", "status", "order_id"),
    [
        ({}, Side.SELL, TriggerKind.STOP_LOSS, ProtectionStatus.RESTING, None),
        ({"posSide": "short"}, Side.BUY, TriggerKind.STOP_LOSS, ProtectionStatus.RESTING, None),
        ({"posSide": "net", "posMode": "one_way_mode", "side": "sell", "planType": "profit_plan"}, Side.SELL,
         TriggerKind.TAKE_PROFIT, ProtectionStatus.RESTING, None),
        ({"planStatus": "executed", "executeOrderId": "77"}, Side.SELL, TriggerKind.STOP_LOSS,
         ProtectionStatus.TRIGGERED, "77"),
        ({"planStatus": "executing", "executeOrderId": "0"}, Side.SELL, TriggerKind.STOP_LOSS,
         ProtectionStatus.TRIGGERED, None),
        ({"planStatus": "cancelled"}, Side.SELL, TriggerKind.STOP_LOSS, ProtectionStatus.CANCELED, None),
        ({"planStatus": "fail_trigger"}, Side.SELL, TriggerKind.STOP_LOSS, ProtectionStatus.REJECTED, None),
        ({"triggerPrice": None, "stopLossTriggerPrice": "26000"}, Side.SELL, TriggerKind.STOP_LOSS,
         ProtectionStatus.RESTING, None),
    ],
)  # fmt: skip
def test_a_plan_is_read(
    change: dict[str, object], side: Side, kind: TriggerKind, status: ProtectionStatus, order_id: str | None
) -> None:
    (found,), _ = read_plans(FUTURES, answer({"entrustedList": [futures_plan(**change)]}), NAMES, MARKS)
    assert (found.side, found.kind, found.status, found.order_id) == (side, kind, status, order_id)
    assert found.trigger == 26000


@pytest.mark.parametrize(
    ("side", "trigger", "status", "kind"),
    [
        ("sell", "26000", "live", TriggerKind.STOP_LOSS), ("sell", "28000", "live", TriggerKind.TAKE_PROFIT),
        ("buy", "28000", "live", TriggerKind.STOP_LOSS), ("buy", "26000", "live", TriggerKind.TAKE_PROFIT),
        ("sell", "27500", "executed", TriggerKind.STOP_LOSS), ("sell", "26500", "executed", TriggerKind.TAKE_PROFIT),
    ],
)  # fmt: skip
def test_the_mark_tells_the_kind_of_a_spot_plan(
    side: str, trigger: str, status: str, kind: TriggerKind
) -> None:
    row = spot_plan(side=side, triggerPrice=trigger, status=status)
    (found,), _ = read_plans(SPOT, answer({"orderList": [row]}), NAMES, MARKS)
    assert found.kind is kind
    with pytest.raises(Unreadable):
        read_plans(SPOT, answer({"orderList": [row]}), NAMES, {})


def test_what_a_spot_plan_became_is_told_apart() -> None:
    became = [{"orderId": "5", "price": "", "type": "market", "status": "success"}]
    failed, going = {"orderId": "", "status": "fail"}, {"orderId": "", "status": "in_progress"}
    assert read_sub_order(answer(became)) == ("5", False)
    assert read_sub_order(answer([failed, *became])) == ("5", False)
    assert read_sub_order(answer([failed, {"orderId": "6", "status": "cancelled"}])) == (None, True)
    assert read_sub_order(answer([failed, going])) == (None, False)
    assert read_sub_order(answer(None)) == (None, False)


def test_a_wallet_excludes_what_is_not_realised() -> None:
    found = accounts.read_balance(answer([wallet()]), "USDT")
    assert (found.wallet, found.available) == (Decimal("13168.86"), Decimal("13000.5"))
    assert accounts.read_balance(answer([wallet()]), "BTC").wallet == 0
    with pytest.raises(Unreadable):
        accounts.read_balance(answer([]), "USDT")


def test_positions_are_signed_and_strangers_named() -> None:
    rows = [position(holdSide="short"), position(symbol="NEWUSDT"), position(total="0")]
    (found,), strangers = accounts.read_positions(answer(rows), NAMES)
    assert (found.quantity, strangers) == (Decimal("-0.002"), ["NEWUSDT"])
    with pytest.raises(Unreadable):
        accounts.read_positions(answer([position(holdSide="net")]), NAMES)


def test_coins_with_a_market_are_holdings() -> None:
    rows = [
        coin(),
        coin(coin="USDT"),
        coin(coin="XYZ"),
        coin(coin="ETH", available="0", frozen="0", locked="0"),
    ]
    (held,) = coins.read_holdings(answer(rows), NAMES)
    assert (held.symbol, held.quantity, held.leverage) == (BTC, Decimal("0.8"), 1)
    balance = coins.read_coin(answer(rows), "BTC")
    assert (balance.wallet, balance.available) == (Decimal("0.8"), Decimal("0.5"))


@pytest.mark.parametrize(
    ("granted", "ips", "spot", "futures"),
    [
        (["coow", "cpow"], "", KeyFacts(False, False, False), KeyFacts(True, False, False)),
        (["stow", "wwow"], "1.2.3.4", KeyFacts(True, True, True), KeyFacts(False, True, True)),
        (["coow", "stor"], " ", KeyFacts(False, False, False), KeyFacts(False, False, False)),
        (["trade", "readonly"], "127.0.0.1", KeyFacts(True, False, True), KeyFacts(True, False, True)),
    ],
)
def test_the_rights_of_a_key_are_read(
    granted: list[str], ips: str, spot: KeyFacts, futures: KeyFacts
) -> None:
    body = answer({"authorities": granted, "ips": ips})
    assert (rights.read_key_facts(SPOT, body), rights.read_key_facts(FUTURES, body)) == (spot, futures)


@pytest.mark.parametrize(
    ("found", "leverage"),
    [
        ({"marginMode": "crossed", "crossMarginLeverage": "7", "longLeverage": "3", "shortLeverage": "4"}, 7),
        (
            {"marginMode": "isolated", "crossMarginLeverage": "7", "longLeverage": "3", "shortLeverage": "4"},
            3,
        ),
        ({"marginMode": "crossed", "longLeverage": "5"}, 5),
    ],
)
def test_the_leverage_in_force_is_the_smaller(found: dict[str, object], leverage: int) -> None:
    assert accounts.confirmed(accounts.read_leverages(answer(found))) == leverage


def test_no_leverage_is_made_up() -> None:
    for found in ({}, {"crossMarginLeverage": "0"}, {"crossMarginLeverage": "x"}):
        with pytest.raises(Unreadable):
            accounts.confirmed(accounts.read_leverages(answer(found)))
