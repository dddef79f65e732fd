"""The state of one intent's protocol and the rules that it is searched under: which leg, which venue, which mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.domain.exchanges.venue import IdUniqueness
from tests.model.books import Books, Flaws

VALIDITY = 1
CLOCK_ERROR = 1
VISIBLE_WITHIN = 1
HORIZON = 4
GONE = -1


class Placed(NamedTuple):
    """One order at the venue: `live` while it may execute more, `visible` once queries show it."""

    attempt: int
    quantity: int
    filled: int = 0
    live: bool = True
    visible: bool = False


class State(NamedTuple):
    """Everything. `unsent` are the attempts that a worker holds in its hand, `flying` (attempt, ticks until its deadline)."""

    books: Books = Books()
    unsent: tuple[int, ...] = ()
    flying: tuple[tuple[int, int], ...] = ()
    venue: tuple[Placed, ...] = ()
    retried: bool = False

    @property
    def executed(self) -> int:
        return sum(order.filled for order in self.venue)


@dataclass(frozen=True)
class Rules:
    """Which protocol, which leg, which venue. The defaults of the flags are what is built.

    `held` is what the follow holds when an exit begins. `visibility_bound`: the operator states how late an accepted order
    may become visible, and the venue keeps to it. `spot`: no order can be limited to reducing, an accepted one executes at
    once, and `owner` is what the account's owner holds besides; `lists_fills`: its list of trades is never late. `beside` is
    what another follow of the account holds: an exit, executed at once, reduces that too, and what is held is asked for.
    """

    uniqueness: IdUniqueness = IdUniqueness.OPEN_ORDERS
    is_exit: bool = False
    lots: int = 2
    held: int = 2
    attempts: int = 2
    visibility_bound: bool = False
    fence: bool = True
    committed_timestamp: bool = True
    retries_the_post: bool = False
    answers: int = 2
    flaws: Flaws = Flaws()
    looks_up_resting: bool = True
    looks_again_after_resend: bool = True
    settles_only_when_booked: bool = True
    spot: bool = False
    owner: int = 0
    beside: int = 0
    lists_fills: bool = True
    asks_for_fills: bool = True
    asks_for_holding: bool = True

    @property
    def counts_from(self) -> int:
        """The age from which a negative answer counts."""
        if not self.fence:
            return 0
        return VALIDITY + CLOCK_ERROR + (VISIBLE_WITHIN if self.visibility_bound else 0)
