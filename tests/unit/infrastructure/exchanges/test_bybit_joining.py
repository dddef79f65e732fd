"""Executions and orders, wallets and positions come apart: what the joining makes of them, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.shared.execution import Fill, OrderStatus, VenuePosition
from app.domain.shared.money import Money, money, price, quantity
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.bybit.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.bybit.wire.events import Fact, FundingPaid, PositionChanged, Wallet
from tests.unit.infrastructure.exchanges.bybit_rows import BTC, execution, facts, order, stop

AT = datetime(2026, 1, 1, tzinfo=UTC)


def joined(*batches: Sequence[Fact]) -> list[StreamEvent]:
    joining = Joining()
    return [event for batch in batches for event in joining.take(batch)]


def test_a_fill_waits_for_the_word_on_its_order_and_takes_its_rights_from_it() -> None:
    fill, report = facts("execution", execution()), facts("order", order())
    for batches in ((fill, report), (report, fill)):
        update = joined(*batches)[-1]
        assert isinstance(update, OrderUpdate)
        assert update.fill is not None
        assert (update.report.reduce_only, update.report.status) == (True, OrderStatus.PARTIAL)


def test_a_report_from_before_the_execution_does_not_answer_for_it() -> None:
    new = facts("order", order(orderStatus="New", cumExecQty="0", avgPrice=""))
    events = joined(new, facts("execution", execution()), facts("order", order()))
    assert [(e.report.status, e.fill is not None) for e in events if isinstance(e, OrderUpdate)] == [
        (OrderStatus.OPEN, False), (OrderStatus.PARTIAL, True),
    ]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.permutations(range(6)))
def test_in_any_order_every_fill_comes_out_once(arrangement: list[int]) -> None:
    fills = [facts("execution", execution(execId=f"e-{n}", orderId=f"v-{n}")) for n in range(3)]
    reports = [facts("order", order(orderId=f"v-{n}")) for n in range(3)]
    events = joined(*[[*fills, *reports][n] for n in arrangement])
    told = [e.fill.trade_id for e in events if isinstance(e, OrderUpdate) and e.fill is not None]
    assert sorted(told) == ["e-0", "e-1", "e-2"]


def test_executions_that_nobody_explains_end_the_connection() -> None:
    (fill,) = facts("execution", execution())
    assert isinstance(fill, Fill)
    joining = Joining(waiting_max=3)
    assert list(joining.take([replace(fill, trade_id=str(number)) for number in range(3)])) == []
    with pytest.raises(TooManyWaiting):
        list(joining.take([replace(fill, trade_id="3")]))


def test_old_reports_are_forgotten_and_a_new_connection_remembers_nothing() -> None:
    joining = Joining(kept=1)
    list(joining.take([*facts("order", order()), *facts("order", order(orderId="v-2"))]))
    assert list(joining.take(facts("execution", execution()))) == []
    joining.clear()
    assert list(joining.take(facts("execution", execution(orderId="v-2")))) == []


POSITION = VenuePosition(BTC, quantity(1), price(100), money(0), 7)


def test_each_coins_wallet_and_its_funding_are_told_apart() -> None:
    coin, other = Wallet(money(1), AT, "BTC"), Wallet(money(2), AT, "ETH")
    events = joined([FundingPaid(AT, money("-0.1"), "ETH")], [coin], [other])
    assert [(e.asset, e.balance, e.reason) for e in events if isinstance(e, BalanceUpdate)] == [
        ("BTC", money(1), ""), ("ETH", money(2), "FUNDING_FEE"),
    ]  # fmt: skip


def test_a_protection_is_told_for_itself_and_what_it_becomes_as_an_order_too() -> None:
    waiting = joined(facts("order", stop()))
    assert [type(event) for event in waiting] == [ProtectionUpdate]
    triggered = joined(
        facts("order", stop(orderStatus="Triggered")),
        facts("order", stop(orderStatus="Filled", cumExecQty="2")),
    )
    told = [event.report.status for event in triggered if isinstance(event, ProtectionUpdate)]
    assert told == [ProtectionStatus.TRIGGERED] * 2
    assert [e.report.status for e in triggered if isinstance(e, OrderUpdate)] == [
        OrderStatus.OPEN, OrderStatus.FILLED,
    ]  # fmt: skip


def test_positions_wait_for_the_wallet_and_funding_names_its_reason() -> None:
    wallet = Wallet(Money(money(50)), AT)
    first, second = joined([PositionChanged(POSITION, AT)], [wallet], [FundingPaid(AT)])
    assert isinstance(first, BalanceUpdate)
    assert isinstance(second, BalanceUpdate)
    assert (first.balance, first.reason, first.positions) == (money(50), "", (POSITION,))
    assert (second.reason, second.positions) == ("FUNDING_FEE", ())
    (late,) = joined([FundingPaid(AT)], [wallet])
    (alone,) = joined([wallet], [PositionChanged(POSITION, AT)])[1:]
    assert isinstance(alone, BalanceUpdate)
    assert (alone.balance, alone.positions) == (money(50), (POSITION,))
    assert isinstance(late, BalanceUpdate)
    assert late.reason == "FUNDING_FEE"
