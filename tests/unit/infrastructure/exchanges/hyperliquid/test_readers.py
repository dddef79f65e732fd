"""Readers of answers and messages: values from payloads in the documented shape, and typed refusals for all others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.requests import MarginMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.hyperliquid.market import heard_marks
from app.infrastructure.exchanges.hyperliquid.wire import accounts, events, fills, market, orders, protections
from app.infrastructure.exchanges.hyperliquid.wire.socket import read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CID,
    FILL,
    FOUND,
    FUNDING,
    MARKS,
    META,
    NAMES,
    NOW,
    ORDER,
    STATE,
    TRIGGER,
    UPDATE,
    USER,
    instrument,
    message,
    raw,
)

BTC = Symbol("BTC-USDT")


def row(**change: object) -> orders.OrderRow:
    (found,) = orders.read_open(raw([{**ORDER, **change}]), NAMES)
    return found


def report(status: str, **change: object) -> Any:
    return orders.report_of(row(**change), BTC, status, from_epoch_ms(NOW))


def test_an_order_is_found_with_what_is_left_of_it() -> None:
    found = orders.read_found(raw(FOUND), "BTC")
    assert found is not None
    got = orders.report_of(found.row.order, BTC, found.row.status, found.at)
    assert (got.order_id, got.client_order_id, got.side) == ("77000001", CID, Side.BUY)
    assert (got.status, got.quantity, got.executed) == (
        OrderStatus.PARTIAL,
        Decimal("0.01"),
        Decimal("0.006"),
    )
    assert (got.at, got.reduce_only, got.average_price) == (from_epoch_ms(NOW + 5), False, None)


def test_an_unknown_order_is_none_and_another_markets_is_no_answer() -> None:
    assert orders.read_found(raw({"status": "unknownOid"}), "BTC") is None
    with pytest.raises(Unreadable):
        orders.read_found(raw(FOUND), "ETH")
    with pytest.raises(Unreadable):
        orders.read_found(raw({"status": "order"}), "BTC")


@pytest.mark.parametrize(
    ("word", "left", "status", "done"),
    [
        ("open", "0.01", OrderStatus.OPEN, "0"), ("open", "0.004", OrderStatus.PARTIAL, "0.006"),
        ("filled", "0.0", OrderStatus.FILLED, "0.01"), ("filled", "0.004", OrderStatus.EXPIRED, "0.006"),
        ("triggered", "0.01", OrderStatus.OPEN, "0"), ("canceled", "0.004", OrderStatus.CANCELED, "0.006"),
        ("marginCanceled", "0.01", OrderStatus.CANCELED, "0"), ("scheduledCancel", "0.01", OrderStatus.CANCELED, "0"),
        ("reduceOnlyCanceled", "0.01", OrderStatus.CANCELED, "0"), ("internalCancel", "0.01", OrderStatus.CANCELED, "0"),
        ("iocCancelRejected", "0.01", OrderStatus.EXPIRED, "0"), ("rejected", "0.0", OrderStatus.REJECTED, "0"),
        ("perpMarginRejected", "0.0", OrderStatus.REJECTED, "0"), ("tickRejected", "0.01", OrderStatus.REJECTED, "0"),
    ],
)  # fmt: skip
def test_every_word_has_a_meaning(word: str, left: str, status: OrderStatus, done: str) -> None:
    got = report(word, sz=left)
    assert (got.status, got.executed) == (status, Decimal(done))


@pytest.mark.parametrize(
    ("word", "change"),
    [("odd", {}), ("", {}), ("open", {"side": "C"}), ("open", {"sz": "0.02"}), ("filled", {"sz": "0.01"}), ("open", {"sz": "-1"})],
)  # fmt: skip
def test_an_order_that_contradicts_itself_is_not_believed(word: str, change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        report(word, **change)


def test_triggers_are_protections_and_not_orders() -> None:
    rows = orders.read_open(raw([ORDER, TRIGGER, {**ORDER, "coin": "xyz:TSLA"}]), NAMES)
    assert [found.oid for found in rows] == [77_000_001, 77_000_002]
    assert [protections.is_protection(found) for found in rows] == [False, True]
    got = protections.resting_report(rows[1], BTC)
    assert (got.kind, got.side, got.trigger) == (TriggerKind.STOP_LOSS, Side.SELL, Decimal(84000))
    assert (got.status, got.order_id, got.client_order_id) == (ProtectionStatus.RESTING, None, CID)


@pytest.mark.parametrize(
    ("word", "status", "becomes"),
    [
        ("open", ProtectionStatus.RESTING, None), ("triggered", ProtectionStatus.TRIGGERED, "77000002"),
        ("filled", ProtectionStatus.TRIGGERED, "77000002"), ("canceled", ProtectionStatus.CANCELED, None),
        ("reduceOnlyRejected", ProtectionStatus.REJECTED, None), ("siblingFilledCanceled", ProtectionStatus.CANCELED, None),
        ("iocCancelRejected", ProtectionStatus.TRIGGERED, "77000002"),
    ],
)  # fmt: skip
def test_a_protection_keeps_its_number_when_it_becomes_an_order(
    word: str, status: ProtectionStatus, becomes: str | None
) -> None:
    (found,) = orders.read_open(raw([{**TRIGGER, "orderType": "Take Profit Market"}]), NAMES)
    got = protections.report_of(found, BTC, word, from_epoch_ms(NOW))
    assert (got.kind, got.status, got.order_id) == (TriggerKind.TAKE_PROFIT, status, becomes)


def test_a_fill_has_ids_fee_and_profit() -> None:
    (found,) = fills.read_fills(raw([{**FILL, "closedPnl": "1.25"}]))
    got = fills.fill_of(found, BTC, MARKS)
    assert (got.trade_id, got.order_id, got.client_order_id) == ("900000001", "77000001", CID)
    assert (got.fee, got.realised_pnl, got.at) == (
        Decimal("0.234927"),
        Decimal("1.25"),
        from_epoch_ms(NOW + 2),
    )


@pytest.mark.parametrize(
    "change", [{"sz": "0.0"}, {"px": "0"}, {"px": "-1"}, {"side": "X"}, {"sz": "-1"}, {"fee": "?"}]
)
def test_a_fill_without_substance_is_none(change: dict[str, object]) -> None:
    (found,) = fills.read_fills(raw([{**FILL, **change}]))
    with pytest.raises(Unreadable):
        fills.fill_of(found, BTC, MARKS)


def test_an_account_is_read_without_its_unrealised_profit() -> None:
    state = accounts.read_state(raw(STATE))
    wallet = accounts.balance_of(state)
    assert (wallet.asset, wallet.wallet, wallet.available) == ("USDC", Decimal(1000), Decimal("972.4"))
    (position,), strangers = accounts.positions_of(state, NAMES)
    assert (position.symbol, position.quantity, position.leverage) == (BTC, Decimal("-0.006"), 20)
    assert strangers == []
    assert accounts.positions_of(state, {}) == ([], ["BTC"])


def test_funding_is_numbered_by_market_and_instant() -> None:
    other = {**FUNDING, "delta": {"type": "deposit", "usdc": "5.0"}}
    (payment,) = accounts.read_funding(raw([FUNDING, other]), NAMES)
    assert (payment.payment_id, payment.symbol, payment.amount) == (f"{NOW}:BTC", BTC, Decimal("-0.0625"))


def test_leverage_and_mode_are_those_of_the_market_asked_for() -> None:
    body = raw({"user": USER, "coin": "BTC", "leverage": {"type": "isolated", "value": 7, "rawUsd": "1"}})
    assert accounts.read_active(body, instrument()) == (7, MarginMode.ISOLATED)
    with pytest.raises(Unreadable):
        accounts.read_active(body, instrument("ETH", 1))


@pytest.mark.parametrize(
    ("role", "trades", "withdraws", "agent"),
    [
        ({"role": "agent", "data": {"user": USER.upper().replace("X", "x")}}, True, False, "0xb"),
        ({"role": "agent", "data": {"user": "0xother"}}, False, False, "0xb"),
        ({"role": "missing"}, False, False, "0xb"), ({"role": "user"}, False, False, "0xb"),
        ({"role": "user"}, True, True, USER),
    ],
)  # fmt: skip
def test_an_agent_trades_and_only_the_own_key_withdraws(
    role: dict[str, Any], trades: bool, withdraws: bool, agent: str
) -> None:
    facts = accounts.read_key_facts(raw(role), agent=agent, master=USER)
    assert (facts.can_trade, facts.can_withdraw) == (trades, withdraws)


def test_a_listing_keeps_the_numbers_of_what_is_left_out() -> None:
    listed, names = market.read_listing(raw(META))
    assert [(found.symbol, found.venue_symbol) for found in listed] == [
        ("BTC-USDT", "BTC#0"), ("1000PEPE-USDT", "kPEPE#2"),
    ]  # fmt: skip
    assert names == {"BTC": "BTC-USDT", "OLD": "OLD-USDT", "kPEPE": "1000PEPE-USDT"}
    assert (listed[0].tick, listed[0].step, listed[0].notional_min) == (
        Decimal("0.1"),
        Decimal("0.00001"),
        Money(Decimal(10)),
    )
    assert (listed[1].tick, listed[1].step, listed[1].settle) == (Decimal("0.000001"), Decimal(1), "USDC")


def test_marks_come_by_place_and_by_name() -> None:
    assert market.read_marks(raw(META), NAMES) == {BTC: Decimal(87000), "1000PEPE-USDT": Decimal("0.0123")}
    heard = raw(message("activeAssetCtx", {"coin": "BTC", "ctx": {"markPx": "87001.5"}}))
    assert heard_marks(heard, NAMES) == {BTC: Decimal("87001.5")}
    with pytest.raises(Unreadable):
        market.read_marks(raw([META[0], META[1][:2]]), NAMES)


@pytest.mark.parametrize(
    "body", [b"", b"[]", raw(message("activeAssetCtx", {"coin": "BTC"})), raw(message("allMids", {"mids": {}})), raw(message("pong", None)),
             raw(message("activeAssetCtx", {"coin": "NEW", "ctx": {"markPx": "1"}}))]
)  # fmt: skip
def test_messages_without_a_mark_tell_none(body: bytes) -> None:
    assert heard_marks(body, NAMES) == {}


def test_the_snapshot_of_fills_is_history_and_no_news() -> None:
    told = raw(message("userFills", {"user": USER, "fills": [FILL], "isSnapshot": True}))
    assert events.read_facts(told, NAMES, MARKS) == []
    assert len(events.read_facts(raw(message("userFills", {"fills": [FILL]})), NAMES, MARKS)) == 1


def test_fills_are_heard_once_though_two_channels_tell_them() -> None:
    assert events.read_facts(raw(message("user", {"fills": [FILL]})), NAMES, MARKS) == []


@pytest.mark.parametrize("channel", ["orderUpdates", "userFills", "openOrders", "clearinghouseState", "user"])
def test_a_message_that_cannot_be_read_says_so(channel: str) -> None:
    for data in ("nonsense", 5, [5]):
        with pytest.raises(Unreadable):
            events.read_facts(raw(message(channel, data)), NAMES, MARKS)


def test_the_venues_complaints_are_not_passed_over() -> None:
    complaint = raw(message("error", "Cannot track more than 10 total users."))
    with pytest.raises(Unreadable):
        events.read_facts(complaint, NAMES, MARKS)
    assert read_reply(complaint).too_many_users
    assert not read_reply(raw(message("error", "Invalid subscription"))).too_many_users


def test_other_deployers_and_unknown_channels_do_not_concern_us() -> None:
    other = message("clearinghouseState", {"dex": "xyz", "user": USER, "clearinghouseState": STATE})
    for told in (other, message("openOrders", {"dex": "xyz", "orders": []}), message("l2Book", {}), {}):
        assert events.read_facts(raw(told), NAMES, MARKS) == []
    stranger = {**UPDATE, "order": {**UPDATE["order"], "coin": "NEW"}}
    assert events.read_facts(raw(message("orderUpdates", [stranger])), NAMES, MARKS) == []
