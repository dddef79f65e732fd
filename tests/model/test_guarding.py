"""Protections by exhaustive search: no interleaving of keeper, close, trigger and cancellation does harm or leaves anything
behind, and every known wrong rule is caught by its shortest trace. Set COPYTRADE_MODEL_DEEP=1 for more of everything.
"""

from __future__ import annotations

import os
from functools import cache, partial
from typing import Any

import pytest

from app.domain.trading.protection import ProtectionState
from tests.model.guarded import search, stuck
from tests.model.guarding import steps
from tests.model.guards import Guard, World
from tests.model.search import Found, can_be_taken

DEEP = os.environ.get("COPYTRADE_MODEL_DEEP") == "1"
ALONE: dict[str, Any] = {"two_workers": False, "moves": 0}
MOVED: dict[str, Any] = {"two_workers": False}
STILL: dict[str, Any] = {"moves": 0}

BUILT: dict[str, dict[str, Any]] = {
    "the stop moves": MOVED,
    "two workers": STILL,
    "a venue may show it late": {**ALONE, "visibility_bound": False},
    "spot, the stop moves": {**MOVED, "spot": True},
    "spot, two workers": {**STILL, "spot": True},
    "spot, may show it late": {**ALONE, "spot": True, "visibility_bound": False},
}
DEEPER: dict[str, dict[str, Any]] = {
    "two workers and the stop moves": {},
    "the stop moves, a venue may show it late": {**MOVED, "visibility_bound": False},
    "spot, two workers and the stop moves": {"spot": True},
    "three attempts": {**ALONE, "attempts": 3},
}
EVERY = {**BUILT, **(DEEPER if DEEP else {})}


@cache
def searched(rules: Guard) -> Found[World]:
    return search(rules)


@pytest.mark.timeout(1200 if DEEP else 120)
@pytest.mark.parametrize("name", EVERY)
def test_no_interleaving_does_harm_and_from_each_everything_comes_to_rest_without_any_message(
    name: str,
) -> None:
    found = searched(Guard(**EVERY[name]))
    print(found.size)  # noqa: T201 - pytest -s shows it
    assert not found.broken, found.told()
    assert stuck(found, by_stream=False) is None


def test_the_search_meets_every_state_but_what_only_a_venues_own_expiry_brings() -> None:
    found = [searched(Guard(**BUILT[name])) for name in ("the stop moves", "a venue may show it late")]
    seen = {row.state for each in found for world in each.states for row in world.rows}
    assert seen == set(ProtectionState) - {ProtectionState.EXPIRED}


# what is wrong -> (the rules, the invariant that catches it, the shortest trace to it)
MUTANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a protection that may open a position": (
        {**ALONE, "reduce_only": False},
        "P1",
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | leader closes"
            " | leader's exit executes | price triggers 0"
        ),
    ),
    "an absence that no fence proves": (
        {**ALONE, "fence": False},
        "P2",
        (
            "worker 1 commits 0 | 0 is sent | no reply to 0 | 0 arrives, accepted, reply lost | look misses 0"
            " | look misses 0 | worker 1 commits 1 | 1 is sent | 1 arrives, accepted, reply lost"
        ),
    ),
    "a timestamp made when sending": (
        {**ALONE, "committed_timestamp": False},
        "P2",
        (
            "worker 1 commits 0 | tick | tick | tick | 0 is sent | no reply to 0 | 0 arrives, accepted, reply lost"
            " | look misses 0 | look misses 0 | worker 1 commits 1 | 1 is sent | 1 arrives, accepted, reply lost"
        ),
    ),
    "not the committed deadline on the wire": (
        {**ALONE, "committed_timestamp": False},
        "P6",
        "worker 1 commits 0 | tick | 0 is sent",
    ),
    "placed again while the first is in doubt": (
        {**ALONE, "waits_in_doubt": False},
        "P2",
        (
            "worker 1 commits 0 | worker 1 commits 1 | 0 is sent | 1 is sent"
            " | 0 arrives, accepted, reply lost | 1 arrives, accepted, reply lost"
        ),
    ),
    "the old one cancelled before the new one rests": (
        {**MOVED, "replaces_before_cancelling": False},
        "P5",
        "worker 1 commits 0 | the stop is to move | 0 is sent | 0 arrives, accepted | worker 1 cancels 0",
    ),
    "a trigger that is told twice becomes two exits": (
        {**ALONE, "becomes_one_exit": False},
        "P3",
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | price triggers 0"
            " | stream tells that 0 is triggered | stream tells that 0 is triggered"
            " | exit of 0 is booked | exit of 0 is booked"
        ),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_rule_is_caught_by_its_shortest_trace(name: str) -> None:
    wrong, invariant, trace = MUTANTS[name]
    rules = Guard(**wrong)
    found = search(rules, until=invariant)
    assert invariant in found.broken
    assert len(found.broken[invariant]) == len(trace.split(" | ")), found.told()
    assert can_be_taken(World(), partial(steps, rules=rules), trace.split(" | "))


# what is left out -> (the rules, whether messages help, the shortest trace to where we never come to rest)
LEFT_OUT: dict[str, tuple[dict[str, Any], bool, str]] = {
    "nothing is cancelled when the position is gone": (
        {**ALONE, "cancels_when_flat": False},
        True,
        "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost",
    ),
    "an absent one is never looked at again": (
        {**ALONE, "visibility_bound": False, "looks_at_the_absent": False},
        False,
        (
            "worker 1 commits 0 | tick | 0 is sent | no reply to 0 | 0 arrives, accepted, reply lost | tick"
            " | look misses 0 | look misses 0"
        ),
    ),
    "coins stay locked while an exit waits for them": (
        {**ALONE, "spot": True, "frees_coins_for_an_exit": False},
        True,
        "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost",
    ),
    "a cancellation that was lost is not asked for again": (
        {**ALONE, "asks_again_to_cancel": False},
        True,
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted | leader closes | leader's exit executes"
            " | leader's exit is booked | worker 1 crashes before cancelling 0"
        ),
    ),
    "what was called canceled cannot have triggered": (
        {**MOVED, "cancels_cross": True, "believes_a_crossing": False},
        True,
        (
            "worker 1 commits 0 | the stop is to move | 0 is sent | 0 arrives, accepted | worker 1 commits 1"
            " | 1 is sent | 1 arrives, accepted | worker 1 cancels 0 | price triggers 0 | cancel of 0 arrives"
        ),
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_can_leave_something_behind_for_good(name: str) -> None:
    wrong, by_stream, trace = LEFT_OUT[name]
    rules = Guard(**wrong)
    shortest = stuck(searched(rules), by_stream=by_stream)
    assert shortest is not None
    assert len(shortest) == len(trace.split(" | ")), " | ".join(shortest)
    assert can_be_taken(World(), partial(steps, rules=rules), trace.split(" | "))


def test_a_venue_that_calls_canceled_what_triggered_is_believed_when_it_says_more() -> None:
    """Its own word is all there is: without a message of the stream the books would not learn of it."""
    found = searched(Guard(**MOVED, cancels_cross=True))
    assert not found.broken, found.told()
    assert stuck(found, by_stream=True) is None
    assert stuck(found, by_stream=False) is not None


APART: dict[str, Any] = {"spot": True, "owner": 1}


@pytest.mark.parametrize("more", [ALONE, STILL, MOVED], ids=["alone", "two workers", "the stop moves"])
def test_at_spot_an_exit_waits_for_what_rests_so_that_the_owners_coins_are_never_sold(more: Any) -> None:
    found = searched(Guard(**APART, **more))
    assert not found.broken, found.told()
    assert stuck(found, by_stream=False) is None


SELLS_THE_OWNERS: dict[str, tuple[dict[str, Any], str]] = {
    "an exit that leaves while a protection may still sell": (
        {**ALONE, "exit_goes_last": False},
        (
            "worker 1 commits 0 | 0 is sent | 0 arrives, accepted, reply lost | leader closes"
            " | leader's exit is committed | leader's exit executes | price triggers 0"
        ),
    ),
    "a protection placed on a view from before the exit": (
        {**STILL, "asks_before_placing": False},
        (
            "worker 2 means to place 0 | leader closes | leader's exit is committed | worker 2 commits 0"
            " | leader's exit executes | 0 is sent | 0 arrives, accepted, reply lost | price triggers 0"
        ),
    ),
    "a venue that may show at any time what it was sent": (
        {**ALONE, "visibility_bound": False},
        (
            "worker 1 commits 0 | tick | 0 is sent | no reply to 0 | 0 arrives, accepted, reply lost | tick"
            " | look misses 0 | look misses 0 | leader closes | leader's exit is committed | leader's exit executes"
            " | price triggers 0"
        ),
    ),
}


@pytest.mark.parametrize("name", SELLS_THE_OWNERS)
def test_what_sells_the_owners_coins_is_found_by_its_shortest_trace(name: str) -> None:
    """The last is no rule of ours but what remains: beyond the fence an absence is believed, or no exit would ever go."""
    wrong, trace = SELLS_THE_OWNERS[name]
    rules = Guard(**APART, **wrong)
    found = search(rules, until="P1")
    assert "P1" in found.broken
    assert len(found.broken["P1"]) == len(trace.split(" | ")), found.told()
    assert can_be_taken(World(), partial(steps, rules=rules), trace.split(" | "))
