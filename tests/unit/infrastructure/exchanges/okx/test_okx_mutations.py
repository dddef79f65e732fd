"""A hundred thousand payloads as no venue should send them: nothing breaks, and no execution is invented."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, Unknown
from app.domain.exchanges.ports import OrderUpdate
from app.domain.exchanges.protection import PlaceProtection, Protected
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.okx.wire import accounts, fills, market, orders, protections
from app.infrastructure.exchanges.okx.wire.events import read_facts
from app.infrastructure.exchanges.okx.wire.refusals import refused_read
from app.infrastructure.exchanges.okx.wire.socket import read_reply
from app.infrastructure.exchanges.okx.wire.terms import SWAP, Listed
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.okx import okx_rows as rows
from tests.unit.infrastructure.exchanges.okx.okx_rows import BTC, COINS, SWAP_BTC, SWAPS

ID = ClientOrderId("mine")
ORDER = PlaceOrder(SWAP_BTC, Side.SELL, quantity("0.01"), True, ID, 1763800000123, 5000)
STOP = PlaceProtection(
    SWAP_BTC, Side.SELL, TriggerKind.STOP_LOSS, price(1), quantity("0.01"), ID, 1763800000123, 5000
)
EACH = 5000


def said(*data: object, code: str = "0") -> dict[str, object]:
    return {"code": code, "msg": "", "data": list(data)}


def told(channel: str, *data: object) -> dict[str, object]:
    return {"arg": {"channel": channel, "instType": "SWAP"}, "data": list(data)}


def executions(listed: Listed) -> Callable[[bytes], Iterable[Fill]]:
    def read(body: bytes) -> Iterable[Fill]:
        updates = [fact for fact in read_facts(body, listed, {}) if isinstance(fact, OrderUpdate)]
        return [update.fill for update in updates if update.fill is not None]

    return read


FILLS: tuple[tuple[str, Any, Callable[[bytes], Iterable[Fill]]], ...] = (
    ("list", said(rows.fill(), rows.fill(tradeId="2")), lambda body: fills.read_fills(SWAPS, body, {})[0]),
    (
        "spot list",
        said(rows.fill(instId="BTC-USDT", side="buy", feeCcy="BTC", fee="-0.001")),
        lambda body: fills.read_fills(COINS, body, {})[0],
    ),
    ("stream", told("orders", rows.streamed(), rows.streamed(tradeId="", fillSz="0")), executions(SWAPS)),
    ("old stream", told("orders", rows.order()), executions(SWAPS)),
)
OTHERS: tuple[tuple[str, Any, Callable[[bytes], object]], ...] = (
    ("order", said(rows.order()), lambda body: orders.read_order(SWAPS, body, client_order_id="mine")),
    (
        "orders",
        said(rows.order(state="live", accFillSz="0")),
        lambda body: orders.read_open_orders(SWAPS, body),
    ),
    ("cancel", said(rows.acknowledged()), lambda body: orders.read_acknowledged(ID, body)),
    ("positions", said(rows.position(), rows.position()), lambda body: accounts.read_positions(SWAPS, body)),
    ("balance", said(rows.wallets(rows.detail())), lambda body: accounts.read_balance(SWAP, "USDT", body)),
    (
        "holdings",
        said(rows.wallets(rows.detail(ccy="BTC"))),
        lambda body: accounts.read_holdings(COINS.names, body),
    ),
    ("funding", said(rows.bill()), lambda body: accounts.read_funding(SWAPS.names, body)),
    ("config", said(rows.configuration()), accounts.read_key_facts),
    ("mode", said(rows.configuration()), accounts.read_position_mode),
    (
        "protection",
        said(rows.algo(state="effective", ordIdList=["1"])),
        lambda body: protections.read_protection(SWAPS, ID, body),
    ),
    ("protections", said(rows.algo()), lambda body: protections.read_open_protections(SWAPS, body)),
    ("algo stream", told("orders-algo", rows.algo()), lambda body: read_facts(body, SWAPS, {})),
    (
        "wallet stream",
        told("balance_and_position", rows.holdings()),
        lambda body: read_facts(body, SWAPS, {}),
    ),
    ("listing", said(rows.contract()), lambda body: market.read_listing(SWAP, body)),
    (
        "marks",
        told("mark-price", {"instId": "BTC-USDT-SWAP", "markPx": "64000", "ts": "1700000000000"}),
        lambda body: market.read_mark_message(body, SWAPS.names),
    ),
    ("reply", {"event": "login", "code": "0", "msg": "", "connId": "a"}, read_reply),
)


@pytest.mark.parametrize(("name", "payload", "read"), FILLS, ids=[row[0] for row in FILLS])
def test_an_execution_is_whole_or_none(
    name: str, payload: Any, read: Callable[[bytes], Iterable[Fill]]
) -> None:
    seen = 0
    for body in mutations(payload, EACH, seed=len(name)):
        try:
            found = read(body)
        except Unreadable:
            continue
        for fill in found:
            seen += 1
            assert fill.symbol == BTC
            assert fill.trade_id
            assert fill.order_id
            assert fill.price > 0
            assert fill.quantity > 0
            assert fill.base_fee >= 0
    assert seen > EACH / 10  # many mutations leave a good execution in place: the readers were reached


@pytest.mark.parametrize(("name", "payload", "read"), OTHERS, ids=[row[0] for row in OTHERS])
def test_readers_refuse_in_their_own_words(name: str, payload: Any, read: Callable[[bytes], object]) -> None:
    good = 0
    for body in mutations(payload, EACH, seed=len(name)):
        try:
            read(body)
            good += 1
        except Unreadable:
            continue
    assert 0 < good < EACH


def test_outcomes_are_always_given() -> None:
    for body in mutations(said(rows.acknowledged()), EACH, seed=1):
        got = orders.outcome(ORDER, SWAP, 200, body, {})
        assert isinstance(got, Accepted | DefiniteNo | Duplicate | Unknown)
        if isinstance(got, Accepted):
            assert got.report.order_id
            assert got.report.client_order_id == ID
    refusal = said(rows.acknowledged(ordId="", sCode="51008", sMsg="poor"), code="1")
    for body in mutations(refusal, EACH, seed=2):
        assert not isinstance(orders.outcome(ORDER, SWAP, 200, body, {}), Accepted)
        refused_read(200, body, {})
    acknowledged = said({"algoId": "1", "algoClOrdId": "mine", "sCode": "0", "sMsg": ""})
    for body in mutations(acknowledged, EACH, seed=3):
        placed = protections.outcome(STOP, SWAP, 200, body, {})
        assert isinstance(placed, Protected | DefiniteNo | Duplicate | Unknown)
