"""docs/reference/venue-conformance.md: the numbered cards of the contract suite, and which venues must pass each."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.market import Venue
from tests.contract.exchanges import cards
from tests.contract.exchanges.dialects import DIALECTS
from tools.docs.markdown import code, page, table

SUITE: Final = Path(cards.__file__).parent
GENERIC: Final = "ccxt-"

_OPENING: Final = """Every venue's gateway passes the same numbered cases, over real HTTP and WebSockets against the
[simulated exchange](simulator.md), which counts orders and fills itself. `yes` means that the case runs for the venue on
each run of the test suite; a dash means that the venue has no such thing, which its capabilities say and not its name.
A venue without a column is refused by a test. Run one venue's cards with
`pytest tests/contract/exchanges -k <venue>`, one card with `-k <its test>`.

What the cards cannot show: the simulated exchange is our own reading of each venue's documents, checked by third-party
clients and by requests that those clients signed. Nothing here was run against the real venues."""

_GENERIC: Final = """Venues whose name begins with `ccxt-` have no adapter of their own: one generic gateway trades on
them through the ccxt library. It passes its own cases on three dialects of the simulated exchange
(`tests/integration/exchanges`); the exchanges themselves have no dialect."""


@dataclass(frozen=True, slots=True)
class Card:
    """One case: `needs` names the function of `cards` that says for which venues it is."""

    number: str
    sentence: str
    venues: frozenset[Venue]


def render() -> str:
    """Return the page."""
    found = read_cards()
    return page(
        "Venue conformance",
        _OPENING,
        "## Venues",
        table(
            (
                "venue",
                "market",
                "collateral",
                "client order ids",
                "window",
                "reduce-only",
                "hedge",
                "protection",
            ),
            (_promises(venue) for venue in DIALECTS),
        ),
        _GENERIC,
        "## Cards",
        table(
            ("card", "case", *(code(venue.value) for venue in DIALECTS)),
            (
                (card.number, card.sentence, *("yes" if venue in card.venues else "-" for venue in DIALECTS))
                for card in found
            ),
        ),
    )


def _promises(venue: Venue) -> tuple[str, ...]:
    can = CAPABILITIES[venue]
    return (
        code(venue.value),
        can.kind.value.lower(),
        can.collateral or "each coin",
        can.id_uniqueness.value.lower().replace("_", " "),
        f"{can.validity.total_seconds():g} s",
        *("yes" if has else "no" for has in (can.reduces, can.hedges, can.protects)),
    )


def read_cards() -> list[Card]:
    """Return every card of the suite in the order of its numbers."""
    found = [
        Card(number, _sentence(name), frozenset(cards.venues_for(_need(needs))))
        for path in sorted(SUITE.glob("test_*.py"))
        for number, name, needs in cards_of(path)
    ]
    return sorted(found, key=lambda card: card.number)


def cards_of(path: Path) -> list[tuple[str, str, ast.expr | None]]:
    """Return (number, name of the case, what it needs) of each carded case in a file."""
    found: list[tuple[str, str, ast.expr | None]] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "card":
                number = ast.literal_eval(mark.args[0])
                found.append((number, node.name, mark.args[1] if len(mark.args) > 1 else None))
    return found


def _need(expression: ast.expr | None) -> cards.Need:
    if expression is None:
        return cards.every_venue
    if isinstance(expression, ast.Name):
        need: cards.Need = getattr(cards, expression.id)
        return need
    raise ValueError("What a card needs is the name of a function in cards.py.")


def _sentence(name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]
