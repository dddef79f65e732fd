"""What a model of protections consists of: rows, the venue, the rules that it is searched under, and what a keeper decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.domain.trading.protection import IS_LIVE, ProtectionEvent, ProtectionState

VALIDITY = 1
CLOCK_ERROR = 1
VISIBLE_WITHIN = 1
HORIZON = 4
GONE = -1
ANSWERS = 2
STATE, EVENT = ProtectionState, ProtectionEvent


class Row(NamedTuple):
    """One attempt as stored; `want` numbers the price at which it should rest, `trades` the exits that it became."""

    state: ProtectionState
    want: int
    age: int = 0
    looks: int = 0
    was_absent: bool = False
    trades: int = 0
    booked: int = 0


class AtVenue(NamedTuple):
    """One protection at the venue: "resting", "triggered" or "canceled"."""

    attempt: int
    standing: str = "resting"
    filled: int = 0
    visible: bool = False


class World(NamedTuple):
    """Everything. `position` is what the venue holds of the follow, `held` what our books hold of it; `leader` how far its
    leader's close is, `other` how far another follow of the account is: "none", or "out", "asked", "coming", "in" and out again.
    """

    rows: tuple[Row, ...] = ()
    venue: tuple[AtVenue, ...] = ()
    unsent: tuple[int, ...] = ()
    flying: tuple[tuple[int, int], ...] = ()
    cancels: tuple[int, ...] = ()
    stale: tuple[str, int] | None = None
    want: int = 0
    position: int = 1
    held: int = 1
    leader: str = "in"
    other: str = "none"

    def at_venue(self, attempt: int) -> AtVenue | None:
        return next((one for one in self.venue if one.attempt == attempt), None)

    @property
    def leaving(self) -> bool:
        """Whether an exit is on its way: the leader's, or one that a protection became."""
        return self.leader in ("asked", "waits", "going", "executed") or any(
            row.trades > row.booked for row in self.rows
        )

    @property
    def beside(self) -> int:
        """What the venue holds of the other follow: reduce-only orders of either may close it."""
        return 1 if self.other == "in" else 0

    @property
    def may_sell(self) -> int:
        """How many orders of the follow may still sell, as far as our books know, each all that it holds."""
        out = sum((row.state in IS_LIVE) + (row.trades > row.booked) for row in self.rows)
        return out + (self.leader in ("going", "executed"))


@dataclass(frozen=True)
class Guard:
    """Which venue, and which keeper. The defaults of the flags are what is built.

    `owner` is what the account's owner holds himself. `cancels_cross`: the venue may say "canceled" of what triggered.
    `leader_stays`: the leader never closes. `shared`: another follow of the account holds the market, and may leave and enter
    again. `exit_goes_last`: at spot, and where another follow holds the market or has an
    entry out, an exit leaves once nothing rests, can come to rest or is still to be booked, and nothing is committed beside it
    or after it (`asks_before_placing`). `entry_waits`: the other's entry is committed once our orders can close no more than we
    hold. `counts_the_coming`: an entry that is out counts like what is held.
    """

    spot: bool = False
    shared: bool = False
    owner: int = 0
    attempts: int = 2
    moves: int = 1
    visibility_bound: bool = True
    cancels_cross: bool = False
    two_workers: bool = True
    reduce_only: bool = True
    fence: bool = True
    committed_timestamp: bool = True
    waits_in_doubt: bool = True
    replaces_before_cancelling: bool = True
    shared_goes_first: bool = True
    cancels_when_flat: bool = True
    frees_coins_for_an_exit: bool = True
    looks_at_the_absent: bool = True
    asks_again_to_cancel: bool = True
    believes_a_crossing: bool = True
    becomes_one_exit: bool = True
    exit_goes_last: bool = True
    asks_before_placing: bool = True
    entry_waits: bool = True
    counts_the_coming: bool = True
    leader_stays: bool = False

    @property
    def counts_from(self) -> int:
        """The age from which a negative answer counts."""
        if not self.fence:
            return 0
        return VALIDITY + CLOCK_ERROR + (VISIBLE_WITHIN if self.visibility_bound else 0)

    def start(self) -> World:
        """Return the world that a search begins with: a lot without its stop."""
        return World(other="in" if self.shared else "none")

    def is_apart(self, world: World) -> bool:
        """Whether an order that only reduces may, as the commit sees it, close what is not the follow's."""
        coming = self.counts_the_coming and world.other == "coming"
        return self.spot or world.other == "in" or coming


def goes_alone(world: World, rules: Guard) -> bool:
    """Whether, as the keeper sees it, no two orders may be out that together could close more than is held."""
    return rules.is_apart(world) or world.other == "asked" or world.leader == "waits"


def decisions(world: World, rules: Guard) -> tuple[tuple[str, int], ...]:
    """What the keeper does about what it sees: ("cancel", attempt) and ("place", attempt)."""
    resting = [number for number, row in enumerate(world.rows) if row.state is STATE.RESTING]
    if not world.held:
        return tuple(("cancel", number) for number in resting) if rules.cancels_when_flat else ()
    if goes_alone(world, rules) and rules.frees_coins_for_an_exit and world.leaving:
        return tuple(("cancel", number) for number in resting)
    live = [number for number, row in enumerate(world.rows) if row.state in IS_LIVE]
    newest = max(live, default=None)
    newest_rests = newest is not None and world.rows[newest].state is STATE.RESTING
    made = [("cancel", number) for number in resting if newest_rests and number != newest]
    if newest_rests and newest is not None and world.rows[newest].want == world.want:
        return tuple(made)
    in_doubt = newest is not None and not newest_rests
    if world.leaving or (in_doubt and rules.waits_in_doubt):
        return tuple(made)
    goes_first = rules.spot or (goes_alone(world, rules) and rules.shared_goes_first)
    if newest is not None and newest_rests and (goes_first or not rules.replaces_before_cancelling):
        return (*made, ("cancel", newest))
    return (*made, ("place", len(world.rows))) if len(world.rows) < rules.attempts else tuple(made)
