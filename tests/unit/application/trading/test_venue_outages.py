"""What one venue's trouble does to the followers of others: nothing, whatever kind of trouble it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from app.application.trading.place import ToSend
from app.application.trading.ports import VenueClock, Window
from app.domain.exchanges.outcomes import Accepted, Outcome, VenueError, VenueThrottled, VenueUnavailable
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Action
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Price
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, put, report
from tests.unit.application.trading.test_copy_signal import left, make_signal, stays
from tests.unit.application.trading.test_other_venues import HERE, THERE, Quotes, crew
from tests.unit.domain.builders import instrument

WINDOW = Window(signed_ms=1_000, valid_ms=5_000, look_at=START + timedelta(seconds=5))


@dataclass
class Failing(Quotes):
    """Quotes of which one venue's listing answers with an error; without one it never answers."""

    fails: dict[Venue, VenueError | None] = field(default_factory=dict)

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        if venue in self.fails:
            error = self.fails[venue]
            if error is not None:
                raise error
            await asyncio.Event().wait()
        return await super().instrument(venue, sym)


@pytest.mark.parametrize("error", [VenueThrottled("Banned.", timedelta(minutes=5)), None])
async def test_a_listing_that_bans_us_or_does_not_answer_stops_no_other_venue(
    error: VenueError | None,
) -> None:
    quotes = Failing({HERE: "100", THERE: "100"}, fails={THERE: error})
    made = crew({THERE: 2, HERE: 2}, quotes)
    async with made, asyncio.timeout(5):
        with pytest.raises(VenueUnavailable):
            await made.copy(make_signal(), "me", stays)
    assert [placed.instrument.venue for placed in made.gateway.placed] == [HERE, HERE]


@pytest.mark.parametrize("trouble", ["listing", "clock"])
async def test_an_exit_whose_venue_is_away_is_put_off_and_the_leaders_line_goes_on(trouble: str) -> None:
    quotes = Quotes({HERE: "100", THERE: "100"}, away={THERE} if trouble == "listing" else set())
    made = crew({HERE: 2, THERE: 2}, quotes, held="1")
    if trouble == "clock":
        made.copy = replace(made.copy, venue_clock=NoClock(THERE, made.copy.venue_clock))
    async with made, asyncio.timeout(5):
        result = await made.copy(make_signal(Action.CLOSE), "me", left)
        assert result.complete
        assert [placed.instrument.venue for placed in made.gateway.placed] == [HERE, HERE]
        assert [one.code for one in made.copies.decisions.values()].count("VENUE_AWAY") == 2
        quotes.away.clear()
        made.copy = replace(made.copy, venue_clock=made.venue_clock)
        made.copies.snapshots = 0  # put off is undecided, the next time
        assert (await made.copy(make_signal(Action.CLOSE), "me", left)).complete
    assert len({placed.client_order_id for placed in made.gateway.placed}) == 4


@pytest.mark.parametrize("trouble", ["listing", "mark", "clock"])
async def test_an_entry_of_a_leader_who_has_left_waits_for_no_venue(trouble: str) -> None:
    quotes = NoMarks({THERE: "100"}) if trouble == "mark" else Quotes({THERE: "100"})
    quotes.away = {THERE} if trouble == "listing" else set()
    made = crew({THERE: 2}, quotes)
    if trouble == "clock":
        made.copy = replace(made.copy, venue_clock=NoClock(THERE, made.copy.venue_clock))
    async with made:
        assert (await made.copy(make_signal(), "me", left)).complete
    assert (made.codes(), made.gateway.placed) == ({"LEADER_ALREADY_OUT"}, [])


@dataclass
class NoClock:
    """A venue clock that does not know one venue's time."""

    venue: Venue
    others: VenueClock

    def now_ms(self, venue: Venue) -> int:
        if venue is self.venue:
            raise VenueUnavailable("The venue's time was never read.")
        return self.others.now_ms(venue)


class NoMarks(Quotes):
    """Quotes that hear no marks."""

    async def mark(self, venue: Venue, sym: Symbol) -> Price:
        raise VenueUnavailable("The mark price is too old to trade on.")


@pytest.mark.parametrize("exits", [False, True])
async def test_a_venue_that_does_not_answer_fills_no_lane_of_another(exits: bool) -> None:
    crew_ = Crew()
    freed = asyncio.Event()

    async def answer(order: PlaceOrder) -> Outcome:
        if order.instrument.venue is THERE:
            await freed.wait()
        return Accepted(report(crew_.book.stored(order.client_order_id)))

    crew_.gateway.on_place = answer
    there = [_order(crew_, number, exits=exits) for number in range(100)]
    here = _order(crew_, 100, exits=exits)
    async with crew_, asyncio.timeout(5):
        hung = asyncio.create_task(crew_.placer.send(_at(THERE), there, WINDOW, None))
        while len(crew_.gateway.placed) < 96:
            await asyncio.sleep(0)
        await crew_.placer.send(_at(HERE), [here], WINDOW, None)
        assert crew_.gateway.placed[-1].client_order_id == here.client_order_id
        freed.set()
        await hung


def _at(venue: Venue) -> Instrument:
    return replace(instrument(), venue=venue)


def _order(crew_: Crew, number: int, *, exits: bool) -> ToSend:
    one = put(crew_.book, number, exit_=exits, wallet="1000000")
    stored = crew_.book.stored(one)
    return ToSend(ACCOUNT, b"sealed", ClientOrderId(one), stored.side, stored.order_quantity, exits, 0)
