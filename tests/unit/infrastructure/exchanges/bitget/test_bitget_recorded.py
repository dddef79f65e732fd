"""What other people recorded of Bitget: read to the right value, or refused; none becomes a phantom."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FeeRates, OrderStatus
from app.domain.shared.market import Side
from app.domain.shared.money import NO_QUANTITY, price
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.bitget.wire import accounts, coins, listing, rights
from app.infrastructure.exchanges.bitget.wire.fills import read_fills
from app.infrastructure.exchanges.bitget.wire.plans import read_plans
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
    load,
)


def examples(function: str) -> list[Any]:
    rows = load("ccxt_payload_examples/bitget.json")
    return [row["payload"] for row in rows if row["function"] == function]


def text(payload: object) -> bytes:
    return json.dumps(payload).encode()


def test_recorded_orders_are_read() -> None:
    spot, futures, unified = examples("fetch_order")
    found = read_order(SPOT, COINS, text(spot), order_id="1111461743123927040")
    assert found is not None
    assert (found.status, found.quantity, found.average_price) == (
        OrderStatus.OPEN,
        Decimal("0.0002"),
        None,
    )
    held = read_order(FUTURES, PERPETUAL, text(futures), order_id="1111465253393825792")
    assert held is not None
    assert (held.status, held.side, held.executed, held.reduce_only) == (
        OrderStatus.OPEN,
        Side.BUY,
        NO_QUANTITY,
        False,
    )
    with pytest.raises(Unreadable):  # the unified account's third generation is another dialect
        read_order(FUTURES, PERPETUAL, text(unified), order_id="1320244799629316096")


def test_recorded_open_orders_are_read() -> None:
    spot, plans, margin, futures = examples("fetch_open_orders")
    (resting,), following = read_open_orders(SPOT, text(spot), NAMES)
    assert (resting.executed, resting.average_price, following) == (NO_QUANTITY, None, "")
    assert [row.side for row in read_open_orders(FUTURES, text(futures), NAMES)[0]] == [Side.BUY]
    (plan,), _ = read_plans(SPOT, text(plans), NAMES, MARKS)
    assert (plan.trigger, plan.side, plan.kind) == (price(26000), Side.BUY, TriggerKind.TAKE_PROFIT)
    assert read_open_orders(FUTURES, text(margin), NAMES) == (
        [],
        "",
    )  # a page of another line lists nothing of ours


def test_recorded_executions_are_read() -> None:
    public, sold, again, closed, *unified = examples("parse_trade")
    (fill,), _ = read_fills(SPOT, COINS, answer([sold]), MARKS)
    assert (fill.side, fill.fee, fill.base_fee) == (Side.SELL, Decimal("0.005693536"), NO_QUANTITY)
    with pytest.raises(Unreadable):  # it names no market
        read_fills(SPOT, COINS, answer([again]), MARKS)
    (exit_,), _ = read_fills(FUTURES, PERPETUAL, answer({"fillList": [closed]}), MARKS)
    assert (exit_.side, exit_.realised_pnl, exit_.fee) == (
        Side.SELL,
        Decimal("-0.0007"),
        Decimal("0.02236284"),
    )
    for stranger in (public, *unified):
        with pytest.raises(Unreadable):
            read_fills(FUTURES, PERPETUAL, answer({"fillList": [stranger]}), MARKS)


def test_recorded_positions_are_read() -> None:
    unified, single = examples("fetch_position")
    (held,), strangers = accounts.read_positions(text(single), NAMES)
    assert (held.symbol, held.quantity, held.entry_price, held.leverage) == (
        BTC, Decimal("0.002"), Decimal("37355.5"), 20
    )  # fmt: skip
    assert strangers == []
    (every,) = examples("fetch_positions")
    assert accounts.read_positions(text(every), NAMES)[0][0].quantity == Decimal("0.002")
    with pytest.raises(Unreadable):
        accounts.read_positions(text(unified), NAMES)


def test_recorded_wallets_are_read() -> None:
    margin, spot, futures, *unified = examples("fetch_balance")
    assert coins.read_coin(text(spot), "USDT").wallet == 0
    assert accounts.read_balance(text(futures), "USDT").wallet == 0
    for stranger in (margin, *unified):
        with pytest.raises(Unreadable):
            accounts.read_balance(text(stranger), "USDT")
    funding = examples("parse_funding_history")[0]
    (payment,), _ = accounts.read_funding(answer({"bills": [funding], "endId": "1"}), NAMES)
    assert (payment.amount, payment.symbol) == (Decimal("-0.004992"), BTC)


def test_recorded_settings_are_read() -> None:
    (leverage,) = examples("set_leverage")
    assert accounts.confirmed(accounts.read_leverages(text(leverage))) == 25
    (settings,) = examples("fetch_margin_mode")
    assert accounts.read_modes(text(settings)) == (PositionMode.HEDGE, MarginMode.CROSS)
    (fee,) = examples("fetch_trading_fee")
    assert rights.read_fee_rates(text(fee)) == FeeRates(Decimal("0.001"), Decimal("0.001"))
    (message,) = examples("handle_ticker")
    assert listing.read_ticker_message(SPOT, text(message), NAMES) == {BTC: price("43528.19")}
    assert listing.read_ticker_message(FUTURES, text(message), NAMES) == {}


def test_nothing_else_that_was_recorded_passes_for_one_of_ours() -> None:
    for row in load("ccxt_payload_examples/bitget.json"):
        for product, instrument in ((FUTURES, PERPETUAL), (SPOT, COINS)):
            body = text(row["payload"])
            for read in (
                partial(read_fills, product, instrument, body, MARKS),
                partial(read_open_orders, product, body, NAMES),
                partial(read_plans, product, body, NAMES, MARKS),
            ):
                try:
                    found, _ = read()
                except Unreadable:
                    continue
                assert not found or row["function"] in {"fetch_open_orders", "fetch_order"}, row["id"]
