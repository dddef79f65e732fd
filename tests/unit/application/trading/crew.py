"""The hot path's parts on fakes: settler, placer and recovery on a memory book and a scripted venue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from app.application.trading.absence import Absence
from app.application.trading.place import Placer
from app.application.trading.recover import Recover
from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument, Venue
from tests.fakes.venue import ClockOfVenue, FixedQuotes, HeardTurns, OneGateway, ScriptedGateway
from tests.unit.application.trading.rows import Desk
from tests.unit.domain.builders import BTC, ETH, instrument

SECRET = b"a secret for client order ids"


@dataclass
class Gateway(ScriptedGateway):
    """A gateway of which the list of fills can fail on its own."""

    fills_error: VenueError | None = None

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        if self.fills_error is not None:
            raise self.fills_error
        return await super().fills(instrument, since=since, order_id=order_id)


class Crew(Desk):
    """A context manager: inside, the settler books in the background."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway = Gateway()
        self.factory = OneGateway(self.gateway)
        self.quotes = FixedQuotes({BTC: instrument(), ETH: instrument(sym=ETH)})
        self.venue_clock = ClockOfVenue(self.clock)
        self.turns = HeardTurns()
        self.placer = Placer(self.factory, self.book, self.settler, self.clock, self.metrics)

    def recover(self, fences: Callable[[Venue], FenceRule]) -> Recover:
        return Recover(
            absence=Absence(self.book, self.venue_clock, self.clock, fences),
            book=self.book,
            gateways=self.factory,
            placer=self.placer,
            settler=self.settler,
            quotes=self.quotes,
            venue_clock=self.venue_clock,
            clock=self.clock,
            metrics=self.metrics,
            id_secret=SECRET,
            fences=fences,
        )

    async def __aenter__(self) -> Self:
        self.settler.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.settler.stop()
