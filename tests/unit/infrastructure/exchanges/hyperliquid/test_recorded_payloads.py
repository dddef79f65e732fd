"""Payloads that strangers recorded or keep as examples: each is read to the right value, or refused in so many words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Symbol
from app.infrastructure.exchanges.hyperliquid.wire import accounts, events, fills, market, orders
from app.infrastructure.exchanges.hyperliquid.wire.socket import read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CLOID,
    DATA,
    MARKS,
    NAMES,
    instrument,
    load,
    message,
    raw,
)

READERS: list[Callable[[bytes], object]] = [
    lambda body: orders.read_found(body, "BTC"), lambda body: orders.read_open(body, NAMES), fills.read_fills,
    lambda body: accounts.balance_of(accounts.read_state(body)), lambda body: accounts.read_funding(body, NAMES),
    lambda body: accounts.read_active(body, instrument()), accounts.read_fee_rates, market.read_listing,
    lambda body: market.read_marks(body, NAMES), market.read_meta, market.read_server_time, read_reply,
    lambda body: market.read_mark_message(body, NAMES), lambda body: events.read_facts(body, NAMES, MARKS),
]  # fmt: skip


def attempt(reader: Callable[[bytes], object], payload: object) -> object:
    try:
        return reader(raw(payload))
    except Unreadable:
        return None


def test_recorded_payloads_are_read_or_refused() -> None:
    names = sorted(path.name for path in (DATA / "nautilus_recorded/hyperliquid").glob("*.json"))
    if not names:
        pytest.skip("the recorded payloads are not on this machine")
    for name in names:
        payload = load(f"nautilus_recorded/hyperliquid/{name}")
        for reader in READERS:
            attempt(reader, payload)
    wallet = accounts.balance_of(
        accounts.read_state(
            raw(load("nautilus_recorded/hyperliquid/http_clearinghouse_state_negative_total_raw_usd.json"))
        )
    )
    assert (wallet.wallet, wallet.available) == (Decimal("1736.030875"), Decimal("772.232111"))
    listed, _ = market.read_meta(raw(load("nautilus_recorded/hyperliquid/http_meta_perp_sample.json")))
    assert [(row.symbol, row.venue_symbol, row.step, row.leverage_max) for row in listed] == [
        ("BTC-USDT", "BTC#0", Decimal("0.00001"), 40), ("ETH-USDT", "ETH#1", Decimal("0.0001"), 25),
        ("ATOM-USDT", "ATOM#2", Decimal("0.01"), 5),
    ]  # fmt: skip
    others = load("nautilus_recorded/hyperliquid/http_all_perp_metas_non_usdc_collateral.json")
    assert [market.read_meta(raw(meta))[1] for meta in others] == [{"BTC": "BTC-USDT"}, {}, {}]


def test_what_ccxt_keeps_as_examples_is_read_or_refused() -> None:
    examples = load("ccxt_payload_examples/hyperliquid.json")
    for example in examples:
        for reader in READERS:
            attempt(reader, example["payload"])

    def of(name: str) -> list[Any]:
        return [row["payload"] for row in examples if row["function"] == name]

    (trades,) = of("fetch_my_trades")
    (found,) = fills.read_fills(raw(trades))
    got = fills.fill_of(found, Symbol("ETH-USDT"), {})
    assert (got.trade_id, got.side, got.quantity) == ("128423918764978", Side.SELL, Decimal("0.0841"))
    assert (got.realised_pnl, got.fee, got.client_order_id) == (Decimal("0.19343"), Decimal("0.050062"), "")
    (liquidated,) = of("fetch_my_liquidations")
    assert fills.fill_of(fills.read_fills(raw(liquidated))[0], Symbol("NEAR-USDT"), {}).realised_pnl < 0
    own, public = of("parse_ws_trade")
    (heard,) = events.read_facts(raw(message("userFills", {"fills": [own]})), NAMES, MARKS)
    assert getattr(heard, "price", None) == Decimal(72528)
    with pytest.raises(Unreadable):  # a public trade is nobody's: it has no order and no fee
        fills.read_fills(raw([public]))
    (resting,) = of("fetch_open_orders")
    (open_row,) = orders.read_open(raw(resting), NAMES)
    assert orders.resting_report(open_row, Symbol("ETH-USDT")).status is OrderStatus.OPEN
    (hip3,) = of("fetch_hip3_markets")
    assert market.read_marks(raw(hip3), {"SOL": Symbol("SOL-USDT")}) == {"SOL-USDT": Decimal("108.04")}
    with pytest.raises(Unreadable):  # written there with its time as text, which the venue sends as a number
        accounts.read_state(raw(of("fetch_balance")[0]))
    assert accounts.read_state(raw(of("parse_ws_balance")[1])).time == 1776000003409
    assert CLOID
