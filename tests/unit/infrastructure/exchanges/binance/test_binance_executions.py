"""All executions of a market: every page, every window that the venue accepts, each execution once and oldest first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest

from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.binance.dialects import DIALECTS
from app.infrastructure.exchanges.binance.executions import Executions
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    BTC,
    COIN,
    COIN_TRADE,
    SPOT,
    SPOT_TRADE,
    TRADE,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = 3
ROWS: dict[str, dict[str, Any]] = {"BTCUSDT": TRADE, "BTCUSD_PERP": COIN_TRADE}


class Venue:
    """The venue's rules for this question: pages of three, windows no longer than allowed, `fromId` beside no time."""

    def __init__(self, rows: list[dict[str, Any]], window_ms: int) -> None:
        self.rows = rows
        self.window_ms = window_ms
        self.asked: list[dict[str, str]] = []
        self.shared = SimpleNamespace(now=lambda: NOW, marks=SimpleNamespace(marks={}))

    async def call(
        self, method: str, path: str, text: str, read: Callable[[bytes], list[Fill]]
    ) -> list[Fill]:
        asked = dict(parse_qsl(text))
        self.asked.append(asked)
        assert int(asked["limit"]) == PAGE
        assert not ("fromId" in asked and "startTime" in asked)
        found = [row for row in self.rows if asked.get("orderId", str(row["orderId"])) == str(row["orderId"])]
        if "startTime" in asked:
            first, last = int(asked["startTime"]), int(asked["endTime"])
            assert last - first <= self.window_ms
            found = [row for row in found if first <= row["time"] <= last][:PAGE]
        elif "fromId" in asked:
            found = [row for row in found if row["id"] >= int(asked["fromId"])][:PAGE]
        else:
            found = found[:PAGE] if "orderId" in asked else found[-PAGE:]
        return read(json.dumps(found).encode())


def trades(instrument: Instrument, ages: list[timedelta]) -> list[dict[str, Any]]:
    base = SPOT_TRADE if instrument is SPOT else ROWS[instrument.venue_symbol]
    return [
        {**base, "id": number + 1, "orderId": 7 + number % 2, "time": epoch_ms(NOW - age)}
        for number, age in enumerate(ages)
    ]


def ask(
    instrument: Instrument, venue: Venue, since: datetime | None = None, order_id: str | None = None
) -> list[Fill]:
    dialect = replace(DIALECTS[instrument.venue], trades_page=PAGE)
    executions = Executions(cast("BinanceAccount", venue), dialect, instrument)
    return asyncio.run(executions.fetch(since, order_id))


def venue_of(instrument: Instrument, ages: list[timedelta]) -> Venue:
    return Venue(trades(instrument, ages), DIALECTS[instrument.venue].trades_window_ms)


AGES = [timedelta(days=days, minutes=minute) for days in (30, 12, 2, 1) for minute in (3, 2, 1, 0)]


@pytest.mark.parametrize("instrument", [BTC, COIN, SPOT])
def test_everything_since_a_time_is_told_once_and_oldest_first(instrument: Instrument) -> None:
    since = NOW - timedelta(days=13)
    found = ask(instrument, venue_of(instrument, AGES), since)
    assert [fill.trade_id for fill in found] == [str(number) for number in range(5, 17)]
    assert all(fill.at >= since for fill in found)


@pytest.mark.parametrize("instrument", [BTC, COIN, SPOT])
def test_an_orders_executions_are_told_over_all_pages_and_no_others(instrument: Instrument) -> None:
    found = ask(instrument, venue_of(instrument, AGES), None, "8")
    assert [fill.order_id for fill in found] == ["8"] * 8
    assert len({fill.trade_id for fill in found}) == 8


@pytest.mark.parametrize("instrument", [BTC, COIN, SPOT])
def test_nothing_since_a_time_to_come_is_nothing(instrument: Instrument) -> None:
    assert ask(instrument, venue_of(instrument, AGES), NOW + timedelta(hours=1)) == []


def test_a_quiet_spot_account_costs_one_request_however_long_ago() -> None:
    venue = venue_of(SPOT, AGES[:2])
    assert len(ask(SPOT, venue, NOW - timedelta(days=365))) == 2
    assert len(venue.asked) == 1


def test_a_venue_that_overlooks_the_order_shows_no_others_executions() -> None:
    venue = venue_of(BTC, AGES[:2])
    read_all = Venue.call

    async def overlooks(self: Venue, method: str, path: str, text: str, read: Any) -> list[Fill]:
        return await read_all(self, method, path, text.replace("&orderId=8", ""), read)

    venue.call = overlooks.__get__(venue)  # type: ignore[method-assign]  # a venue that ignores a parameter
    assert [fill.order_id for fill in ask(BTC, venue, None, "8")] == ["8"]
