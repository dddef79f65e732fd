"""What contracts tell of accounts and markets: contract sizes, coins, marks, settings and the rights of a key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import MarketKind, Symbol, Venue
from app.domain.shared.money import NO_MONEY, money, price, quantity
from app.infrastructure.exchanges.binance.wire import (
    accounts,
    market,
    settings,
    trades,
)
from app.infrastructure.exchanges.binance.wire.contracts import size_of
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    BTC,
    COIN,
    COIN_NAMES,
    COIN_TRADE,
    changed,
    raw,
)


def coin_listing(**change: object) -> bytes:
    row = {
        "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractType": "PERPETUAL", "contractStatus": "TRADING",
        "contractSize": 100, "baseAsset": "BTC", "quoteAsset": "USD", "marginAsset": "BTC",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
            {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "1000000", "stepSize": "1"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "1", "maxQty": "60000", "stepSize": "1"},
        ],
    }  # fmt: skip
    eth = {**row, "symbol": "ETHUSD_PERP", "baseAsset": "ETH", "marginAsset": "ETH", "contractSize": 10}
    return raw({"symbols": [row, {**eth, **change}]})


def test_a_coin_m_contract_is_listed_in_face_value() -> None:
    listing = market.read_listing(coin_listing(), Venue.BINANCE_COINM)
    btc, eth = listing.instruments
    assert (btc.kind, btc.settle, btc.contract_size, btc.step) == (
        MarketKind.INVERSE,
        "BTC",
        Decimal(100),
        Decimal(100),
    )
    assert (btc.quantity_min, btc.quantity_max, btc.notional_min) == (
        quantity(100),
        quantity(6_000_000),
        NO_MONEY,
    )
    assert (size_of(listing.names, "BTCUSD_PERP"), size_of(listing.names, "ETHUSD_PERP")) == (
        Decimal(100),
        Decimal(10),
    )
    assert eth.symbol == Symbol("ETH-USD")


@pytest.mark.parametrize(
    "change",
    [{"contractType": "CURRENT_QUARTER"}, {"contractSize": 0}, {"marginAsset": "USDT"}, {"filters": []}],
)
def test_what_is_no_inverse_perpetual_is_left_out(change: dict[str, object]) -> None:
    listing = market.read_listing(coin_listing(**change), Venue.BINANCE_COINM)
    assert [entry.venue_symbol for entry in listing.instruments] == ["BTCUSD_PERP"]


def test_coin_m_executions_are_face_value_with_fees_in_coins() -> None:
    (fill,) = trades.read_fills(COIN, raw([COIN_TRADE]), {})
    assert (fill.quantity, fill.fee, fill.realised_pnl) == (
        quantity(700),
        money("0.00000547"),
        money("-0.0001"),
    )
    rates = {Symbol("BNB-USD"): price(640), Symbol("BTC-USD"): price(64000)}
    (fill,) = trades.read_fills(
        COIN, raw([{**COIN_TRADE, "commission": "1", "commissionAsset": "BNB"}]), rates
    )
    assert fill.fee == money("0.01")


def test_coin_m_positions_and_wallets_are_in_our_units() -> None:
    row = {
        "symbol": "BTCUSD_PERP", "positionAmt": "-7", "entryPrice": "64000.1", "unRealizedProfit": "0.0001",
        "leverage": "20", "positionSide": "SHORT",
    }  # fmt: skip
    (found,), strangers = accounts.read_positions(raw([row, {**row, "symbol": "NEWUSD_PERP"}]), COIN_NAMES)
    assert (found.quantity, found.unrealised_pnl, strangers) == (
        Decimal(-700),
        money("0.0001"),
        ["NEWUSD_PERP"],
    )
    wallets = raw([{"asset": "BTC", "balance": "1.5", "availableBalance": "1"}])
    assert accounts.read_balance(wallets, "BTC", told=False).wallet == money("1.5")
    assert accounts.read_balance(wallets, "ETH", told=False).wallet == 0


def test_coin_m_funding_counts_in_the_coin_of_its_market() -> None:
    row = {
        "symbol": "BTCUSD_PERP",
        "incomeType": "FUNDING_FEE",
        "income": "-0.1",
        "asset": "BTC",
        "time": 1,
        "tranId": 1,
    }
    rows = [row, {**row, "asset": "ETH", "tranId": 2}, {**row, "symbol": "NEW", "tranId": 3}]
    found, size = accounts.read_funding(raw(rows), COIN_NAMES, None)
    assert ([payment.payment_id for payment in found], size) == (["1"], 3)


def test_marks_of_coin_m_are_asked_for_by_name_and_told_one_by_one() -> None:
    (asked,) = market.mark_subscriptions(["BTCUSD_PERP", "ETHUSD_PERP"])
    assert '"btcusd_perp@markPrice@1s", "ethusd_perp@markPrice@1s"' in asked
    assert market.mark_subscriptions([]) == []
    update = raw({"e": "markPriceUpdate", "s": "BTCUSD_PERP", "p": "64000.5"})
    assert market.read_mark_updates(update, COIN_NAMES) == {Symbol("BTC-USD"): price("64000.5")}
    assert market.read_mark_updates(b'{"result":null,"id":1}', COIN_NAMES) == {}


def test_modes_and_rights_are_read_from_plain_words() -> None:
    assert settings.margin_mode_text(BTC, MarginMode.CROSS).endswith("marginType=CROSSED")
    assert settings.position_mode_text(PositionMode.HEDGE) == "dualSidePosition=true"
    assert settings.read_position_mode(b'{"dualSidePosition":false}') is PositionMode.ONE_WAY
    settings.read_done(b'{"code":200,"msg":"success"}')
    with pytest.raises(Unreadable):
        settings.read_done(b'{"code":-1,"msg":"no"}')
    row = {
        "enableReading": True, "enableWithdrawals": False, "ipRestrict": True, "enableFutures": False,
        "enableSpotAndMarginTrading": True,
    }  # fmt: skip
    assert settings.read_key_facts(raw(row), spot=True) == KeyFacts(True, False, True)
    assert settings.read_key_facts(raw(row), spot=False) == KeyFacts(False, False, True)
    assert not settings.read_key_facts(changed(row, enableReading=False), spot=True).can_trade


def test_fees_of_contracts_are_told_for_the_market_asked_for() -> None:
    row = {"symbol": "BTCUSDT", "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005"}
    assert settings.read_fees(BTC, raw(row)) == FeeRates(Decimal("0.0002"), Decimal("0.0005"))
    with pytest.raises(Unreadable):
        settings.read_fees(BTC, changed(row, symbol="ETHUSDT"))
