"""Two follows of one account on one net position, by exhaustive search: a close, a stop and an entry in any order close nothing
of the other's lot and leave nobody waiting, and each wrong rule is caught by its shortest trace.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.model.guarded import search, stuck
from tests.model.guarding import steps
from tests.model.guards import Guard
from tests.model.search import can_be_taken
from tests.model.test_guarding import ALONE, DEEP, MOVED, STILL, searched

BESIDE: dict[str, dict[str, Any]] = {
    "the leader closes": ALONE,
    "the stop moves": {**MOVED, "leader_stays": True},
    "two workers": STILL,
}
DEEPER_BESIDE: dict[str, dict[str, Any]] = {"the stop moves and the leader closes": MOVED}
EVERY_BESIDE = {**BESIDE, **(DEEPER_BESIDE if DEEP else {})}


@pytest.mark.timeout(1200 if DEEP else 120)
@pytest.mark.parametrize("name", EVERY_BESIDE)
def test_beside_another_follow_nothing_of_its_lot_is_closed_and_no_exit_or_entry_waits_for_good(
    name: str,
) -> None:
    rules = Guard(**EVERY_BESIDE[name], shared=True)
    found = searched(rules)
    print(found.size)  # noqa: T201 - pytest -s shows it
    assert not found.broken, found.told()
    assert rules.leader_stays or stuck(found, by_stream=False) is None


CLOSES_THE_OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "an exit that goes beside a stop that rests": (
        {**ALONE, "exit_goes_last": False},
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | price triggers 0 | leader closes"
            " | leader's exit is committed | leader's exit executes"
        ),
    ),
    "an entry that joins a lot whose orders could close more than it": (
        {**ALONE, "entry_waits": False},
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | leader closes | the other's leader closes"
            " | leader's exit is committed | price triggers 0 | the other's leader opens | other's entry is committed"
            " | other's entry executes | leader's exit executes"
        ),
    ),
    "an exit that looks at what the other holds and not at what it has coming": (
        {**ALONE, "counts_the_coming": False},
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | leader closes | the other's leader closes"
            " | the other's leader opens | other's entry is committed | leader's exit is committed | price triggers 0"
            " | other's entry executes | leader's exit executes"
        ),
    ),
    "a protection placed on a view from before the exit": (
        {**STILL, "asks_before_placing": False},
        (
            "worker 2 means to place 0 | leader closes | leader's exit is committed | worker 2 commits 0 | 0 is sent"
            " | 0 arrives, accepted, reply lost | price triggers 0 | leader's exit executes"
        ),
    ),
    "a replacement that rests beside the old one": (
        {**MOVED, "leader_stays": True, "shared_goes_first": False, "asks_before_placing": False},
        (
            "worker 1 commits 0 | the stop is to move | 0 is sent | 0 arrives, accepted | worker 1 commits 1 | 1 is sent"
            " | 1 arrives, accepted, reply lost | price triggers 0 | price triggers 1"
        ),
    ),
}


@pytest.mark.parametrize("name", CLOSES_THE_OTHERS)
def test_what_closes_another_follows_lot_is_found_by_its_shortest_trace(name: str) -> None:
    """Reduce-only is by account: it lets an order close whatever of the account is there to close."""
    wrong, trace = CLOSES_THE_OTHERS[name]
    rules = Guard(**wrong, shared=True)
    found = search(rules, until="P1")
    assert "P1" in found.broken
    assert len(found.broken["P1"]) == len(trace.split(" | ")), found.told()
    assert can_be_taken(rules.start(), partial(steps, rules=rules), trace.split(" | "))


def test_an_exit_beside_another_follow_would_wait_for_good_if_nothing_withdrew_what_rests() -> None:
    found = searched(Guard(**ALONE, shared=True, frees_coins_for_an_exit=False))
    assert not found.broken, found.told()
    assert stuck(found, by_stream=True) is not None
