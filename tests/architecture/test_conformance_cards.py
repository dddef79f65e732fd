"""A venue without its cards is refused, and so is a case without a number."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.registry import VENUES
from tests.contract.exchanges.dialects import DIALECTS
from tools.docs.conformance_page import GENERIC, SUITE, cards_of, read_cards

APART = {"test_shared_budget.py", "test_shared_circuits.py"}
"""Files whose cases are not for each venue: what lies behind all of them."""


def without_cards(venues: set[Venue], passed: set[Venue]) -> set[Venue]:
    return {venue for venue in venues - passed if not venue.value.startswith(GENERIC)}


def cases_of(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}


def test_every_venue_can_be_built_and_passes_its_cards() -> None:
    assert set(VENUES) == set(Venue)
    assert without_cards(set(Venue), set(DIALECTS)) == set()


def test_a_venue_without_a_card_is_noticed() -> None:
    passed = set(DIALECTS) - {Venue.BYBIT_LINEAR}
    assert without_cards(set(Venue), passed) == {Venue.BYBIT_LINEAR}


@pytest.mark.parametrize("path", sorted(SUITE.glob("test_*.py")), ids=lambda path: path.name)
def test_every_case_has_its_number(path: Path) -> None:
    if path.name not in APART:
        assert {name for _, name, _ in cards_of(path)} == cases_of(path)


def test_no_number_is_given_twice_and_each_venue_has_most_of_them() -> None:
    found = read_cards()
    assert len({card.number for card in found}) == len(found)
    for venue in DIALECTS:
        assert sum(venue in card.venues for card in found) > 40
