"""Executions against canned answers: pages, names, and whom to believe when two answers differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    VenueRefused,
    VenueUnavailable,
)
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderStatus
from tests.unit.infrastructure.exchanges.hyperliquid.canned import found, just, listed, scene
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CID,
    CLOID,
    FILL,
    NOW,
    USER,
    instrument,
    raw,
)


async def test_an_order_is_told_with_the_mean_price_of_its_executions() -> None:
    fills = [FILL, {**FILL, "tid": 2, "sz": "0.004", "px": "87020.0"}, {**FILL, "tid": 3, "oid": 5}]
    made = await scene(orderStatus=found("filled", "0.0"), userFillsByTime=listed(fills))
    report = await made.gateway.order(instrument(), CID)
    assert report is not None
    assert (report.status, report.average_price) == (OrderStatus.FILLED, Decimal(87014))
    assert made.way.asked[0] == {"type": "orderStatus", "user": USER, "oid": CLOID}
    bounds = made.way.asked[1]
    assert (bounds["startTime"], bounds["endTime"]) == (NOW - 1000, NOW + 1005)


async def test_an_order_that_ended_early_is_believed_when_its_executions_agree() -> None:
    lagging = await scene(orderStatus=found("canceled", "0.004"), userFillsByTime=listed([]))
    with pytest.raises(VenueUnavailable):
        await lagging.gateway.order(instrument(), CID)
    hours = 3_600_000
    settled = await scene(
        now_ms=NOW + hours, orderStatus=found("canceled", "0.0"), userFillsByTime=listed([FILL])
    )
    report = await settled.gateway.order(instrument(), CID)
    assert report is not None
    assert (report.status, report.executed) == (OrderStatus.CANCELED, Decimal("0.006"))


async def test_a_filled_order_is_filled_though_its_executions_are_late() -> None:
    made = await scene(orderStatus=found("filled", "0.0"), userFillsByTime=listed([]))
    report = await made.gateway.order(instrument(), CID)
    assert report is not None
    assert (report.status, report.executed, report.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.01"),
        None,
    )


@pytest.mark.parametrize("spacing", [1, 0])
async def test_every_page_of_fills_is_read(spacing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.infrastructure.exchanges.hyperliquid.wire.fills.PAGE", 4)
    rows = [{**FILL, "tid": number, "time": NOW + spacing * (number // 3)} for number in range(1, 11)]
    # Of one millisecond no more than a page can be told: what lies behind it is gone at this venue.
    wanted = len(rows) if spacing else 4
    made = await scene(userFillsByTime=listed(rows, 4))
    got = await made.gateway.fills(instrument(), since=from_epoch_ms(NOW))
    assert [fill.trade_id for fill in got] == [str(number) for number in range(1, wanted + 1)]


async def test_pages_that_come_newest_first_are_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.infrastructure.exchanges.hyperliquid.wire.fills.PAGE", 3)
    rows = [{**FILL, "tid": number, "time": NOW + number} for number in range(1, 11)]

    def answer(asked: dict[str, Any]) -> bytes:
        last = asked.get("endTime", 1 << 60)
        return raw([row for row in reversed(rows) if asked["startTime"] <= int(row["time"]) <= last][:3])

    made = await scene(userFillsByTime=answer)
    got = await made.gateway.fills(instrument(), since=from_epoch_ms(NOW))
    assert [fill.trade_id for fill in got] == [str(number) for number in range(1, 11)]


async def test_fills_without_cloids_are_named_by_their_orders() -> None:
    bare = {key: value for key, value in FILL.items() if key != "cloid"}
    made = await scene(
        userFillsByTime=listed([bare, {**bare, "tid": 2}, {**bare, "tid": 3, "coin": "ETH"}]),
        orderStatus=found("filled", "0.0"),
    )
    got = await made.gateway.fills(instrument(), since=from_epoch_ms(NOW))
    assert [(fill.trade_id, fill.client_order_id) for fill in got] == [("2", CID), ("900000001", CID)]
    assert sum(asked["type"] == "orderStatus" for asked in made.way.asked) == 1


async def test_a_list_that_tells_cloids_is_believed() -> None:
    bare = {**FILL, "cloid": None, "tid": 2, "oid": 5}
    made = await scene(userFillsByTime=listed([FILL, bare]))
    got = await made.gateway.fills(instrument(), since=from_epoch_ms(NOW))
    assert [fill.client_order_id for fill in got] == ["", CID]


async def test_fills_of_an_order_that_nobody_knows_are_none() -> None:
    made = await scene(orderStatus=just({"status": "unknownOid"}))
    assert await made.gateway.fills(instrument(), order_id="5") == []
    assert await made.gateway.fills(instrument(), order_id="not-a-number") == []
    with pytest.raises(VenueRefused):
        await made.gateway.order_by_venue_id(instrument(), "not-a-number")
