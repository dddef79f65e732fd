"""Wallets, holdings, the transaction log, modes and rights: what Bybit says of an account besides its orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.market import Venue
from app.domain.shared.money import NO_MONEY, money
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.events import PositionChanged, Wallet
from app.infrastructure.exchanges.bybit.wire.ledger import read_funding, read_profits, read_transfers
from app.infrastructure.exchanges.bybit.wire.modes import read_margin_mode
from app.infrastructure.exchanges.bybit.wire.positions import mode_of
from app.infrastructure.exchanges.bybit.wire.terms import read_fee_rates, read_key_facts
from app.infrastructure.exchanges.bybit.wire.wallets import read_balance, read_holdings
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import (
    BTC,
    INVERSE,
    INVERSE_NAMES,
    LINEAR,
    NAMES,
    SPOT,
    answer,
    facts,
    instrument,
    listed,
    wallet,
)


@pytest.mark.parametrize(
    ("category", "change", "available"),
    [
        (LINEAR, {}, "80"),  # the account as a whole stands behind a linear contract
        (SPOT, {}, "80"),  # coins must be there and free besides
        (SPOT, {"locked": "50"}, "50"),
        (SPOT, {"usdValue": "0"}, "100"),  # no collateral, so it stands in for nothing
        (INVERSE, {"coin": "BTC", "walletBalance": "2", "equity": "2", "usdValue": "128000"}, "0.00125"),
        (INVERSE, {"coin": "BTC", "walletBalance": "0.001", "equity": "0.001", "usdValue": "64"}, "0.001"),
    ],
)
def test_what_is_available_depends_on_what_it_is_for(
    category: Category, change: dict[str, object], available: str
) -> None:
    row = wallet(**change)
    asset = str(change.get("coin", "USDT"))
    assert read_balance(listed(row), asset, category).available == Decimal(available)


def test_isolated_margin_is_told_by_the_assets_own_figures() -> None:
    row = {
        **wallet(totalOrderIM="10", totalPositionIM="20", locked="", bonus="1"),
        "totalAvailableBalance": "",
    }
    balance = read_balance(listed(row), "USDT", LINEAR)
    assert (balance.wallet, balance.available) == (money(100), money(69))


def test_an_empty_wallet_is_zero_but_silence_and_other_assets_are_no_answer() -> None:
    none = read_balance(listed({**wallet(), "coin": []}), "NOSUCH", LINEAR)
    assert (none.asset, none.wallet, none.available) == ("NOSUCH", NO_MONEY, NO_MONEY)
    for body in (listed(), listed(wallet(coin="BTC"))):
        with pytest.raises(Unreadable):
            read_balance(body, "USDT", LINEAR)


def test_the_coins_of_a_spot_wallet_are_holdings_where_a_market_trades_them() -> None:
    coins = [wallet(coin=coin)["coin"][0] for coin in ("USDT", "BTC", "DOGE")]  # type: ignore[index]  # a list of rows
    coins.append(wallet(coin="ETH", walletBalance="0")["coin"][0])  # type: ignore[index]  # a list of rows
    (held,) = read_holdings(listed({**wallet(), "coin": coins}), NAMES)
    assert (held.symbol, held.quantity, held.entry_price, held.leverage) == (
        BTC, Decimal(100), Decimal(0), 1
    )  # fmt: skip
    with pytest.raises(Unreadable):
        read_holdings(listed(), NAMES)


def test_the_stream_tells_each_category_its_own_wallets() -> None:
    (paying,) = facts("wallet", wallet())
    assert isinstance(paying, Wallet)
    assert (paying.asset, paying.balance) == ("USDT", money(100))
    assert facts("wallet", wallet(coin="BTC")) == []
    (coin,) = facts("wallet", wallet(coin="BTC"), category=INVERSE, names=INVERSE_NAMES)
    assert isinstance(coin, Wallet)
    assert coin.asset == "BTC"
    (holding,) = facts("wallet", wallet(coin="ETH", walletBalance="0"), category=SPOT)
    assert isinstance(holding, PositionChanged)
    assert (holding.position.symbol, holding.position.quantity) == (NAMES["ETHUSDT"], Decimal(0))


def test_funding_keeps_its_sign_and_other_entries_are_left_out() -> None:
    row: dict[str, object] = {
        "id": "f-1", "symbol": "BTCUSDT", "type": "SETTLEMENT", "currency": "USDT", "funding": "-0.004",
        "transactionTime": "1700000000000",
    }  # fmt: skip
    payments, cursor = read_funding(
        listed(row, {**row, "type": "TRADE"}, {**row, "currency": "USDC"}, cursor="a%3A1"), LINEAR, NAMES
    )
    assert [(p.payment_id, p.amount, p.symbol) for p in payments] == [("f-1", money("-0.004"), BTC)]
    assert cursor == "a%3A1"
    coin = {**row, "symbol": "BTCUSD", "currency": "BTC"}
    (paid,), _ = read_funding(listed(coin, {**coin, "symbol": "XUSD"}), INVERSE, INVERSE_NAMES)
    assert paid.symbol == "BTC-USD"


@pytest.mark.parametrize("cursor", ["a&b=c", "a b", "ü", "x" * 2000])
def test_a_cursor_that_would_change_the_request_is_refused(cursor: str) -> None:
    with pytest.raises(Unreadable):
        read_profits(listed(cursor=cursor))


def test_transfers_are_told_with_their_sign_and_one_against_its_direction_is_refused() -> None:
    row = {
        "type": "TRANSFER_IN", "currency": "USDT", "cashFlow": "5", "cashBalance": "105", "transactionTime": "1700000000000",
    }  # fmt: skip
    out = {**row, "type": "TRANSFER_OUT", "cashFlow": "-5", "cashBalance": "100"}
    found, _ = read_transfers(listed(row, out, {**row, "currency": "BTC"}, {**row, "type": "BONUS"}), "USDT")
    assert [(t.amount, t.balance) for t in found] == [(money(5), money(105)), (money(-5), money(100))]
    for wrong in (
        {**row, "cashFlow": "-5"},
        {**out, "cashFlow": "5"},
        {**row, "cashFlow": "0"},
        {**row, "cashFlow": ""},
    ):
        with pytest.raises(Unreadable):
            read_transfers(listed(wrong), "USDT")


def test_a_margin_mode_that_was_not_set_is_refused_with_its_reason() -> None:
    read_margin_mode(answer({"reasons": []}))
    with pytest.raises(VenueRefused) as refusal:
        read_margin_mode(answer({"reasons": [{"reasonCode": "3400000", "reasonMsg": "Equity too low"}]}))
    assert (refusal.value.kind, refusal.value.venue_code) == (RefusalKind.MODE, "3400000")


def test_contracts_that_disagree_about_the_position_mode_are_not_averaged() -> None:
    assert mode_of({0}) is PositionMode.ONE_WAY
    assert mode_of({1, 2}) is PositionMode.HEDGE
    with pytest.raises(VenueRefused):
        mode_of({0, 1})
    for nonsense in (set[int](), {3}):
        with pytest.raises(Unreadable):
            mode_of(nonsense)


def test_fee_rates_are_those_of_the_market_and_sensible() -> None:
    market = instrument(Venue.BYBIT_LINEAR)
    row = {"symbol": "BTCUSDT", "takerFeeRate": "0.0006", "makerFeeRate": "-0.0001"}
    assert read_fee_rates(listed({**row, "symbol": "X"}, row), market).maker == Decimal("-0.0001")
    for rows in (
        [],
        [{**row, "symbol": "ETHUSDT"}],
        [{**row, "takerFeeRate": "6"}],
        [{**row, "takerFeeRate": ""}],
    ):
        with pytest.raises(Unreadable):
            read_fee_rates(listed(*rows), market)


SPOT_KEY = {"readOnly": 0, "permissions": {"Spot": ["SpotTrade"]}}
CONTRACT_KEY = {"readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"]}, "ips": ["*"]}


@pytest.mark.parametrize(
    ("key", "category", "expected"),
    [
        (CONTRACT_KEY, LINEAR, KeyFacts(True, False, False)),
        (CONTRACT_KEY, INVERSE, KeyFacts(True, False, False)),
        (CONTRACT_KEY, SPOT, KeyFacts(False, False, False)),
        (SPOT_KEY, SPOT, KeyFacts(True, False, False)),
        (SPOT_KEY, LINEAR, KeyFacts(False, False, False)),
        ({**CONTRACT_KEY, "readOnly": 1}, LINEAR, KeyFacts(False, False, False)),
        (
            {"readOnly": 0, "permissions": {"Derivatives": ["DerivativesTrade"], "Wallet": ["Withdraw"]}, "ips": ["192.0.2.1"]},
            LINEAR,
            KeyFacts(True, True, True),
        ),
    ],
)  # fmt: skip
def test_the_rights_of_a_key_are_told_for_each_category(
    key: dict[str, object], category: Category, expected: KeyFacts
) -> None:
    assert read_key_facts(answer(key), category) == expected
