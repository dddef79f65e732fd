"""The life cycle by exhaustive search: no interleaving of the built protocol breaks an invariant, and every known wrong rule is
caught by its shortest trace. Set COPYTRADE_MODEL_DEEP=1 for larger quantities and more attempts.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any

import pytest

from app.domain.exchanges.venue import IdUniqueness
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState
from tests.model.books import Flaws
from tests.model.invariants import search, stuck
from tests.model.protocol import start, steps
from tests.model.rules import Rules, State
from tests.model.search import Found, can_be_taken

DEEP = os.environ.get("COPYTRADE_MODEL_DEEP") == "1"
LEGS: dict[str, dict[str, Any]] = {
    "entry": {},
    "close": {"is_exit": True},
    "reduce": {"is_exit": True, "lots": 1},
    "spot close": {"is_exit": True, "spot": True, "owner": 2},
}
DEEPER: dict[str, dict[str, Any]] = {
    "entry": {"lots": 3, "attempts": 3},
    "close": {"lots": 3, "held": 3},
    "reduce": {"lots": 2, "held": 3},
    "spot close": {"lots": 3, "held": 3, "owner": 3},
}
SIZES = {leg: more if DEEP else {} for leg, more in DEEPER.items()}
MENDS = ("looks_up_resting", "looks_again_after_resend")
WEAKEST = IdUniqueness.NONE
EVERY = [
    pytest.param(
        Rules(uniqueness=mode, visibility_bound=bound, **{**LEGS[leg], **SIZES[leg]}),
        id=f"{leg}-{mode.value}-{'bounded' if bound else 'unbounded'}",
    )
    for leg, mode, bound in product(LEGS, IdUniqueness, (True, False))
    if DEEP or leg == "entry" or mode is WEAKEST
]


@cache
def searched(rules: Rules) -> Found[State]:
    return search(rules)


@pytest.mark.timeout(1200 if DEEP else 120)
@pytest.mark.parametrize("rules", EVERY)
def test_no_interleaving_of_the_built_protocol_breaks_an_invariant(rules: Rules) -> None:
    found = searched(rules)
    print(found.size)  # noqa: T201 - pytest -s shows it
    assert not found.broken, found.told()


@pytest.mark.parametrize("rules", EVERY)
def test_no_client_order_id_reaches_the_venue_twice(rules: Rules) -> None:
    """Each id is sent once, so that it does not matter among which orders a venue holds ids unique."""
    for state in searched(rules).states:
        gone = [attempt for attempt, _ in state.flying] + [order.attempt for order in state.venue]
        assert len(gone) == len(set(gone))
        assert not set(gone) & set(state.unsent)


def test_the_search_meets_every_state_that_the_life_cycles_know() -> None:
    found = [searched(Rules(uniqueness=WEAKEST, is_exit=is_exit)) for is_exit in (False, True)]
    seen = [state.books for each in found for state in each.states]
    assert {row.state for books in seen for row in books.rows} == set(OrderState)
    assert {books.trade for books in seen} == set(TradeState)


ONE_COIN: dict[str, Any] = {"is_exit": True, "lots": 1, "held": 1, "spot": True, "owner": 1}

# rule -> (what is wrong, the invariant that catches it, the shortest trace to it)
MUTANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an absence that no fence proves": (
        {"fence": False, "visibility_bound": True},
        "I1",
        (
            "tick | worker 1 sends 0 | 0 arrives, accepted | look misses 0"
            " | look misses 0 beyond the fence: absent, to be sent again"
            " | worker 2 commits 1 | worker 2 sends 1 | 1 arrives, accepted"
        ),
    ),
    "a timestamp made when sending": (
        {"committed_timestamp": False, "visibility_bound": True},
        "I1",
        (
            "tick | tick | tick | worker 1 sends 0 | 0 arrives, accepted | look misses 0"
            " | look misses 0 beyond the fence: absent, to be sent again"
            " | worker 2 commits 1 | worker 2 sends 1 | 1 arrives, accepted"
        ),
    ),
    "a zombie's fresh timestamp, entries single": (
        {"committed_timestamp": False},
        "I2",
        (
            "tick | tick | tick | tick | worker 1 sends 0 | 0 arrives, accepted | look misses 0"
            " | look misses 0 beyond the fence: absent, the hold stays | horizon of 0: given up"
        ),
    ),
    "not the committed deadline on the wire": (
        {"committed_timestamp": False},
        "I10",
        "tick | worker 1 sends 0",
    ),
    "a hold freed on not found": (
        {"flaws": Flaws(free_on_not_found=True)},
        "I3",
        (
            "tick | worker 1 sends 0 | 0 arrives, accepted | tick | look misses 0"
            " | look misses 0 beyond the fence: absent, the hold stays"
        ),
    ),
    "an order called dead on not found": (
        {"flaws": Flaws(free_on_not_found=True)},
        "I2",
        (
            "tick | worker 1 sends 0 | 0 arrives, accepted | tick | look misses 0"
            " | look misses 0 beyond the fence: absent, the hold stays"
        ),
    ),
    "a POST sent again, ids unique among open orders": (
        {"retries_the_post": True, "uniqueness": IdUniqueness.OPEN_ORDERS},
        "I1",
        (
            "worker 1 sends 0 | no reply to 0, posted again | worker 1 sends 0"
            " | 0 arrives, accepted | fill 1 of order 0 | fill 2 of order 0 | 0 arrives, accepted"
        ),
    ),
    "a POST sent again, ids not unique": (
        {"retries_the_post": True, "uniqueness": IdUniqueness.NONE},
        "I1",
        (
            "worker 1 sends 0 | no reply to 0, posted again | worker 1 sends 0"
            " | 0 arrives, accepted | 0 arrives, accepted"
        ),
    ),
    "a POST sent again, ids unique for ever": (
        {"retries_the_post": True, "uniqueness": IdUniqueness.ALWAYS},
        "I2",
        (
            "worker 1 sends 0 | no reply to 0, posted again | worker 1 sends 0"
            " | 0 arrives, refused | 0 arrives, accepted"
        ),
    ),
    "a status trusted without its fills": (
        {"flaws": Flaws(by_status=True)},
        "I5",
        (
            "worker 1 sends 0 | 0 arrives, accepted | fill 1 of order 0 | fill 2 of order 0"
            " | stream tells of fill 2 of order 0"
        ),
    ),
    "fills booked by what was added, not by trade id": (
        {"flaws": Flaws(by_cumulative_delta=True)},
        "I6",
        (
            "worker 1 sends 0 | 0 arrives, accepted | fill 1 of order 0"
            " | stream tells of fill 1 of order 0 | stream tells of fill 1 of order 0"
        ),
    ),
    "a whole hold voided on cancel": (
        {"flaws": Flaws(void_on_cancel=True)},
        "I3",
        (
            "worker 1 sends 0 | 0 arrives, accepted | fill 1 of order 0 | venue cancels order 0"
            " | stream tells that order 0 was canceled"
        ),
    ),
    "an exit given up for settled before its fills are booked": (
        {"is_exit": True, "visibility_bound": True, "settles_only_when_booked": False},
        "I5",
        (
            "worker 1 sends 0 | 0 arrives, accepted | fill 1 of order 0 | venue cancels order 0"
            " | stream tells that order 0 was canceled | worker 2 commits 1 | worker 2 sends 1"
            " | 1 arrives, refused | recovery gives the exit up"
        ),
    ),
    "a sale at spot sent again blindly": (
        {**ONE_COIN, "asks_for_fills": False, "asks_for_holding": False},
        "I7",
        (
            "tick | worker 1 sends 0 | 0 arrives, sells 1 | tick | look misses 0"
            " | look misses 0 beyond the fence: absent, to be sent again | worker 2 commits 1 | worker 2 sends 1"
            " | 1 arrives, sells 1"
        ),
    ),
    "a sale at spot sent again since as much is held, by whomever": (
        {**ONE_COIN, "asks_for_fills": False},
        "I7",
        (
            "tick | worker 1 sends 0 | 0 arrives, sells 1 | tick | look misses 0"
            " | look misses 0 beyond the fence: absent, to be sent again | worker 2 commits 1 | worker 2 sends 1"
            " | 1 arrives, sells 1"
        ),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_rule_is_caught_by_its_shortest_trace(name: str) -> None:
    wrong, invariant, trace = MUTANTS[name]
    rules = Rules(**wrong)
    found = search(rules, until=invariant)
    assert invariant in found.broken
    assert len(found.broken[invariant]) == len(trace.split(" | ")), found.told()
    assert trace_exists(rules, trace.split(" | "))


def trace_exists(rules: Rules, wanted: list[str]) -> bool:
    """Whether these steps, in this order, can be taken under these rules."""
    return can_be_taken(start(rules), partial(steps, rules=rules), wanted)


def test_ids_that_are_unique_for_ever_stop_the_duplicate_of_a_repeated_post_and_nothing_else() -> None:
    found = search(Rules(retries_the_post=True, uniqueness=IdUniqueness.ALWAYS))
    assert "I1" not in found.broken
    assert {"I2", "I3"} <= found.broken.keys()


def test_without_a_bound_on_visibility_an_absent_entry_is_never_sent_again() -> None:
    found = searched(Rules(uniqueness=WEAKEST))
    absent = [state for state in found.states if state.books.rows[0].state is OrderState.ABSENT]
    assert {len(state.books.rows) for state in absent} == {1}


def test_a_reduction_sent_again_may_close_more_than_its_share_but_never_more_than_is_held() -> None:
    unbounded = searched(Rules(uniqueness=WEAKEST, is_exit=True, lots=1))
    assert max(state.executed for state in unbounded.states) == 2
    bounded = searched(Rules(uniqueness=WEAKEST, is_exit=True, lots=1, visibility_bound=True))
    assert max(state.executed for state in bounded.states) == 1


def test_a_sale_at_spot_is_safe_by_what_is_held_alone_where_the_owner_holds_nothing_besides() -> None:
    for late in (True, False):
        rules = Rules(uniqueness=WEAKEST, **{**ONE_COIN, "owner": 0, "lists_fills": late})
        assert not searched(rules).broken
    both_late = search(Rules(**{**ONE_COIN, "lists_fills": False}), until="I7")
    assert (
        "I7" in both_late.broken
    ), "known: coins of the owner's own hide what was sold, if its fills are late too"


ALONE = [
    pytest.param(Rules(uniqueness=WEAKEST, visibility_bound=bound, **LEGS[leg]), id=f"{leg}-{bound}")
    for leg, bound in product(LEGS, (True, False))
]


@pytest.mark.parametrize("rules", ALONE)
def test_a_recovery_that_leaves_nothing_unwatched_brings_the_books_right_from_every_state(
    rules: Rules,
) -> None:
    """Alone: no message of the stream and no late reply is needed."""
    mends: dict[str, Any] = dict.fromkeys(MENDS, True)
    whole = replace(rules, **mends)
    found = searched(whole)
    assert not found.broken, found.told()
    assert stuck(found, by_stream=False) is None


# what recovery leaves out -> the leg on which books then stay wrong for good, and the shortest trace to it
UNWATCHED: dict[str, tuple[dict[str, Any], bool, str]] = {
    "looks_up_resting": (
        LEGS["entry"],
        False,
        "worker 1 sends 0 | 0 arrives, accepted | reply tells of order 0 at 0",
    ),
    "looks_again_after_resend": (
        LEGS["reduce"],
        False,
        (
            "tick | worker 1 sends 0 | 0 arrives, accepted | tick | fill 1 of order 0 | look misses 0"
            " | look misses 0 beyond the fence: absent, to be sent again"
        ),
    ),
}


@pytest.mark.parametrize("left_out", UNWATCHED)
def test_what_recovery_leaves_out_can_leave_the_books_wrong_for_good(left_out: str) -> None:
    leg, by_stream, trace = UNWATCHED[left_out]
    mends: dict[str, Any] = {name: name != left_out for name in MENDS}
    rules = Rules(uniqueness=WEAKEST, **leg, **mends)
    shortest = stuck(searched(rules), by_stream=by_stream)
    assert shortest is not None
    assert len(shortest) == len(trace.split(" | ")), " | ".join(shortest)
    assert trace_exists(rules, trace.split(" | "))
