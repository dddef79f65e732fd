"""Why an order was not sent: stable words at the head of `NotSent.reason`, read by guards, metrics and people."""

from __future__ import annotations

from typing import Final

UNREACHABLE: Final = "unreachable"
"""No connection: the only one of these that speaks against the venue."""

DEADLINE_PASSED: Final = "deadline_passed"
CLOCK_UNKNOWN: Final = "clock_unknown"
KEY_UNREADABLE: Final = "key_unreadable"
UNSENDABLE: Final = "unsendable"
CIRCUIT_OPEN: Final = "circuit_open"
SILENCED: Final = "silenced"
BUDGET_SPENT: Final = "budget_spent"


def says(reason: str, head: str) -> bool:
    """Return whether a reason is of the kind that `head` names."""
    return reason.partition(":")[0] == head
