"""The rehearsal's people, market and owners: what they do is decided by the seed, and what they were promised is counted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from tools.chaos.commands import COMMANDS
from tools.chaos.counts import Leaving, not_left
from tools.chaos.errands import EPISODES, errands, settling
from tools.chaos.faults import EVENT, ORDER, PROTECTIONS_INSTEAD, replaced
from tools.chaos.market import PROTECTIONS
from tools.chaos.plan import MARKETS, Round
from tools.chaos.resting import Resting, double, stray

PEOPLE = 8
ID = "c" + "0" * 24 + "x0"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEGIN_AND_END = {
    "stop": "start",
    "halt": "clear",
    "pause": "resume",
    "suspend": "restore",
    "pause leader": "resume leader",
    "lead": "ban",
}


def test_the_same_round_asks_swings_and_touches_the_same_and_another_does_not() -> None:
    def choices(plan: Round) -> list[object]:
        return [
            plan.leaves_late,
            plan.drifts,
            *islice(errands(plan, PEOPLE), 60),
            *islice(plan.swings(), 60),
            *islice(plan.touches(PEOPLE), 60),
        ]

    assert choices(Round(7, 3)) == choices(Round(7, 3))
    assert choices(Round(7, 3)) != choices(Round(7, 4))


def test_every_errand_is_a_command_every_command_has_its_turn_and_keys_name_one_errand() -> None:
    asked = list(islice(errands(Round(1, 1), PEOPLE), 2000))
    assert {errand["do"] for errand in asked} == set(COMMANDS)
    assert {errand["do"] for errand in settling(PEOPLE)} <= set(COMMANDS)
    keys = Counter(errand["key"] for errand in asked if "key" in errand)
    assert max(keys.values()) == 1
    assert {errand["who"] for errand in asked if "who" in errand} == set(range(PEOPLE))


@pytest.mark.parametrize("episode", EPISODES)
def test_an_episode_ends_what_it_began(episode: Any) -> None:
    for number in range(20):
        asked = [errand["do"] for errand in episode(Round(1, number).chance("x"), 0, number)]
        for begin, end in BEGIN_AND_END.items():
            assert asked.count(begin) == asked.count(end)
            assert begin not in asked or asked.index(begin) < asked.index(end)


def test_prices_stay_in_their_band_and_reach_what_rests() -> None:
    seen = {share for swing in islice(Round(1, 1).swings(), 3000) if swing is not None for share in swing[1:]}
    assert (min(seen), max(seen)) == (Decimal("0.976"), Decimal("1.024"))
    stops = [terms.stop_loss or terms.trailing for terms in PROTECTIONS if terms.wants_stop]
    assert all(stop < max(seen) - min(seen) for stop in stops if stop is not None)
    assert any(terms.take_profits for terms in PROTECTIONS)


def test_owners_touch_their_accounts_in_some_rounds_and_on_every_market() -> None:
    rounds = [Round(1, number) for number in range(40)]
    touched = [[touch for touch in islice(plan.touches(PEOPLE), 200) if touch] for plan in rounds]
    assert {bool(touches) for touches in touched} == {True, False}
    every = [touch for touches in touched for touch in touches]
    assert {touch.kind for touch in every} == {"reduce", "deposit", "funding"}
    assert {touch.symbol for touch in every} == set(MARKETS)


def test_a_fault_strikes_requests_and_news_of_protections_as_those_of_orders() -> None:
    rules: list[dict[str, object]] = [{"endpoint": ORDER}, {"endpoint": "WS", "event": EVENT}]
    assert replaced(rules, PROTECTIONS_INSTEAD) == [
        {"endpoint": "POST /fapi/v1/algoOrder"},
        {"endpoint": "WS", "event": "ALGO_UPDATE"},
    ]


def rests(quantity: str = "1", held: str = "1", side: str = "SELL", cid: str = ID) -> Resting:
    return Resting("f1", cid, "A-USDT", side, Decimal(quantity), Decimal(held))


def known(cid: str = ID, state: str = "RESTING") -> dict[str, Any]:
    return {"client_order_id": cid, "follow_id": 1, "rung": "SL", "state": state}


@pytest.mark.parametrize(
    ("row", "rows", "number"),
    [
        (rests(), [known()], 0),
        (rests(held="0"), [known()], 1),
        (rests(held="-1"), [known()], 1),
        (rests(held="-1", side="BUY"), [known()], 0),
        (rests(), [known(state="CANCELED")], 1),
        (rests(), [], 1),
    ],
)
def test_what_rests_where_it_could_close_nothing_or_unknown_to_our_books_is_stray(
    row: Resting, rows: list[dict[str, Any]], number: int
) -> None:
    assert len(stray([row], rows)) == number


def test_two_stops_of_one_rung_may_together_rest_for_no_more_than_the_lot() -> None:
    lots = [{"follow_id": 1, "symbol": "A-USDT", "quantity": Decimal(-1)}]
    other = "c" + "1" * 24 + "x0"
    both = [known(), known(other)]
    assert double([rests("0.4"), rests("0.6", cid=other)], both, lots) == ()
    assert len(double([rests("0.4"), rests("0.7", cid=other)], both, lots)) == 1
    assert len(double([rests("0.4")], both, [])) == 1


def lot(opened_at: datetime, follow: int = 1) -> dict[str, Any]:
    return {
        "follow_id": follow,
        "user_id": 9,
        "label": "f",
        "symbol": "A",
        "quantity": 1,
        "opened_at": opened_at,
    }


def close(scope: int | None = 1, side: str = "SELL") -> dict[str, Any]:
    return {"scope": scope, "symbol": "A", "side": side, "created_at": NOON}


def traded(leg: str, executed: str, second: int, side: str | None = None) -> dict[str, Any]:
    return {
        "follow_id": 1,
        "symbol": "A",
        "leg": leg,
        "side": side or ("BUY" if leg == "ENTRY" else "SELL"),
        "executed": Decimal(executed),
        "created_at": NOON + timedelta(seconds=second),
    }


@pytest.mark.parametrize(
    ("trades", "number"),
    [
        ([traded("ENTRY", "1", 1)], 0),
        ([traded("ENTRY", "0.5", 1)], 1),
        ([traded("ENTRY", "2", -1)], 1),
        ([traded("ENTRY", "2", 1, side="SELL")], 1),
        ([traded("ENTRY", "1", -2), traded("EXIT", "1", 1), traded("ENTRY", "1", 2)], 0),
        ([traded("ENTRY", "1", -2), traded("ENTRY", "2", 1), traded("EXIT", "2", 2)], 0),
        ([traded("ENTRY", "1", -2), traded("ENTRY", "0.5", 1), traded("EXIT", "0.5", 2)], 1),
        ([traded("ENTRY", "1", -2), traded("ENTRY", "1", 1), traded("EXIT", "2", 2)], 1),
        ([traded("ENTRY", "1", -2), traded("EXIT", "1", -1, side="BUY"), traded("ENTRY", "1", 1)], 0),
    ],
)
def test_what_was_decided_after_a_close_is_not_for_it_to_close_and_the_rest_is(
    trades: list[dict[str, Any]], number: int
) -> None:
    held = [lot(NOON + timedelta(milliseconds=5))]  # booked after the close, whatever it was decided before
    assert len(not_left(held, [close()], [], trades)) == number
    assert len(not_left(held, [], [Leaving(at=NOON)], trades)) == number


def test_a_close_of_the_side_that_was_turned_from_does_not_concern_the_lot_on_the_other() -> None:
    turned = {**lot(NOON - timedelta(milliseconds=5)), "quantity": -1}
    entered = [traded("ENTRY", "1", -1, side="SELL")]
    assert not_left([turned], [close(side="SELL")], [], entered) == ()
    assert len(not_left([turned], [close(side="BUY")], [], entered)) == 1


@pytest.mark.parametrize(
    ("opened", "scope", "leaving", "number"),
    [
        (NOON - timedelta(seconds=1), 1, None, 1),
        (NOON - timedelta(seconds=1), None, None, 1),
        (NOON - timedelta(seconds=1), 2, None, 0),
        (NOON + timedelta(seconds=1), 1, None, 0),
        (NOON + timedelta(seconds=1), 2, Leaving(follow=1), 1),
        (NOON + timedelta(seconds=1), 2, Leaving(at=NOON, user=9), 0),
        (NOON - timedelta(seconds=1), 2, Leaving(at=NOON, user=9), 1),
        (NOON - timedelta(seconds=1), 2, Leaving(at=NOON, user=8), 0),
        (NOON - timedelta(seconds=1), 2, Leaving(at=NOON), 1),
    ],
)
def test_a_lot_older_than_what_was_to_leave_it_is_a_lost_close(
    opened: datetime, scope: int | None, leaving: Leaving | None, number: int
) -> None:
    entered = [{**traded("ENTRY", "1", 0), "created_at": opened}]
    found = not_left([lot(opened)], [close(scope)], [] if leaving is None else [leaving], entered)
    assert len(found) == number
