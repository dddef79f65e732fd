"""docs/reference/states.md: the transition table of every aggregate, read from the machines themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.domain.exchanges import outcomes
from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, NotSent, Unknown
from app.domain.signals.signal import SIGNAL_LIFECYCLE, SignalState, SignalStep
from app.domain.trading.order import ORDER_LIFECYCLE, OrderEvent, OrderState
from app.domain.trading.trade import TRADE_AFTER_ORDER, TRADE_LIFECYCLE, TradeEvent, TradeState
from app.domain.users.account import KEY_LIFECYCLE, KeyChange, KeyState
from app.domain.users.follow import FOLLOW_LIFECYCLE, FollowChange, FollowState
from app.domain.users.user import USER_LIFECYCLE, UserChange, UserState
from app.domain.whales.whale import WHALE_LIFECYCLE, WhaleChange, WhaleState
from tools.docs.markdown import cell, code, first_sentence, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum

    from app.domain.shared.lifecycle import Lifecycle

_OPENING: Final = """A row is a state, a column an event, a cell the state that follows. An empty cell is refused with
`illegal_transition`. A state in *italics* is terminal: no event leads out of it. How the order's machine works and why:
[order life cycle](../concepts/order-life-cycle.md)."""

MACHINES: Final[tuple[tuple[str, Lifecycle[Any, Any], type[Enum], type[Enum]], ...]] = (
    ("Order", ORDER_LIFECYCLE, OrderState, OrderEvent),
    ("Trade", TRADE_LIFECYCLE, TradeState, TradeEvent),
    ("Signal", SIGNAL_LIFECYCLE, SignalState, SignalStep),
    ("Follow", FOLLOW_LIFECYCLE, FollowState, FollowChange),
    ("User", USER_LIFECYCLE, UserState, UserChange),
    ("API key", KEY_LIFECYCLE, KeyState, KeyChange),
    ("Whale", WHALE_LIFECYCLE, WhaleState, WhaleChange),
)


def render() -> str:
    """Return the page."""
    return page(
        "State machines",
        _OPENING,
        *(part for machine in MACHINES for part in _machine(*machine)),
        "## Trade after order",
        "Where no policy intervenes, the state of the newest attempt is the trade's. A proven absence that may be sent "
        "again, and an order that was only a part of its trade, return the trade to WAITING.",
        table(("order", "trade"), ((code(o.value), code(t.value)) for o, t in TRADE_AFTER_ORDER.items())),
        "## Outcomes of placing an order",
        table(
            ("outcome", "meaning"),
            (
                (code(kind.__name__), first_sentence(kind.__doc__))
                for kind in (Accepted, DefiniteNo, Duplicate, Unknown, NotSent)
            ),
        ),
        _after_first_paragraph(outcomes.__doc__),
    )


def _machine(
    title: str, lifecycle: Lifecycle[Any, Any], states: type[Enum], events: type[Enum]
) -> Iterator[str]:
    yield f"## {title}"
    yield f"{first_sentence(states.__doc__)} {cell(_after_first_paragraph(states.__doc__))}".strip()
    used = [event for event in events if lifecycle.sources(event)]
    yield table(
        ("state", *(code(event.value) for event in used)),
        (
            (
                f"*{state.value}*" if lifecycle.is_terminal(state) else state.value,
                *(
                    lifecycle.table[(state, event)].value if lifecycle.allows(state, event) else ""
                    for event in used
                ),
            )
            for state in states
        ),
    )


def _after_first_paragraph(docstring: str | None) -> str:
    parts = (docstring or "").strip().split("\n\n")[1:]
    return "\n\n".join(" ".join(part.split()) for part in parts)
