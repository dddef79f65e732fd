"""Times that no exchange should tell: an order's or an execution's, on the ways that reckon with them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.history import History
from tests.unit.infrastructure.exchanges.generic.canned import NOW_MS, world

DAY_MS = 86_400_000
ABSURD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**63, -(2**70), 10**400, 253_402_300_800_000, 1.5, math.nan, math.inf, "", " ", "-1", "NaN",
    "Infinity", "1e5", "0x10", "9" * 5000, "\uff11\uff12", "\u00b2", [], {}, [NOW_MS],
)  # fmt: skip


async def history(venue: Venue, method: str, *answers: object) -> tuple[History, list[object]]:
    """A history whose library answers `method` by the script, and what it was asked."""
    made = await world(venue)
    order = await made.order()
    account = made.gateway._account
    client = await account.client()
    script = list(answers)
    asked: list[object] = []

    async def tell(*arguments: object) -> object:
        asked.append(arguments[-1])
        return script.pop(0)

    async def nothing(*_: object) -> object:
        return []

    for other in ("fetch_my_trades", "fetch_order_trades"):
        setattr(client, other, nothing)
    setattr(client, method, tell)
    return History(account, order.instrument), asked


@pytest.mark.parametrize(
    "at", [*ABSURD, NOW_MS + DAY_MS, NOW_MS - 1001 * DAY_MS], ids=lambda at: repr(at)[:20]
)
async def test_an_order_that_began_at_an_absurd_time_is_an_answer_that_cannot_be_read(at: Any) -> None:
    """Neither a crash, nor a walk through every week since 1970, nor a future in which nothing was executed."""
    told, _ = await history(Venue.CCXT_KRAKENFUTURES, "fetch_order", {"timestamp": at})
    with pytest.raises(VenueUnavailable):
        await told.fills(None, "42")


@pytest.mark.parametrize("at", [NOW_MS, str(NOW_MS), NOW_MS + 30_000, NOW_MS - 999 * DAY_MS])
async def test_an_order_that_began_at_a_time_of_its_own_is_asked_after(at: Any) -> None:
    told, _ = await history(Venue.CCXT_KRAKENFUTURES, "fetch_order", {"timestamp": at})
    assert await told.fills(None, "42") == []


@pytest.mark.parametrize("at", ABSURD, ids=lambda at: repr(at)[:20])
async def test_a_page_of_executions_with_an_absurd_time_is_an_answer_that_cannot_be_read(at: Any) -> None:
    """Going back by such a time would end the list early, and executions would be missed."""
    rows: list[dict[str, Any]] = [
        {"id": str(number), "symbol": "other", "timestamp": NOW_MS} for number in range(3)
    ]
    rows[1]["timestamp"] = at
    told, asked = await history(Venue.CCXT_KRAKENFUTURES, "fetch_my_trades", rows, [])
    if at == 1 and at is not True:  # a time, and before all that is asked for: there the list may end
        assert await told.fills(None, None) == []
    else:
        with pytest.raises(VenueUnavailable):
            await told.fills(None, None)
    assert asked == [{}]


async def test_the_next_page_is_asked_for_by_the_oldest_execution_told() -> None:
    rows = [{"id": str(n), "symbol": "other", "timestamp": NOW_MS - n * 1000} for n in range(3)]
    told, asked = await history(Venue.CCXT_KRAKENFUTURES, "fetch_my_trades", rows, [])
    assert await told.fills(None, None) == []
    assert asked == [{}, {"lastFillTime": "2026-09-21T14:13:18.000Z"}]
