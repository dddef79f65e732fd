"""OKX's answers as recorded and as other clients' authors keep them become the right values, or a typed refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.ports import OrderUpdate
from app.domain.shared.execution import FeeRates, OrderStatus
from app.domain.shared.market import MarketKind, Symbol
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.okx.wire import accounts, fills, market, orders, protections
from app.infrastructure.exchanges.okx.wire.events import read_facts
from app.infrastructure.exchanges.okx.wire.terms import SPOT, SWAP, Contracts, Listed
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.okx import okx_rows as rows
from tests.unit.infrastructure.exchanges.okx.okx_rows import BTC, COINS, SWAPS, answer, load


def recorded(name: str) -> Any:
    return load(f"nautilus_recorded/okx/{name}.json")


def examples(function: str) -> list[Any]:
    return [row["payload"] for row in load("ccxt_payload_examples/okx.json") if row["function"] == function]


def raw(payload: object) -> bytes:
    return json.dumps(payload).encode()


def test_recorded_listings_become_instruments_in_coins() -> None:
    swaps, names = market.read_listing(SWAP, raw(recorded("http_get_instruments_swap")))
    found = {row.symbol: row for row in swaps}
    btc, eth = found[BTC], found[Symbol("ETH-USDT")]
    assert (btc.venue_symbol, btc.contract_size, btc.step, btc.kind) == (
        "BTC-USDT-SWAP", Decimal("0.01"), Decimal("0.0001"), MarketKind.LINEAR,
    )  # fmt: skip
    assert (eth.contract_size, eth.quantity_min, eth.tick) == (
        Decimal("0.1"),
        Decimal("0.001"),
        Decimal("0.01"),
    )
    assert "BTC-USD-SWAP" not in names  # inverse: another market
    for other in ("futures", "option", "spot"):
        assert market.read_listing(SWAP, raw(recorded(f"http_get_instruments_{other}")))[0] == []
    # All recorded spot pairs are against USD: none is ours.
    assert market.read_listing(SPOT, raw(recorded("http_get_instruments_spot")))[0] == []


def test_recorded_balances_positions_marks_and_orders_are_read() -> None:
    wallet = accounts.read_balance(SWAP, "USDT", raw(recorded("http_get_account_balance")))
    assert (wallet.wallet, wallet.available) == (money("94.42612990333333"), money("94.42612990333333"))
    marks = market.read_marks(SWAPS.names, raw(recorded("http_get_mark_price")))
    assert marks == {BTC: price("84660.1")}
    reports, _ = orders.read_open_orders(SWAPS, raw(recorded("http_get_orders_history")))
    assert reports == []  # it ended
    (row,) = recorded("http_get_orders_history")["data"]
    found = orders.read_order(SWAPS, answer(row), order_id=row["ordId"])
    assert found is not None
    assert (found.status, found.executed, found.average_price) == (
        OrderStatus.FILLED, quantity("0.0003"), price("103698.9"),
    )  # fmt: skip
    waiting, _ = protections.read_open_protections(
        SWAPS, raw(recorded("http_get_orders_algo_pending_attached_oco"))
    )
    assert waiting == []  # an order with both triggers is not of our make


@pytest.mark.parametrize("name", ["http_transaction_detail", "http_transaction_detail_empty_fee"])
def test_recorded_executions_at_spot_are_read(name: str) -> None:
    found, _ = fills.read_fills(COINS, answer(recorded(name)), {})
    assert [(fill.trade_id, fill.price, fill.quantity, fill.base_fee) for fill in found] == [
        ("123456789", price("42000.5"), quantity("0.001"), quantity(0))
    ]
    assert found[0].fee in {money("-0.042"), money(0)}  # above zero the venue writes a rebate


@pytest.mark.parametrize("name", ["ws_orders", "ws_orders_liquidation", "ws_orders_optimal_limit_ioc"])
def test_recorded_stream_orders_become_updates_with_their_fills(name: str) -> None:
    payload = recorded(name)
    known = {"BTC-USDT-SWAP": BTC}
    listed = Listed(SWAP, Contracts(known, dict.fromkeys(known, Decimal("0.01"))))
    facts = [fact for fact in read_facts(raw(payload), listed, {}) if isinstance(fact, OrderUpdate)]
    mine = [row for row in payload["data"] if row["instId"] in known]
    assert [(fact.report.order_id, fact.report.client_order_id) for fact in facts] == [
        (row["ordId"], row["clOrdId"]) for row in mine
    ]
    for fact, row in zip(facts, mine, strict=True):
        assert (fact.fill is None) == (not row["tradeId"])
        if fact.fill is not None:
            assert fact.fill.trade_id == row["tradeId"]
            assert fact.fill.quantity == Decimal(row["fillSz"]) * Decimal("0.01")
            assert fact.fill.fee == -Decimal(row["fee"])


def _try(read: Callable[[bytes], object], payload: object) -> object:
    try:
        return read(raw(payload))
    except Unreadable:
        return None


READERS: tuple[Callable[[bytes], object], ...] = (
    lambda body: orders.read_order(SWAPS, body, client_order_id="mine"),
    lambda body: orders.read_open_orders(SWAPS, body)[0],
    lambda body: fills.read_fills(SWAPS, body, {})[0],
    lambda body: fills.read_fills(COINS, body, {})[0],
    lambda body: accounts.read_positions(SWAPS, body)[0],
    lambda body: accounts.read_balance(SWAP, "USDT", body),
    lambda body: accounts.read_holdings(COINS.names, body),
    lambda body: accounts.read_funding(SWAPS.names, body)[0],
    lambda body: accounts.read_fees(SWAP, body),
    accounts.read_key_facts,
    accounts.read_position_mode,
    lambda body: protections.read_open_protections(SWAPS, body)[0],
    lambda body: market.read_listing(SWAP, body)[0],
    lambda body: market.read_marks(SWAPS.names, body),
    lambda body: market.read_mark_message(body, SWAPS.names),
    lambda body: read_facts(body, SWAPS, {}),
    lambda body: read_facts(body, COINS, {}),
)


def test_no_recorded_payload_or_example_breaks_a_reader_or_becomes_a_phantom() -> None:
    payloads = [row["payload"] for row in load("ccxt_payload_examples/okx.json")]
    payloads += [{"code": "0", "msg": "", "data": [payload]} for payload in payloads]
    payloads += [
        json.loads(path.read_text()) for path in sorted((rows.DATA / "nautilus_recorded/okx").glob("*"))
    ]
    for payload in payloads:
        for read in READERS:
            found = _try(read, payload)
            for fill in found if isinstance(found, list) else ():
                if hasattr(fill, "trade_id"):
                    assert fill.symbol in SWAPS.names.values()
                    assert fill.price > 0 < fill.quantity


def test_examples_of_other_clients_are_read() -> None:
    (live,) = [p for p in examples("parse_order") if p.get("state") == "live"]
    report, _ = orders.read_open_orders(
        Listed(SPOT, Contracts({"ETH-USDT": Symbol("ETH-USDT")}, {"ETH-USDT": Decimal(1)})), answer(live)
    )
    assert [(row.symbol, row.quantity, row.status) for row in report] == [
        (Symbol("ETH-USDT"), quantity("0.001"), OrderStatus.OPEN)
    ]
    (held,) = [p for p in examples("parse_position") if "pos" in p]
    (position,), strangers = accounts.read_positions(SWAPS, answer(held))
    assert (position.quantity, position.entry_price, position.leverage, strangers) == (
        Decimal("0.01"), Decimal("34131.1"), 2, [],
    )  # fmt: skip
    (fee,) = examples("fetch_trading_fee")
    assert accounts.read_fees(SPOT, raw(fee)) == FeeRates(maker=Decimal("0.0008"), taker=Decimal("0.001"))
    (bill,) = examples("fetch_funding_history")
    assert accounts.read_funding({}, answer(bill))[0] == []  # settled in a coin: not of these swaps
    (lever,) = examples("set_leverage")
    assert accounts.read_leverage(rows.SWAP_BTC, raw(lever)) == 5
