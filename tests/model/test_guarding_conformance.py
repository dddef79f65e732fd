"""The model's keeper is the program's: on every view that the search meets, both do the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from app.application.trading.protect import KeepProtection
from app.application.trading.protect_ports import Guarded, StoredProtection
from app.application.trading.protect_send import ProtectionSender
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId, WhaleId
from app.domain.shared.market import Instrument, Side, Venue
from app.domain.shared.money import Price, Quantity, Ratio
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.shared.triggers import TriggerKind
from app.domain.trading.protection import STOP_RUNG, Wanted
from tests.fakes.clock import START, FakeClock
from tests.fakes.memory_protections import MemoryProtections
from tests.fakes.venue import ClockOfVenue, Counts, FixedQuotes, HeardBell
from tests.model.guarded import search
from tests.model.guards import Guard, World, decisions, goes_alone
from tests.unit.application.trading.rows import now
from tests.unit.domain.builders import BTC, D, instrument

PRICES = {0: Price(D("90.0")), 1: Price(D("99.0"))}
BEST = {0: Price(D(100)), 1: Price(D(110))}
ENDLESS = 99
SIGNAL = SignalId(UUID(int=1))
TERMS = ProtectionTerms(trailing=Ratio(D("0.1")))


@dataclass(frozen=True, slots=True)
class Noting(ProtectionSender):
    """Notes what it is asked to do instead of doing it."""

    done: list[tuple[str, int]] = field(default_factory=list)

    async def place(self, position: Guarded, instrument: Instrument, want: Wanted, attempt: int) -> None:
        self.done.append(("place", attempt))

    async def cancel(self, sealed: bytes, instrument: Instrument, row: StoredProtection) -> None:
        self.done.append(("cancel", row.attempt))


@pytest.mark.parametrize(
    "market",
    [{}, {"spot": True}, {"shared": True, "moves": 0}, {"shared": True, "leader_stays": True}],
    ids=["contracts", "spot", "beside another follow", "beside another follow, the stop moves"],
)
def test_on_every_view_the_programs_keeper_does_what_the_models_does(market: dict[str, Any]) -> None:
    rules = Guard(**market, two_workers=False)
    views = {seen_by_a_keeper(world, rules): world for world in search(rules).states}
    assert len(views) > 60
    endless = replace(rules, attempts=ENDLESS)
    for world in views.values():
        assert sorted(done_by_the_program(world, rules)) == sorted(decisions(world, endless)), world


def seen_by_a_keeper(world: World, rules: Guard) -> tuple[Any, ...]:
    rows = tuple((row.state, row.want) for row in world.rows)
    return rows, world.want, world.held, world.leaving, goes_alone(world, rules)


def done_by_the_program(world: World, rules: Guard) -> list[tuple[str, int]]:
    venue = Venue.BINANCE_SPOT if rules.spot else Venue.BINANCE_USDM
    clock, book = FakeClock(), MemoryProtections(FakeClock())
    quotes = FixedQuotes({BTC: replace(instrument(), venue=venue, kind=CAPABILITIES[venue].kind)})
    nothing: Any = None  # a sender that only notes asks nobody
    sender = Noting(
        book=book, desk=nothing, gateways=nothing, quotes=quotes, venue_clock=nothing, clock=clock,
        metrics=Counts(), id_secret=b"", fences=nothing,
    )  # fmt: skip
    keep = KeepProtection(
        book=book, sender=sender, quotes=quotes, venue_clock=ClockOfVenue(clock), bell=HeardBell(), clock=clock,
        metrics=Counts(), bare_max=START - START,
    )  # fmt: skip
    now(keep._keep(_view(world, venue, rules), frozenset()))
    return sender.done


def _view(world: World, venue: Venue, rules: Guard) -> Guarded:
    rows = tuple(_row(world, number, venue) for number in range(len(world.rows)))
    return Guarded(
        follow_id=FollowId(11),
        whale_id=WhaleId(1),
        account_id=AccountId(21),
        venue=venue,
        symbol=BTC,
        sealed=b"",
        hedged=False,
        terms=TERMS,
        quantity=D(world.held),
        entry=Price(D(100)) if world.held else None,
        opened_at=START,
        best=BEST[world.want],
        bare_since=None,
        leaving=world.leaving,
        shared=goes_alone(world, rules),
        rows=rows,
        newest={STOP_RUNG: len(rows) - 1} if rows else {},
    )


def _row(world: World, number: int, venue: Venue) -> StoredProtection:
    row = world.rows[number]
    return StoredProtection(
        follow_id=FollowId(11),
        symbol=BTC,
        rung=STOP_RUNG,
        attempt=number,
        account_id=AccountId(21),
        venue=venue,
        client_order_id=ClientOrderId(f"c{number}"),
        signal_id=SIGNAL,
        kind=TriggerKind.STOP_LOSS,
        side=Side.SELL,
        trigger=PRICES[row.want],
        quantity=Quantity(D(1)),
        state=row.state,
        signed_ms=0,
        valid_ms=5000,
    )
