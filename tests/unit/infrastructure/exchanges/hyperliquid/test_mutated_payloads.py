"""A hundred thousand payloads as no venue should send them: no reader crashes, and no fill appears that nobody told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, Unknown
from app.domain.exchanges.protection import Protected
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.market import Symbol
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.hyperliquid.joining import Joining
from app.infrastructure.exchanges.hyperliquid.wire import accounts, events, fills, market, orders, protections
from app.infrastructure.exchanges.hyperliquid.wire.refusals import refused_read
from app.infrastructure.exchanges.hyperliquid.wire.socket import read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CLOID,
    FILL,
    FOUND,
    FUNDING,
    MARKS,
    MESSAGES,
    META,
    NAMES,
    NOW,
    ORDER,
    STATE,
    TRIGGER,
    instrument,
    message,
    order,
    protection,
)

BTC = Symbol("BTC-USDT")


def check_fill(fill: Fill) -> None:
    assert fill.symbol in NAMES.values()
    assert fill.price > 0
    assert fill.quantity > 0
    assert fill.trade_id.isdecimal()
    assert fill.order_id.isdecimal()


def check_report(report: OrderReport) -> None:
    assert 0 <= report.executed <= report.quantity
    assert report.order_id.isdecimal()


def found(body: bytes) -> None:
    got = orders.read_found(body, "BTC")
    if got is not None:
        check_report(orders.report_of(got.row.order, BTC, got.row.status, got.at))
        if protections.is_protection(got.row.order):
            protections.report_of(got.row.order, BTC, got.row.status, got.at)


def resting(body: bytes) -> None:
    for row in orders.read_open(body, NAMES):
        check_report(orders.resting_report(row, NAMES[row.coin]))
        if protections.is_protection(row):
            assert protections.resting_report(row, NAMES[row.coin]).trigger > 0


def filled(body: bytes) -> None:
    for row in fills.read_fills(body):
        if row.coin in NAMES:
            check_fill(fills.fill_of(row, NAMES[row.coin], MARKS))


def account(body: bytes) -> None:
    state = accounts.read_state(body)
    accounts.balance_of(state)
    for position in accounts.positions_of(state, NAMES)[0]:
        assert position.quantity != 0


def placed(body: bytes) -> None:
    asked = order()
    got = orders.outcome(asked, 200, body, {})
    assert isinstance(got, Accepted | DefiniteNo | Duplicate | Unknown)
    if isinstance(got, Accepted):
        check_report(got.report)
        assert got.report.quantity == asked.quantity


def protected(body: bytes) -> None:
    got = protections.outcome(protection(TriggerKind.STOP_LOSS, "84000"), 200, body, {})
    assert isinstance(got, Protected | DefiniteNo | Duplicate | Unknown)


def heard(body: bytes) -> None:
    joining = Joining()
    for fact in events.read_facts(body, NAMES, MARKS):
        if isinstance(fact, Fill):
            check_fill(fact)
        for event in joining.take([fact]):
            assert event is not None


def no_fill(body: bytes) -> None:
    for fact in events.read_facts(body, NAMES, MARKS):
        assert not isinstance(fact, Fill)


def marks(body: bytes) -> None:
    assert all(price > 0 for price in market.read_marks(body, NAMES).values())


def listing(body: bytes) -> None:
    for row in market.read_listing(body)[0]:
        assert row.tick > 0
        assert row.step > 0


ANSWER = {
    "status": "ok",
    "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 5, "cloid": CLOID}}]}},
}
DONE = {"filled": {"totalSz": "0.01", "avgPx": "87010.0", "oid": 5, "cloid": CLOID}}
FILLED = {"status": "ok", "response": {"type": "order", "data": {"statuses": [DONE]}}}
NO = {"status": "err", "response": "Insufficient margin to place order. asset=0"}
ACTIVE = {"coin": "BTC", "leverage": {"type": "cross", "value": 20}}

CASES: list[tuple[str, Any, Callable[[bytes], object]]] = [
    ("found", FOUND, found),
    ("open", [ORDER, TRIGGER], resting),
    ("fills", [FILL, {**FILL, "tid": 900_000_002}], filled),
    ("state", STATE, account),
    ("funding", [FUNDING], lambda body: accounts.read_funding(body, NAMES)),
    ("active", ACTIVE, lambda body: accounts.read_active(body, instrument())),
    ("fees", {"userCrossRate": "0.00045", "userAddRate": "0.00015"}, accounts.read_fee_rates),
    ("role", {"role": "agent", "data": {"user": "0xaa"}},
     lambda body: accounts.read_key_facts(body, agent="0xbb", master="0xaa")),
    ("time", {"time": NOW, "specialStatuses": None}, market.read_server_time),
    ("meta", META, listing),
    ("marks", META, marks),
    ("heard marks", message("activeAssetCtx", {"coin": "BTC", "ctx": {"markPx": "1.5"}}),
     lambda body: market.read_mark_message(body, NAMES)),
    ("resting answer", ANSWER, placed),
    ("filled answer", FILLED, placed),
    ("refusal", NO, placed),
    ("protected answer", ANSWER, protected),
    ("refused read", NO, lambda body: refused_read(200, body, {})),
    ("reply", MESSAGES[6], read_reply),
    *((f"message {place}", told, heard) for place, told in enumerate(MESSAGES)),
    ("snapshot", message("userFills", {"fills": [], "isSnapshot": True}), no_fill),
]  # fmt: skip
EACH = 100_000 // len(CASES) + 1


@pytest.mark.parametrize(("name", "payload", "reader"), CASES, ids=[case[0] for case in CASES])
def test_no_mutation_crashes_a_reader_or_invents_a_fill(
    name: str, payload: Any, reader: Callable[[bytes], object]
) -> None:
    read = 0
    for body in mutations(payload, EACH, seed=len(name)):
        try:
            reader(body)
            read += 1
        except Unreadable:
            continue
    assert read  # some mutations harm nothing
