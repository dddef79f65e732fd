"""Stop-loss and take-profit as Bybit tells them: their kind, their end, and when they are orders."""

from __future__ import annotations

import pytest

from app.domain.exchanges.outcomes import DefiniteNo, Duplicate, RefusalKind, Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionReport
from app.domain.shared.execution import OrderReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.bybit.wire.orders import read_open_orders, read_order
from app.infrastructure.exchanges.bybit.wire.protections import (
    protection_outcome,
    read_open_protections,
    read_protection,
)
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import (
    LINEAR,
    NAMES,
    SPOT,
    answer,
    facts,
    instrument,
    listed,
    order,
    stop,
)

MINE = ClientOrderId("mine")
LINEAR_BTC, SPOT_BTC = instrument(Venue.BYBIT_LINEAR), instrument(Venue.BYBIT_SPOT)
STOP, TAKE = TriggerKind.STOP_LOSS, TriggerKind.TAKE_PROFIT
WANTED = PlaceProtection(LINEAR_BTC, Side.SELL, STOP, price(90), quantity(2), MINE, 1_700_000_000_000, 5000)


def read(**change: object) -> ProtectionReport:
    found = read_protection(LINEAR_BTC, MINE, listed(stop(**change)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, STOP), ({"triggerDirection": 1}, TAKE), ({"side": "Buy", "triggerDirection": 1}, STOP),
        ({"side": "Buy"}, TAKE), ({"stopOrderType": "TakeProfit"}, TAKE),
        ({"stopOrderType": "PartialStopLoss", "triggerDirection": 0}, STOP),
        # Spot tells no direction, but the price of the moment.
        ({"triggerDirection": 0, "basePrice": "100"}, STOP), ({"triggerDirection": 0, "basePrice": "80"}, TAKE),
        ({"triggerDirection": 0, "lastPriceOnCreated": "80"}, TAKE),
    ],
)  # fmt: skip
def test_the_kind_follows_from_direction_and_side(change: dict[str, object], kind: TriggerKind) -> None:
    assert read(**change).kind is kind


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, ProtectionStatus.RESTING),
        ({"orderStatus": "Triggered"}, ProtectionStatus.TRIGGERED),
        ({"orderStatus": "New"}, ProtectionStatus.TRIGGERED),
        ({"orderStatus": "Filled", "cumExecQty": "2"}, ProtectionStatus.TRIGGERED),
        ({"orderStatus": "Cancelled", "cumExecQty": "1"}, ProtectionStatus.TRIGGERED),
        ({"orderStatus": "Cancelled", "cancelType": "CancelByUser"}, ProtectionStatus.CANCELED),
        ({"orderStatus": "Deactivated"}, ProtectionStatus.CANCELED),
        ({"orderStatus": "Cancelled", "cancelType": "CancelByReduceOnly"}, ProtectionStatus.EXPIRED),
        ({"orderStatus": "Cancelled", "cancelType": "CancelByTpSlTsClear"}, ProtectionStatus.EXPIRED),
        ({"orderStatus": "Rejected"}, ProtectionStatus.REJECTED),
    ],
)
def test_its_status_follows_from_the_orders(change: dict[str, object], status: ProtectionStatus) -> None:
    found = read(**change)
    assert found.status is status
    assert found.order_id == (found.protection_id if status is ProtectionStatus.TRIGGERED else None)
    as_order = read_order(LINEAR_BTC, listed(stop(**change)), client_order_id=MINE)
    assert (as_order is not None) == (status is ProtectionStatus.TRIGGERED)


@pytest.mark.parametrize(
    "change",
    [
        {"side": "None"}, {"orderStatus": "Done"}, {"triggerPrice": "many"}, {"triggerPrice": "-1"}, {"qty": "NaN"},
        {"orderId": ""}, {"updatedTime": "soon"}, {"triggerDirection": 0}, {"triggerDirection": 7},
    ],
)  # fmt: skip
def test_a_contradictory_protection_is_no_answer(change: dict[str, object]) -> None:
    body = listed(stop(**change))
    try:
        assert read_protection(LINEAR_BTC, MINE, body) is None  # without a trigger it is an order
    except Unreadable:
        return
    assert change == {"triggerPrice": "-1"}


def test_an_ordinary_order_is_no_protection_and_an_empty_list_says_none() -> None:
    assert read_protection(LINEAR_BTC, MINE, listed(order())) is None
    assert read_protection(LINEAR_BTC, MINE, listed()) is None
    with pytest.raises(Unreadable):
        read_protection(LINEAR_BTC, MINE, listed(stop(orderLinkId="other")))


def test_only_what_can_only_reduce_is_listed_and_a_strangers_oddity_does_not_hide_ours() -> None:
    opens = stop(reduceOnly=False, closeOnTrigger=False, orderLinkId="entry")
    odd = stop(orderLinkId="", triggerDirection=0)
    rows = listed(stop(), opens, odd, stop(symbol="OTHERUSDT"), stop(orderStatus="Filled", cumExecQty="2"))
    found, cursor = read_open_protections(rows, LINEAR, NAMES)
    assert ([row.client_order_id for row in found], cursor) == (["mine"], "")
    with pytest.raises(Unreadable):
        read_open_protections(listed(stop(triggerDirection=0)), LINEAR, NAMES)


def test_waiting_protections_are_no_open_orders() -> None:
    found, _ = read_open_orders(listed(stop(), order(orderStatus="New", cumExecQty="0")), LINEAR.venue, NAMES)
    assert len(found) == 1


def test_at_spot_each_conditional_order_protects_a_holding() -> None:
    row = stop(
        category="spot", reduceOnly=False, closeOnTrigger=False, triggerDirection=0, basePrice="100",
        stopOrderType="tpslOrder",
    )  # fmt: skip
    (found,), _ = read_open_protections(listed(row), SPOT, NAMES)
    assert (found.venue, found.kind) == (Venue.BYBIT_SPOT, STOP)
    report = read_protection(SPOT_BTC, MINE, listed(row))
    assert report == found


def test_an_acknowledged_protection_rests_and_other_answers_mean_what_they_mean_for_orders() -> None:
    yes = answer({"orderId": "v-9", "orderLinkId": "mine"})
    got = protection_outcome(WANTED, 200, yes, {})
    assert isinstance(got, Protected)
    assert (got.report.protection_id, got.report.status, got.report.order_id) == (
        "v-9", ProtectionStatus.RESTING, None
    )  # fmt: skip
    refused = protection_outcome(WANTED, 200, answer({}, 110093, "expect Falling"), {})
    assert isinstance(refused, DefiniteNo)
    assert refused.kind is RefusalKind.WOULD_TRIGGER
    assert isinstance(protection_outcome(WANTED, 200, answer({}, 110072), {}), Duplicate)
    for status, body in ((500, yes), (200, b""), (200, answer({"orderId": "v-9", "orderLinkId": "other"}))):
        assert isinstance(protection_outcome(WANTED, status, body, {}), Unknown)


def test_the_stream_tells_a_protection_and_then_its_order_beside_it() -> None:
    assert [type(fact) for fact in facts("order", stop())] == [ProtectionReport]
    ended = facts("order", stop(orderStatus="Cancelled"))
    assert [type(fact) for fact in ended] == [ProtectionReport]
    both = facts("order", stop(orderStatus="Filled", cumExecQty="2"))
    assert [type(fact) for fact in both] == [ProtectionReport, OrderReport]
