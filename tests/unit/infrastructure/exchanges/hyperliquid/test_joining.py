"""Joining: whatever comes first, each fill is told once with its order, and each trigger's end with its trigger."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.shared.execution import OrderStatus
from app.domain.shared.money import money, quantity
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.hyperliquid.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.hyperliquid.wire.events import read_facts
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CID,
    FILL,
    FUNDING,
    MARKS,
    NAMES,
    NOW,
    ORDER,
    STATE,
    TRIGGER,
    UPDATE,
    USER,
    message,
    raw,
)


def update(status: str, left: str, **change: object) -> dict[str, Any]:
    row = {"order": {**UPDATE["order"], "sz": left, **change}, "status": status, "statusTimestamp": NOW}
    return message("orderUpdates", [row])


def fill(size: str, number: int) -> dict[str, Any]:
    return message("userFills", {"user": USER, "fills": [{**FILL, "sz": size, "tid": number}]})


def heard(joining: Joining, *messages: dict[str, Any]) -> list[StreamEvent]:
    return [event for told in messages for event in joining.take(read_facts(raw(told), NAMES, MARKS))]


NEWS = [update("open", "0.01"), fill("0.006", 1), fill("0.004", 2), update("filled", "0.0")]


@pytest.mark.parametrize("told", list(permutations(NEWS)))
def test_in_any_order_every_fill_is_told_once_and_the_order_ends_filled(
    told: tuple[dict[str, Any], ...],
) -> None:
    updates = [event for event in heard(Joining(), *told) if isinstance(event, OrderUpdate)]
    assert sorted(event.fill.trade_id for event in updates if event.fill is not None) == ["1", "2"]
    last = updates[-1].report
    assert (last.status, last.executed, last.client_order_id) == (OrderStatus.FILLED, quantity("0.01"), CID)
    executed = [event.report.executed for event in updates]
    assert executed == sorted(executed)


def test_a_fill_without_a_word_on_its_order_waits() -> None:
    joining = Joining()
    assert heard(joining, fill("0.006", 1)) == []
    (event,) = heard(joining, update("open", "0.01"))
    assert isinstance(event, OrderUpdate)
    assert event.fill is not None
    assert (event.report.status, event.report.executed) == (OrderStatus.PARTIAL, quantity("0.006"))


def test_an_order_from_before_the_connection_is_known_by_the_list_of_what_rests() -> None:
    joining = Joining()
    assert heard(joining, waiting({**ORDER, "reduceOnly": True})) == []
    (event,) = heard(joining, fill("0.003", 7))
    assert isinstance(event, OrderUpdate)
    assert (event.report.reduce_only, event.report.status) == (True, OrderStatus.PARTIAL)
    assert event.report.executed == quantity("0.006")  # what was executed before is not forgotten
    late = Joining()
    assert heard(late, fill("0.006", 7)) == []
    (event,) = heard(late, waiting(ORDER))
    assert isinstance(event, OrderUpdate)
    assert event.fill is not None


def test_the_list_of_what_rests_does_not_bring_an_ended_order_back() -> None:
    joining = Joining()
    heard(joining, update("filled", "0.0"), waiting(ORDER))
    (event,) = heard(joining, fill("0.01", 7))
    assert isinstance(event, OrderUpdate)
    assert event.report.status is OrderStatus.FILLED


def test_what_is_told_twice_is_heard_once() -> None:
    joining = Joining()
    events = heard(joining, update("open", "0.01"), fill("0.01", 1), fill("0.01", 1))
    assert sum(isinstance(event, OrderUpdate) and event.fill is not None for event in events) == 1
    assert heard(joining, update("filled", "0.0"), update("open", "0.01"))[-1].report.status is OrderStatus.FILLED  # type: ignore[union-attr]  # an OrderUpdate


def test_an_exit_stays_an_exit() -> None:
    (event,) = heard(Joining(), update("open", "0.01", reduceOnly=True))
    assert isinstance(event, OrderUpdate)
    assert event.report.reduce_only


def test_too_many_orphans_end_the_connection_and_a_new_one_forgets_them() -> None:
    joining = Joining(waiting_max=3)
    with pytest.raises(TooManyWaiting):
        heard(joining, *(fill("0.001", number) for number in range(1, 6)))
    joining.clear()
    assert heard(joining, update("open", "0.01"))[0].fill is None  # type: ignore[union-attr]  # an OrderUpdate


def test_memory_is_bounded() -> None:
    joining = Joining(kept=10)
    for number in range(1, 200):
        heard(joining, update("open", "0.01", oid=number))
        waiting = [{**TRIGGER, "oid": number}]
        heard(joining, message("openOrders", {"dex": "", "user": USER, "orders": waiting}))
    assert len(joining._orders) == 10
    assert len(joining._triggers) == 10


def waiting(*rows: dict[str, Any]) -> dict[str, Any]:
    return message("openOrders", {"dex": "", "user": USER, "orders": list(rows)})


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("triggered", ProtectionStatus.TRIGGERED), ("filled", ProtectionStatus.TRIGGERED),
        ("canceled", ProtectionStatus.CANCELED), ("reduceOnlyRejected", ProtectionStatus.REJECTED),
    ],
)  # fmt: skip
def test_a_trigger_is_told_when_it_waits_and_when_it_ends(word: str, status: ProtectionStatus) -> None:
    joining = Joining()
    (resting,) = heard(joining, waiting(TRIGGER))
    assert isinstance(resting, ProtectionUpdate)
    assert resting.report.status is ProtectionStatus.RESTING
    assert heard(joining, waiting(TRIGGER)) == []
    left = "0.0" if word == "filled" else "0.01"
    ended = heard(joining, update(word, left, oid=TRIGGER["oid"], side="A", reduceOnly=True))
    told = [event.report for event in ended if isinstance(event, ProtectionUpdate)]
    assert [report.status for report in told] == [status]
    assert (told[0].order_id is not None) == (status is ProtectionStatus.TRIGGERED)
    again = heard(joining, update("filled", "0.0", oid=TRIGGER["oid"], side="A", reduceOnly=True))
    assert not any(isinstance(event, ProtectionUpdate) for event in again)


def test_a_wallet_is_told_when_it_changes_and_when_funding_was_paid() -> None:
    joining = Joining()
    state = message("clearinghouseState", {"dex": "", "user": USER, "clearinghouseState": STATE})
    paid = message("user", {"funding": {**FUNDING["delta"], "time": NOW}})
    (first,) = heard(joining, state)
    assert isinstance(first, BalanceUpdate)
    assert (first.asset, first.reason, first.balance) == ("USDC", "", money("1000"))
    assert heard(joining, state) == []
    (funded,) = heard(joining, paid)
    assert isinstance(funded, BalanceUpdate)
    assert funded.reason == "FUNDING_FEE"


def test_funding_before_the_first_wallet_is_told_with_it() -> None:
    joining = Joining()
    assert heard(joining, message("user", {"funding": {**FUNDING["delta"], "time": NOW}})) == []
    state = message("clearinghouseState", {"dex": "", "user": USER, "clearinghouseState": STATE})
    (first,) = heard(joining, state)
    assert isinstance(first, BalanceUpdate)
    assert first.reason == "FUNDING_FEE"
