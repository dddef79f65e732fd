"""Rows as OKX documents them: what each field means, and what contradicts itself is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.ports import KeyFacts, ProtectionUpdate
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import Side
from app.domain.shared.money import money, price, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.okx.wire import accounts, fills, market, orders, protections
from app.infrastructure.exchanges.okx.wire.events import Wallet, read_facts
from app.infrastructure.exchanges.okx.wire.terms import SPOT, SWAP
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.okx import okx_rows as rows
from tests.unit.infrastructure.exchanges.okx.okx_rows import BTC, COINS, SWAPS, answer


def test_positions_of_both_modes_are_signed_in_coins() -> None:
    held, strangers = accounts.read_positions(
        SWAPS,
        answer(
            rows.position(), rows.position(posSide="short", pos="2"), rows.position(posSide="long", pos="1"),
            rows.position(pos="0"), rows.position(instId="XRP-USDT-SWAP"), rows.position(instId="OLD-SWAP", pos=""),
        ),
    )  # fmt: skip
    assert [row.quantity for row in held] == [Decimal("-0.03"), Decimal("-0.02"), Decimal("0.01")]
    assert strangers == ["XRP-USDT-SWAP"]
    for bad in ({"posSide": ""}, {"posSide": "long"}, {"lever": "-1"}, {"lever": "10000"}):
        with pytest.raises(Unreadable):
            accounts.read_positions(SWAPS, answer(rows.position(**bad)))


def test_wallets_are_told_by_asset_and_missing_ones_are_empty() -> None:
    body = answer(rows.wallets(rows.detail(), rows.detail(ccy="BTC", cashBal="0.5", availEq="")))
    assert accounts.read_balance(SWAP, "USDT", body).available == money(95)
    assert accounts.read_balance(SPOT, "USDT", body).available == money(90)
    assert accounts.read_balance(SWAP, "NONE", body).wallet == money(0)
    assert [
        (row.symbol, row.quantity, row.leverage) for row in accounts.read_holdings(COINS.names, body)
    ] == [(BTC, Decimal("0.5"), 1)]
    with pytest.raises(Unreadable):
        accounts.read_balance(SWAP, "USDT", answer())  # no account at all is no answer


def test_a_fee_in_coins_bought_is_told_and_valued() -> None:
    bought = rows.fill(
        instId="BTC-USDT", side="buy", fillSz="0.5", fee="-0.0005", feeCcy="BTC", fillPx="60000"
    )
    (fill,), following = fills.read_fills(COINS, answer(bought), {})
    assert (fill.base_fee, fill.fee, following) == (quantity("0.0005"), money(30), "")
    sold = rows.fill(instId="BTC-USDT", fee="-30", feeCcy="USDT", fillPx="60000")
    (fill,), _ = fills.read_fills(COINS, answer(sold), {})
    assert (fill.base_fee, fill.fee) == (quantity(0), money(30))


def test_a_full_page_names_the_next_one() -> None:
    page = [rows.fill(billId=str(1000 - number), tradeId=str(number + 1)) for number in range(100)]
    assert fills.read_fills(SWAPS, answer(*page), {})[1] == "901"
    assert orders.read_open_orders(SWAPS, answer(*[rows.order()] * 100))[1] == "312269865356374016"


def test_an_order_that_counts_in_quote_currency_is_known_by_what_it_executed() -> None:
    asked = rows.order(
        instType="SPOT",
        instId="BTC-USDT",
        side="buy",
        posSide="",
        reduceOnly="false",
        sz="640",
        accFillSz="0.01",
    )
    found = orders.read_order(COINS, answer(asked), client_order_id="mine")
    assert found is not None
    assert (found.quantity, found.executed, found.reduce_only) == (quantity("0.01"), quantity("0.01"), False)
    limit = orders.read_order(COINS, answer({**asked, "ordType": "limit"}), client_order_id="mine")
    assert limit is not None
    assert limit.quantity == quantity(640)


@pytest.mark.parametrize(
    ("change", "reduces"),
    [
        ({}, True), ({"reduceOnly": "false"}, False), ({"posSide": "long", "reduceOnly": "false"}, True),
        ({"posSide": "short", "reduceOnly": "false"}, False),
        ({"posSide": "short", "side": "buy", "reduceOnly": "false"}, True),
    ],
)  # fmt: skip
def test_what_reduces_is_told_by_the_flag_or_in_hedge_mode_by_the_sides(
    change: dict[str, object], reduces: bool
) -> None:
    found = orders.read_order(SWAPS, answer(rows.order(**change)), client_order_id="mine")
    assert found is not None
    assert found.reduce_only is reduces


@pytest.mark.parametrize(
    "change",
    [
        {"side": "up"}, {"state": "new"}, {"accFillSz": "3"}, {"accFillSz": "0"}, {"ordId": ""}, {"uTime": "x"},
        {"sz": "-2"}, {"sz": "NaN"}, {"avgPx": "1e3"}, {"clOrdId": "another"}, {"instId": "XRP-USDT-SWAP"},
    ],
)  # fmt: skip
def test_an_order_that_contradicts_itself_is_unreadable(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        orders.read_order(SWAPS, answer(rows.order(**change)), client_order_id="mine")


@pytest.mark.parametrize(
    ("change", "status", "became"),
    [
        ({}, ProtectionStatus.RESTING, None),
        ({"state": "effective", "ordIdList": ["77"], "ordId": "77"}, ProtectionStatus.TRIGGERED, "77"),
        ({"state": "effective", "ordId": "78"}, ProtectionStatus.TRIGGERED, "78"),
        ({"state": "canceled", "ordId": "0"}, ProtectionStatus.CANCELED, None),
        ({"state": "effective", "ordIdList": None, "ordId": "79"}, ProtectionStatus.TRIGGERED, "79"),
        ({"state": "order_failed"}, ProtectionStatus.REJECTED, None),
    ],
)
def test_a_protection_is_told_with_what_it_became(
    change: dict[str, object], status: ProtectionStatus, became: str | None
) -> None:
    found = protections.read_protection(SWAPS, rows_id("mine"), answer(rows.algo(**change)))
    assert found is not None
    assert (found.status, found.order_id, found.kind) == (status, became, TriggerKind.STOP_LOSS)
    assert (found.trigger, found.quantity, found.side) == (price(60000), quantity("0.01"), Side.SELL)


def rows_id(text: str) -> Any:
    return text


def test_protections_of_another_make_are_left_out() -> None:
    others = [
        rows.algo(slOrdPx="59000"), rows.algo(sz="", closeFraction="1"), rows.algo(tpTriggerPx="70000"),
        rows.algo(ordType="trigger"), rows.algo(instId="XRP-USDT-SWAP"),
    ]  # fmt: skip
    found, _ = protections.read_open_protections(SWAPS, answer(rows.algo(), *others))
    assert [row.protection_id for row in found] == ["1836487817828872192"]
    message = rows.pushed("orders-algo", rows.algo(), *others)
    assert len([fact for fact in read_facts(message, SWAPS, {}) if isinstance(fact, ProtectionUpdate)]) == 1


def test_funding_modes_rights_and_fees_are_read() -> None:
    isolated = rows.bill(billId="2", balChg="0", pnl="0.25")
    payments, _ = accounts.read_funding(SWAPS.names, answer(rows.bill(), isolated, rows.bill(type="2")))
    assert [(row.symbol, row.amount) for row in payments] == [(BTC, money("-0.5")), (BTC, money("0.25"))]
    mode = accounts.read_position_mode(answer(rows.configuration(posMode="long_short_mode")))
    assert mode is PositionMode.HEDGE
    facts = accounts.read_key_facts(answer(rows.configuration(perm="read_only,withdraw", ip="1.2.3.4")))
    assert facts == KeyFacts(can_trade=False, can_withdraw=True, ip_restricted=True)
    swap = answer({"maker": "-0.0008", "taker": "-0.001", "makerU": "-0.0002", "takerU": "-0.0005"})
    assert accounts.read_fees(SWAP, swap) == FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
    group = {"groupId": "1", "maker": "-0.0001", "taker": "0.0003"}
    one = answer({"makerU": "-0.0002", "takerU": "-0.0005", "feeGroup": [group]})
    assert accounts.read_fees(SWAP, one) == FeeRates(maker=Decimal("0.0001"), taker=Decimal("-0.0003"))
    two = answer({"makerU": "-0.0002", "takerU": "-0.0005", "feeGroup": [group, group]})
    assert accounts.read_fees(SWAP, two) == FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
    for unclear in ({}, {"feeGroup": [group, group]}, {"maker": "-0.1", "taker": "-0.1"}):
        with pytest.raises(Unreadable):
            accounts.read_fees(SWAP, answer(unclear))


def test_a_contract_that_is_suspended_keeps_its_name_and_size() -> None:
    live, names = market.read_listing(
        SWAP, answer(rows.contract(), rows.contract(instId="ETH-USDT-SWAP", uly="ETH-USDT", ctValCcy="ETH", state="suspend"))
    )  # fmt: skip
    assert [row.venue_symbol for row in live] == ["BTC-USDT-SWAP"]
    assert names.sizes["ETH-USDT-SWAP"] == Decimal("0.01")
    for bad in ({"ctVal": "0"}, {"ctVal": ""}, {"lever": "0"}, {"uly": "BTC-USD"}, {"settleCcy": "BTC"}):
        assert market.read_listing(SWAP, answer(rows.contract(**bad)))[0] == []


def test_wallet_events_are_read_with_their_positions() -> None:
    (wallet,) = read_facts(rows.pushed("balance_and_position", rows.holdings()), SWAPS, {})
    assert isinstance(wallet, Wallet)
    assert (wallet.asset, wallet.balance, wallet.reason) == ("USDT", money("99.5"), "ORDER")
    assert [row.quantity for row in wallet.positions] == [Decimal("-0.03")]
