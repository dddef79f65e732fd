"""The parts of protection on fakes: keeper, sender and desk on a memory book, and a venue at which protections rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from app.application.trading.protect import KeepProtection
from app.application.trading.protect_ports import StoredProtection
from app.application.trading.protect_send import ProtectionSender
from app.application.trading.protection_evidence import ProtectionDesk
from app.domain.exchanges.outcomes import DefiniteNo, NotSent, RefusalKind, Unknown, VenueUnavailable
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.venue import CAPABILITIES, FenceRule
from app.domain.shared.ids import ClientOrderId, FollowId
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import Price, Ratio, plain
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.protection import ProtectionState
from tests.fakes.clock import FakeClock
from tests.fakes.memory_protections import Held, MemoryProtections
from tests.fakes.venue import ClockOfVenue, Counts, FixedQuotes, HeardBell, OneGateway, ScriptedGateway
from tests.unit.domain.builders import BTC, D, instrument

FENCE = FenceRule(validity=timedelta(seconds=5), engine_timeout=timedelta(0))
STOP = ProtectionTerms(stop_loss=Ratio(D("0.1")))
TRAILING = ProtectionTerms(trailing=Ratio(D("0.1")))
BARE_MAX = timedelta(seconds=10)


class Killed(BaseException):
    """What a crash is to those who wait."""


@dataclass
class RestingVenue(ScriptedGateway):
    """Takes protections as `fate` says: "rests", "lost" (taken, no answer), "gone" (not taken, no answer), "refused",
    "not sent" or "killed" (the process dies before anything leaves). `hidden` are not shown to queries.
    """

    fate: str = "rests"
    cancels: str = "done"
    hidden: set[str] = field(default_factory=set)
    withdrawn: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.on_protect = self.take

    async def take(self, asked: PlaceProtection) -> ProtectionOutcome:
        if self.fate == "killed":
            raise Killed
        if self.fate == "refused":
            return DefiniteNo(RefusalKind.FILTER, "-1", "no")
        if self.fate == "not sent":
            return NotSent("no connection")
        if self.fate == "gone":
            return Unknown("timeout")
        report = ProtectionReport(
            venue=asked.instrument.venue,
            symbol=asked.instrument.symbol,
            protection_id=f"p-{asked.client_order_id}",
            client_order_id=asked.client_order_id,
            side=asked.side,
            kind=asked.kind,
            trigger=asked.trigger,
            quantity=asked.quantity,
            status=ProtectionStatus.RESTING,
            order_id=None,
            at=FakeClock().now(),
        )
        self.protections[asked.client_order_id] = report
        return Unknown("timeout") if self.fate == "lost" else Protected(report)

    def becomes(self, client_order_id: str, status: ProtectionStatus) -> ProtectionReport:
        """Let one end at the venue; return what a stream would tell."""
        order_id = "o-1" if status is ProtectionStatus.TRIGGERED else None
        report = replace(self.protections[client_order_id], status=status, order_id=order_id)
        self.protections[client_order_id] = report
        return report

    def unnumber(self, client_order_id: str) -> None:
        """Let the venue not tell yet which order a protection became."""
        self.protections[client_order_id] = replace(self.protections[client_order_id], order_id=None)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        found = await super().protection(instrument, client_order_id)
        return None if client_order_id in self.hidden else found

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        self.withdrawn.append(client_order_id)
        if self.cancels == "lost":
            raise VenueUnavailable("timeout")
        one = self.protections.get(client_order_id)
        if one is None or client_order_id in self.hidden:
            return None
        if not one.status.is_final:
            self.becomes(client_order_id, ProtectionStatus.CANCELED)
        return self.protections[client_order_id]


class Guardhouse:
    """One position, its keeper, and a second worker's keeper on the same book."""

    def __init__(
        self,
        terms: ProtectionTerms = STOP,
        *,
        venue: Venue = Venue.BINANCE_USDM,
        quantity: str = "1",
        fence: FenceRule = FENCE,
    ) -> None:
        self.clock = FakeClock()
        self.venue = RestingVenue()
        self.book = MemoryProtections(self.clock)
        self.bell = HeardBell()
        self.metrics = Counts()
        market = replace(instrument(), venue=venue, kind=CAPABILITIES[venue].kind)
        self.quotes = FixedQuotes({BTC: market})
        self.held = Held(FollowId(11), BTC, venue, D(quantity), Price(D(100)), self.clock.now(), terms)
        self.book.positions.append(self.held)
        self.desk = ProtectionDesk(self.book, self.clock, self.metrics, self.bell)
        self.fence = fence
        self.sender = self.worker_sender()
        self.keep = self.keeper(self.sender)

    def worker_sender(self) -> ProtectionSender:
        return ProtectionSender(
            book=self.book,
            desk=self.desk,
            gateways=OneGateway(self.venue),
            quotes=self.quotes,
            venue_clock=ClockOfVenue(self.clock),
            clock=self.clock,
            metrics=self.metrics,
            id_secret=b"a secret for client order ids",
            fences=lambda _: self.fence,
        )

    def keeper(self, sender: ProtectionSender) -> KeepProtection:
        return KeepProtection(
            book=self.book,
            sender=sender,
            quotes=self.quotes,
            venue_clock=ClockOfVenue(self.clock),
            bell=self.bell,
            clock=self.clock,
            metrics=self.metrics,
            bare_max=BARE_MAX,
        )

    async def beat(self, times: int = 1, every: timedelta = timedelta(seconds=1)) -> None:
        """One pass as the program makes it: what is due is looked up, then each position gets what it wants."""
        for _ in range(times):
            self.clock.advance(every)
            await self.sender.look()
            await self.keep()

    def mark(self, price: str) -> None:
        self.quotes.price = Price(D(price))

    def gone(self) -> None:
        """Let the position be closed in our books."""
        self.held.quantity = Decimal(0)

    @property
    def rows(self) -> list[StoredProtection]:
        return self.book.of(self.held)

    @property
    def states(self) -> list[ProtectionState]:
        return [row.state for row in self.rows]

    @property
    def resting(self) -> list[str]:
        """The trigger prices that rest at the venue."""
        return [plain(p.trigger) for p in self.venue.protections.values() if not p.status.is_final]
