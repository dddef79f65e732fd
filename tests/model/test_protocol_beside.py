"""An exit's protocol beside another follow's lot, by exhaustive search: sent again, it closes nothing of the other's."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchanges.venue import IdUniqueness
from tests.model.invariants import search, stuck
from tests.model.rules import Rules
from tests.model.test_protocol import trace_exists

BESIDE: dict[str, Any] = {"is_exit": True, "uniqueness": IdUniqueness.NONE}
SIZES: dict[str, dict[str, Any]] = {
    "close": {"beside": 2},
    "reduce": {"beside": 2, "lots": 1},
    "close, fills late": {"beside": 2, "lists_fills": False},
}
BLIND: dict[str, Any] = {"lots": 1, "held": 1, "beside": 1, "asks_for_holding": False, "lists_fills": False}
TWICE = (
    "tick | worker 1 sends 0 | 0 arrives, sells 1 | tick | look misses 0"
    " | look misses 0 beyond the fence: absent, to be sent again | worker 2 commits 1 | worker 2 sends 1"
    " | 1 arrives, sells 1"
)


@pytest.mark.parametrize("bound", [True, False], ids=["bounded", "unbounded"])
@pytest.mark.parametrize("name", SIZES)
def test_no_interleaving_closes_anything_of_the_other_and_the_books_come_right(
    name: str, *, bound: bool
) -> None:
    found = search(Rules(**BESIDE, **SIZES[name], visibility_bound=bound))
    print(found.size)  # noqa: T201 - pytest -s shows it
    assert not found.broken, found.told()
    assert stuck(found, by_stream=False) is None


def test_an_exit_sent_again_since_it_only_reduces_closes_the_others_lot() -> None:
    rules = Rules(**BESIDE, **BLIND)
    found = search(rules, until="I7")
    assert len(found.broken["I7"]) == len(TWICE.split(" | ")), found.told()
    assert trace_exists(rules, TWICE.split(" | "))
