"""Reading accounts through the library, over canned answers: errors are no answers, and pages hide nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.exchanges.outcomes import VenueRefused, VenueThrottled, VenueUnavailable, VenueUnsupported
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.recipes import RECIPES
from tests.unit.infrastructure.exchanges.generic.canned import CID, LISTINGS, NOW_MS, Request, world
from tests.unit.infrastructure.exchanges.generic.test_generic_orders import GATE_ORDER

GATE = Venue.CCXT_GATE
every_venue = pytest.mark.parametrize("venue", list(RECIPES), ids=lambda venue: venue.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((503, {}), VenueUnavailable), ((200, b"<html>"), VenueUnavailable), ((200, {}), VenueUnavailable),
        ((429, {"label": "TOO_MANY_REQUESTS", "message": "slow"}), VenueThrottled),
        ((401, {"label": "INVALID_KEY", "message": "no"}), VenueRefused),
        ((400, {"label": "SERVER_ERROR", "message": "no"}), VenueUnavailable),
        ((200, [{"contract": "BTC_USDT", "create_time": NOW_MS // 1000}]), VenueUnavailable),
    ],
    ids=str,
)  # fmt: skip
async def test_a_read_that_fails_says_how(answer: tuple[int, object], error: type[Exception]) -> None:
    made = await world(GATE)
    order = await made.order()
    made.transport.answers["GET /api/v4/futures/usdt/my_trades_timerange"] = answer
    with pytest.raises(error):
        await made.gateway.fills(order.instrument)


@every_venue
async def test_an_empty_answer_is_no_empty_list(venue: Venue) -> None:
    made = await world(venue)
    await made.order()
    for answer in ((200, {}), (200, b""), (200, {"code": "nonsense"})):
        made.transport.answers = {**LISTINGS[venue], "": answer}
        with pytest.raises((VenueUnavailable, VenueRefused)):
            await made.gateway.positions()


async def test_an_order_is_looked_for_in_the_lists_where_it_is_not_found_by_its_id() -> None:
    made = await world(GATE)
    order = await made.order()
    row = {**GATE_ORDER, "status": "open", "left": 200}
    made.transport.answers |= {
        f"GET /api/v4/futures/usdt/orders/t-{CID}": (404, {"label": "ORDER_NOT_FOUND", "message": "no"}),
        "GET /api/v4/futures/usdt/orders": lambda asked: (
            200,
            [row] if "status=finished" in asked.url else [],
        ),
    }
    found = await made.gateway.order(order.instrument, ClientOrderId(CID))
    assert found is not None
    assert found.client_order_id == CID
    made.transport.answers = {
        "GET /api/v4/futures/usdt/orders/t-c-other": (404, {"label": "ORDER_NOT_FOUND", "message": "no"}),
        **made.transport.answers,
    }
    other = await made.gateway.order(order.instrument, ClientOrderId("c-other"))
    assert other is None


async def test_an_error_in_any_of_the_lists_is_not_an_absence() -> None:
    made = await world(GATE)
    order = await made.order()
    made.transport.answers |= {
        f"GET /api/v4/futures/usdt/orders/t-{CID}": (404, {"label": "ORDER_NOT_FOUND", "message": "no"}),
        "GET /api/v4/futures/usdt/orders": lambda asked: (
            (503, {}) if "status=finished" in asked.url else (200, [])
        ),
    }
    with pytest.raises(VenueUnavailable):
        await made.gateway.order(order.instrument, ClientOrderId(CID))


async def test_a_page_that_is_full_is_halved_until_nothing_is_missed() -> None:
    made = await world(GATE)
    order = await made.order()
    first_s = NOW_MS // 1000 - 7 * 86_400

    def trades(asked: Request) -> tuple[int, object]:
        query = parse_qs(urlsplit(asked.url).query)
        low, high = int(query["from"][0]), int(query["to"][0])
        every: list[dict[str, Any]] = [
            {
                "id": f"{number}", "trade_id": f"{number}", "create_time": first_s + number * 400, "size": 1,
                "contract": "BTC_USDT", "order_id": "1", "price": "64000", "role": "taker", "fee": "0.01",
                "text": f"t-{CID}", "point_fee": "0",
            }
            for number in range(1, 1500)
        ]  # fmt: skip
        inside = [row for row in every if low <= row["create_time"] <= high]
        return 200, inside[-100:]

    made.transport.answers["GET /api/v4/futures/usdt/my_trades_timerange"] = trades
    found = await made.gateway.fills(order.instrument)
    assert len(found) == 1499
    assert [fill.at for fill in found] == sorted(fill.at for fill in found)
    assert {fill.client_order_id for fill in found} == {CID}


NOT_OFFERED = {
    Venue.CCXT_GATE: {"set_margin_mode", "key_facts"},
    Venue.CCXT_KUCOINFUTURES: set[str](),
    Venue.CCXT_KRAKENFUTURES: {"set_leverage", "set_margin_mode", "set_position_mode", "key_facts"},
    Venue.CCXT_MEXC: {"fee_rates", "key_facts"},
    Venue.CCXT_BINGX: set[str](),
    Venue.CCXT_HTX: {"position_mode", "key_facts"},
}
NO_REQUEST_NEEDED = {
    ("set_margin_mode", Venue.CCXT_KUCOINFUTURES), ("set_margin_mode", Venue.CCXT_MEXC),
    ("set_margin_mode", Venue.CCXT_HTX), ("position_mode", Venue.CCXT_KRAKENFUTURES),
}  # fmt: skip


@every_venue
async def test_every_method_is_asked_of_the_exchange_or_said_not_to_be_offered(venue: Venue) -> None:
    made = await world(venue)
    order = await made.order()
    gate, market = made.gateway, order.instrument
    since = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    methods: dict[str, Callable[[], Awaitable[object]]] = {
        "open_orders": gate.open_orders, "open_orders_of": lambda: gate.open_orders(market),
        "fills": lambda: gate.fills(market), "fills_of": lambda: gate.fills(market, order_id="1"),
        "positions": gate.positions, "balance": gate.balance, "funding": lambda: gate.funding(since),
        "set_leverage": lambda: gate.set_leverage(market, 5), "position_mode": gate.position_mode,
        "set_margin_mode": lambda: gate.set_margin_mode(market, MarginMode.CROSS),
        "set_position_mode": lambda: gate.set_position_mode(PositionMode.HEDGE),
        "fee_rates": lambda: gate.fee_rates(market), "by_id": lambda: gate.order_by_venue_id(market, "1"),
        "order": lambda: gate.order(market, ClientOrderId(CID)), "marks": made.market.marks,
        "time": made.market.server_time_ms, "key_facts": gate.key_facts,
    }  # fmt: skip
    for name, ask in methods.items():
        before = len(made.transport.sent)
        if name in NOT_OFFERED[venue]:
            with pytest.raises(VenueUnsupported):
                await ask()
            assert len(made.transport.sent) == before
        elif (name, venue) in NO_REQUEST_NEEDED:
            await ask()
            assert len(made.transport.sent) == before
        else:
            with pytest.raises(VenueUnavailable):  # nobody answers here
                await ask()
            assert len(made.transport.sent) > before, name


async def test_what_is_not_offered_is_not_asked_for() -> None:
    made = await world(Venue.CCXT_KRAKENFUTURES)
    order = await made.order()
    asked = len(made.transport.sent)
    with pytest.raises(VenueUnsupported):
        await made.gateway.set_leverage(order.instrument, 5)
    for call in (made.gateway.open_protections(), made.gateway.key_facts()):
        with pytest.raises(VenueUnsupported):
            await call
    assert len(made.transport.sent) == asked


async def test_two_reads_at_once_do_not_mix_their_answers() -> None:
    made = await world(GATE)
    order = await made.order()
    row = {**GATE_ORDER, "id": "1", "id_string": "1"}
    made.transport.answers |= {
        f"GET /api/v4/futures/usdt/orders/{number}": (
            200,
            {**row, "id": str(number), "id_string": str(number)},
        )
        for number in range(10, 30)
    }
    found = await asyncio.gather(
        *(made.gateway.order_by_venue_id(order.instrument, str(number)) for number in range(10, 30))
    )
    assert [report.order_id for report in found if report] == [str(number) for number in range(10, 30)]
