"""Followers at other venues than their leader: their own market, their own mark, and nobody waits for a venue that is away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.application.trading.markets import find_markets, name_at
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import NotFound
from app.domain.shared.execution import Action
from app.domain.shared.market import Instrument, MarketKind, Side, Symbol, Venue, counterpart
from app.domain.shared.money import Price
from tests.unit.application.trading.test_copy_signal import Copy, followers, left, make_signal, stays
from tests.unit.domain.builders import BTC, D, instrument

HERE, THERE, COINS = Venue.BINANCE_USDM, Venue.OKX_SWAP, Venue.BYBIT_SPOT
DOLLARS = Venue.CCXT_KRAKENFUTURES


@dataclass
class Quotes:
    """Quotes by venue: `away` cannot say, what is missing is not listed; `listed` restricts a venue to these names."""

    marks: dict[Venue, str]
    away: set[Venue] = field(default_factory=set)
    listed: dict[Venue, set[str]] = field(default_factory=dict)
    asked: list[tuple[Venue, Symbol]] = field(default_factory=list)

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        self.asked.append((venue, sym))
        if venue in self.away:
            raise VenueUnavailable("The listing was never read.")
        if venue not in self.marks or sym not in self.listed.get(venue, {sym}):
            raise NotFound("Not listed.")
        kind = MarketKind.SPOT if venue is COINS else MarketKind.LINEAR
        return replace(instrument(sym=sym), venue=venue, kind=kind)

    async def mark(self, venue: Venue, sym: Symbol) -> Price:
        return Price(D(self.marks[venue]))


def crew(places: dict[Venue, int], quotes: Quotes, held: str = "0") -> Copy:
    found = followers(sum(places.values()), held)
    venues = [venue for venue, number in places.items() for _ in range(number)]
    made = Copy([replace(one, venue=venue) for one, venue in zip(found, venues, strict=True)])
    made.copy = replace(made.copy, quotes=quotes, venues=tuple(places))
    return made


async def test_each_follower_is_served_at_its_own_venue_and_by_its_own_mark() -> None:
    quotes = Quotes({HERE: "100", THERE: "99.9"})
    async with crew({HERE: 3, THERE: 4}, quotes) as made:
        result = await made.copy(make_signal(), "me", stays)
    assert (result.decided, result.sent, result.complete) == (7, 7, True)
    sent = [placed.instrument.venue for placed in made.gateway.placed]
    assert (sent.count(HERE), sent.count(THERE)) == (3, 4)
    marks = [one.inputs["mark_price"] for one in made.copies.decisions.values()]
    assert (marks.count("100"), marks.count("99.9")) == (3, 4)


async def test_a_market_that_a_venue_does_not_list_is_a_reason_of_its_own() -> None:
    async with crew({HERE: 1, THERE: 2}, Quotes({HERE: "100"})) as made:
        result = await made.copy(make_signal(), "me", stays)
    assert (result.decided, result.sent, result.complete) == (3, 1, True)
    assert made.codes() == {"AS_ASKED", "MARKET_NOT_AT_VENUE"}
    assert any("okx-swap" in one.reason for one in made.copies.decisions.values())


async def test_a_venue_that_is_away_delays_its_own_followers_and_nobody_else() -> None:
    quotes = Quotes({HERE: "100", THERE: "100"}, away={THERE})
    async with crew({HERE: 2, THERE: 2}, quotes) as made:
        with pytest.raises(VenueUnavailable):
            await made.copy(make_signal(), "me", stays)
        assert {placed.instrument.venue for placed in made.gateway.placed} == {HERE}
        quotes.away.clear()
        result = await made.copy(make_signal(), "me", stays)
    assert (result.decided, result.complete) == (2, True)
    assert len(made.gateway.placed) == 4


async def test_an_entry_that_expired_while_its_venue_was_away_is_decided() -> None:
    quotes = Quotes({HERE: "100"}, away={THERE})
    async with crew({THERE: 2}, quotes) as made:
        made.clock.advance(timedelta(seconds=30))
        result = await made.copy(make_signal(), "me", stays)
    assert (result.decided, result.sent, result.expired) == (2, 0, True)
    assert made.codes() == {"SIGNAL_EXPIRED"}


async def test_followers_at_coin_margined_venues_are_not_served() -> None:
    quotes = Quotes({HERE: "100", Venue.BYBIT_INVERSE: "100"})
    async with crew({HERE: 1, Venue.BYBIT_INVERSE: 1}, quotes) as made:
        await made.copy(make_signal(), "me", stays)
    assert made.codes() == {"AS_ASKED", "VENUE_NOT_COPIED"}


async def test_a_spot_follower_buys_without_leverage_and_sits_out_shorts() -> None:
    async with crew({COINS: 1}, Quotes({COINS: "100"})) as made:
        await made.copy(make_signal(), "me", stays)
    assert (made.gateway.leverages, len(made.gateway.placed)) == ([], 1)
    short = replace(make_signal(), side=Side.SELL)
    async with crew({COINS: 1}, Quotes({COINS: "100"})) as made:
        await made.copy(short, "me", stays)
    assert (made.codes(), made.gateway.placed) == ({"SPOT_HAS_NO_SHORTS"}, [])


async def test_at_spot_less_than_a_step_is_nothing_to_sell_and_no_position() -> None:
    dust = crew({COINS: 1}, Quotes({COINS: "100"}), held="0.0004")
    async with dust:
        await dust.copy(make_signal(Action.CLOSE), "me", left)
    assert dust.codes() == {"NOTHING_TO_CLOSE"}
    again = crew({COINS: 1}, Quotes({COINS: "100"}), held="0.0004")
    async with again:
        await again.copy(make_signal(Action.ADD), "me", stays)
    assert again.codes() == {"ADD_WITHOUT_POSITION"}


@pytest.mark.parametrize(
    ("leading", "sym", "at", "name"),
    [
        (Venue.BYBIT_INVERSE, "BTC-USD", Venue.BYBIT_INVERSE, "BTC-USD"),
        (Venue.BYBIT_INVERSE, "BTC-USD", Venue.OKX_SWAP, "BTC-USDT"),
        (Venue.BINANCE_USDM, "BTC-USDC", Venue.BINANCE_USDM, "BTC-USDC"),
        (Venue.BINANCE_USDM, "BTC-USDC", Venue.BINANCE_SPOT, "BTC-USDT"),
        (Venue.BINANCE_USDM, "BTC-USDT", Venue.BINANCE_COINM, "BTC-USD"),
    ],
)
def test_a_market_has_its_name_at_every_venue(leading: Venue, sym: str, at: Venue, name: str) -> None:
    assert name_at(at, replace(make_signal(), venue=leading, symbol=Symbol(sym))) == name


@pytest.mark.parametrize(
    ("venue", "listed", "asked", "name"),
    [
        (DOLLARS, {"BTC-USD"}, ["BTC-USDT", "BTC-USD"], "BTC-USD"),
        (DOLLARS, {"BTC-USD", "BTC-USDT"}, ["BTC-USDT"], "BTC-USDT"),
        (DOLLARS, set[str](), ["BTC-USDT", "BTC-USD"], None),
        (Venue.HYPERLIQUID, {"BTC-USDT"}, ["BTC-USDT"], "BTC-USDT"),
        (THERE, set[str](), ["BTC-USDT"], None),
        (COINS, set[str](), ["BTC-USDT"], None),
    ],
)
async def test_a_market_that_is_quoted_in_the_collateral_is_found_and_held_under_that_name(
    venue: Venue, listed: set[str], asked: list[str], name: str | None
) -> None:
    quotes = Quotes({venue: "100"}, listed={venue: listed})
    markets = await find_markets(quotes, [venue], make_signal())
    assert quotes.asked == [(venue, sym) for sym in asked]
    assert [entry.symbol for entry in markets.found.values()] == ([] if name is None else [name])
    assert markets.symbols(make_signal())[venue] == (tuple(asked) if name is None else (name,))


async def test_a_leaders_own_venue_is_asked_for_its_own_name_only() -> None:
    quotes = Quotes({DOLLARS: "100"}, listed={DOLLARS: set()})
    signal = replace(make_signal(), venue=DOLLARS, symbol=Symbol("BTC-USD"))
    assert not (await find_markets(quotes, [DOLLARS], signal)).found
    assert quotes.asked == [(DOLLARS, "BTC-USD")]


async def test_a_venue_that_is_away_is_not_taken_for_one_without_the_market() -> None:
    markets = await find_markets(Quotes({DOLLARS: "100"}, away={DOLLARS}), [DOLLARS], make_signal())
    assert not markets.found
    assert markets.away == {DOLLARS}


async def test_the_copy_book_is_asked_by_the_name_that_was_found_and_the_order_bears_it() -> None:
    quotes = Quotes({HERE: "100", DOLLARS: "100"}, listed={DOLLARS: {"BTC-USD"}})
    async with crew({HERE: 1, DOLLARS: 1}, quotes) as made:
        result = await made.copy(make_signal(), "me", stays)
    assert (result.sent, result.complete) == (2, True)
    assert (made.copies.symbols[HERE], made.copies.symbols[DOLLARS]) == (("BTC-USDT",), ("BTC-USD",))
    sent = {placed.instrument.venue: placed.instrument.symbol for placed in made.gateway.placed}
    assert sent == {HERE: "BTC-USDT", DOLLARS: "BTC-USD"}


async def test_coin_margined_venues_are_not_even_asked() -> None:
    quotes = Quotes({HERE: "100"})
    markets = await find_markets(quotes, [HERE, Venue.BINANCE_COINM], make_signal())
    assert (list(markets.found), quotes.asked) == ([HERE], [(HERE, BTC)])
    assert counterpart(BTC, MarketKind.INVERSE) == "BTC-USD"
    assert markets.symbols(make_signal())[Venue.BINANCE_COINM] == ("BTC-USD",)
    assert Decimal(markets.found[HERE].step) > 0


async def test_an_exit_at_a_market_that_left_the_listing_waits_for_it_where_something_is_held() -> None:
    quotes = Quotes({HERE: "100"})
    async with crew({THERE: 2}, quotes, held="1") as made:
        one = made.copies.candidates[0]
        made.copies.candidates[0] = replace(one, follower=replace(one.follower, held=D(0)))
        result = await made.copy(make_signal(Action.CLOSE), "me", stays)
        by_follow = [made.copies.decisions[each.follower.follow_id] for each in made.copies.candidates]
        assert [(d.outcome.value, d.code) for d in by_follow] == [
            ("SKIPPED", "MARKET_NOT_AT_VENUE"),
            ("DEFERRED", "MARKET_UNLISTED"),
        ]
        assert (result.sent, result.complete) == (0, True)  # the leader's line goes on
        assert made.metrics.seen["exits_unlisted"] == 1
        quotes.marks[THERE] = "100"
        made.copies.snapshots = 0
        assert (await made.copy(make_signal(Action.CLOSE), "me", stays)).sent == 1


async def test_an_exit_at_a_venue_that_never_had_the_market_ends_at_once_where_nothing_is_held() -> None:
    async with crew({Venue.HYPERLIQUID: 1, DOLLARS: 1, THERE: 1}, Quotes({HERE: "100"})) as made:
        result = await made.copy(make_signal(Action.CLOSE), "me", stays)
    assert made.codes() == {"MARKET_NOT_AT_VENUE"}
    assert (result.decided, result.complete) == (3, True)


@pytest.mark.parametrize("first", [0, 1])
async def test_a_lot_that_is_kept_under_either_name_of_its_market_waits_for_the_listing(first: int) -> None:
    async with crew({DOLLARS: 1}, Quotes({HERE: "100"})) as made:
        [one] = made.copies.candidates
        both = [one, replace(one, follower=replace(one.follower, held=D(1)))]
        made.copies.candidates = [both[first], both[1 - first]]
        result = await made.copy(make_signal(Action.CLOSE), "me", stays)
    assert made.codes() == {"MARKET_UNLISTED"}
    assert (result.decided, result.complete) == (1, True)
    assert made.copies.symbols[DOLLARS] == ("BTC-USDT", "BTC-USD")


async def test_an_exit_waits_for_the_listing_too_while_an_entry_may_still_appear() -> None:
    async with crew({THERE: 1}, Quotes({HERE: "100"})) as made:
        [one] = made.copies.candidates
        made.copies.candidates = [replace(one, follower=replace(one.follower, entry_absent=True))]
        await made.copy(make_signal(Action.CLOSE), "me", stays)
    assert made.codes() == {"MARKET_UNLISTED"}
