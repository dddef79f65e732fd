"""Where a signal's market is traded: at the leader's venue under its own name, elsewhere under its counterpart's, or
under that against the venue's collateral where its contracts are quoted in nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.application.trading.ports import Candidate, Quotes
from app.domain.exchanges.outcomes import VenueError, VenueUnavailable
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue, counterpart
from app.domain.signals.signal import Signal
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome, decision

_PATIENCE_S: Final = 0.5
"""How long the others wait for a venue that reads its listing anew, since it does not know the market."""


@dataclass(frozen=True, slots=True)
class Markets:
    """The signal's market at each venue where it is listed, and the venues that could not say."""

    found: Mapping[Venue, Instrument]
    away: frozenset[Venue]

    def symbols(self, signal: Signal) -> Mapping[Venue, Sequence[Symbol]]:
        """Return the market's name at every venue, all that it may have where it is not listed: what a follow holds is
        looked up by it.
        """
        return {
            venue: (self.found[venue].symbol,) if venue in self.found else names_at(venue, signal)
            for venue in Venue
        }

    def without(
        self, signal: Signal, venue: Venue, candidates: Sequence[Candidate], *, over: DecisionCode | None
    ) -> list[Decision]:
        """Return the decisions of followers at a venue without this market; `over` says why an entry's time is over.

        Where the venue could not say, exits are put off and an entry that still has time raises VenueUnavailable. Where it
        lists the market no more, the exit of a follow that holds something is put off until it does.
        """
        if venue in self.away and signal.is_exit:
            return put_off(venue, [each.follower.follow_id for each in candidates])
        if venue in self.away and over is None:
            raise VenueUnavailable("The venue's markets were never read.", venue=venue.value)
        served = CAPABILITIES[venue].kind is not MarketKind.INVERSE
        code = DecisionCode.MARKET_NOT_AT_VENUE if served else DecisionCode.VENUE_NOT_COPIED
        if venue in self.away and over is not None:
            code = over
        facts = {"venue": venue.value, "market": name_at(venue, signal)}
        return [_unserved(each, signal, code, facts) for each in candidates]


def _unserved(candidate: Candidate, signal: Signal, code: DecisionCode, facts: Mapping[str, str]) -> Decision:
    outcome = DecisionOutcome.SKIPPED
    if signal.is_exit and _holds(candidate):
        outcome, code = DecisionOutcome.DEFERRED, DecisionCode.MARKET_UNLISTED
    return decision(candidate.follower.follow_id, outcome, code, facts, **facts)


def _holds(candidate: Candidate) -> bool:
    follower = candidate.follower
    return bool(follower.held or follower.entry_open or follower.entry_absent)


def of_each_follow(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Return one candidate of each follow: of one that was looked up under several names, the one that holds something."""
    found: dict[FollowId, Candidate] = {}
    for each in candidates:
        if each.follower.follow_id not in found or _holds(each):
            found[each.follower.follow_id] = each
    return tuple(found.values())


def put_off(venue: Venue, follows: Sequence[FollowId]) -> list[Decision]:
    """Return the decisions of exits whose venue is away: made again soon, while the leader's line goes on without them."""
    facts = {"venue": venue.value}
    return [
        decision(follow, DecisionOutcome.DEFERRED, DecisionCode.VENUE_AWAY, facts, **facts)
        for follow in follows
    ]


def name_at(venue: Venue, signal: Signal) -> Symbol:
    """Return what the signal's market is called at a venue unless its listing says otherwise."""
    return names_at(venue, signal)[0]


def names_at(venue: Venue, signal: Signal) -> tuple[Symbol, ...]:
    """Return what the signal's market may be called at a venue, the likeliest first: Kraken quotes in USD, not USDT."""
    if venue is signal.venue:
        return (signal.symbol,)
    can = CAPABILITIES[venue]
    usual = counterpart(signal.symbol, can.kind)
    if can.kind is not MarketKind.LINEAR or can.collateral is None:
        return (usual,)
    own = Symbol(f"{usual.partition('-')[0]}-{can.collateral}")
    return (usual,) if own == usual else (usual, own)


async def find_markets(quotes: Quotes, venues: Sequence[Venue], signal: Signal) -> Markets:
    """Look the signal's market up at each of `venues`, all at once; a venue that errs or takes its time counts as away.

    Coin-margined venues are left out: a wallet in every coin has no one size to share risk by, so leaders may trade
    there and followers may not.
    """
    found: dict[Venue, Instrument] = {}
    away: set[Venue] = set()

    async def look(venue: Venue) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                instrument = await _first(quotes, venue, names_at(venue, signal))
        except (VenueError, TimeoutError):
            away.add(venue)
            return
        if instrument is not None:
            found[venue] = instrument

    served = [venue for venue in venues if CAPABILITIES[venue].kind is not MarketKind.INVERSE]
    await asyncio.gather(*(look(venue) for venue in served))
    return Markets(found, frozenset(away))


async def _first(quotes: Quotes, venue: Venue, names: Sequence[Symbol]) -> Instrument | None:
    """Return the first of the names that is listed; None for none. Raises VenueError."""
    for name in names:
        with suppress(NotFound):
            return await quotes.instrument(venue, name)
    return None
