"""A real flow of rows for the audit: copied, refused, lost and found, kept back and sent again, closed; by the program's own code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.absence import Absence
from app.application.trading.copy_signal import CopySignal
from app.application.trading.execution_ports import LedgerEntry
from app.application.trading.place import Placer
from app.application.trading.recover import Recover
from app.application.trading.settle import Settler
from app.domain.exchanges.outcomes import Accepted, DefiniteNo, NotSent, Outcome, RefusalKind, Unknown
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action, Fill, OrderReport, OrderStatus
from app.domain.shared.ids import WhaleId
from app.domain.shared.money import Money, Price, Quantity
from app.domain.shared.terms import CopyMode, CopyTerms
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal, SignalState
from app.domain.whales.whale import WhaleTier
from app.infrastructure.postgres.copy_book import PostgresCopyBook
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.world import BTC, VENUE, make_signal, verified_account
from tests.fakes.clock import FakeClock
from tests.fakes.venue import ClockOfVenue, Counts, FixedQuotes, HeardBell, OneGateway, ScriptedGateway
from tests.unit.domain.builders import instrument

OWNER = "the flow"
PRICE = Price(Decimal("60000.1"))
FENCE = FenceRule(validity=timedelta(seconds=5), engine_timeout=timedelta(0))
SOON = timedelta(seconds=4)


@dataclass
class Venue:
    """The venue of the flow: its script says what becomes of each entry; exits are executed."""

    clock: FakeClock
    entries: Iterator[str] = field(
        default_factory=lambda: iter(["filled", "refused", "lost", "filled", "not sent", "filled", "filled"])
    )
    exits: Iterator[str] = field(
        default_factory=lambda: iter(["filled", "not sent", "filled", "filled", "filled", "not sent"])
    )
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    gateway: ScriptedGateway = field(default_factory=ScriptedGateway)

    def __post_init__(self) -> None:
        self.gateway.on_place = self.place

    async def place(self, order: PlaceOrder) -> Outcome:
        fate = next(self.exits if order.reduce_only else self.entries, "filled")
        if fate == "refused":
            return DefiniteNo(RefusalKind.INSUFFICIENT_FUNDS, "-2019", "Margin is insufficient.")
        if fate == "not sent":
            return NotSent("no connection")
        if fate == "lost":
            self._execute(order, Quantity(order.quantity / 2), OrderStatus.CANCELED)
            return Unknown("no answer")
        return Accepted(self._execute(order, order.quantity, OrderStatus.FILLED))

    def _execute(self, order: PlaceOrder, quantity: Quantity, status: OrderStatus) -> OrderReport:
        order_id = f"v{order.client_order_id}"
        for part in (quantity / 2, quantity - quantity / 2):
            self.gateway.executions.append(
                Fill(
                    venue=VENUE,
                    symbol=BTC,
                    trade_id=str(next(self.numbers)),
                    order_id=order_id,
                    client_order_id=order.client_order_id,
                    side=order.side,
                    price=PRICE,
                    quantity=Quantity(part),
                    fee=Money(Decimal("0.05")),
                    realised_pnl=Money(Decimal("1.5") if order.reduce_only else Decimal(0)),
                    at=self.clock.now(),
                )
            )
        report = OrderReport(
            venue=VENUE,
            symbol=BTC,
            order_id=order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            status=status,
            quantity=order.quantity,
            executed=quantity,
            average_price=PRICE,
            reduce_only=order.reduce_only,
            at=self.clock.now(),
        )
        self.gateway.reports[order.client_order_id] = report
        return report


async def a_real_flow(engine: AsyncEngine) -> None:
    """Seven follows, one of them paused: an entry and a close with every kind of outcome; one close still waits at the end."""
    clock = FakeClock(datetime.now(UTC))
    venue, bell, metrics = Venue(clock), HeardBell(), Counts()
    book, gateways = PostgresExecutionBook(engine, clock), OneGateway(venue.gateway)
    quotes, venue_clock = FixedQuotes({BTC: instrument()}, PRICE), ClockOfVenue(clock)
    settler = Settler(book, bell, clock, metrics, _no_alarm)
    placer = Placer(gateways, book, settler, clock, metrics)
    copy = CopySignal(
        book=PostgresCopyBook(engine, Limits()), placer=placer, settler=settler, quotes=quotes,
        venue_clock=venue_clock, clock=clock, metrics=metrics, id_secret=b"a secret for ids", fences=lambda _: FENCE,
        venues=(VENUE,),
    )  # fmt: skip
    recover = Recover(
        absence=Absence(book, venue_clock, clock, lambda _: FENCE),
        book=book, gateways=gateways, placer=placer, settler=settler, quotes=quotes, venue_clock=venue_clock,
        clock=clock, metrics=metrics, id_secret=b"a secret for ids", fences=lambda _: FENCE,
    )  # fmt: skip
    settler.start()
    whale = await _cast(engine, clock, book)
    for action in (Action.OPEN, Action.CLOSE):
        await _serve(engine, clock, copy, make_signal(whale, clock.now(), action=action))
        for _ in range(2 if action is Action.OPEN else 1):
            clock.advance(SOON)
            await recover()
    await settler.stop()


async def _cast(engine: AsyncEngine, clock: FakeClock, book: PostgresExecutionBook) -> WhaleId:
    terms = CopyTerms(mode=CopyMode.FIXED_AMOUNT, value=Decimal(600))
    async with PostgresUnitOfWork(engine, clock) as unit:
        leader = await verified_account(unit, clock.now())
        whale = await unit.whales.add("Ahab", VENUE, leader.id, WhaleTier.STANDARD)
        made = [await verified_account(unit, clock.now()) for _ in range(7)]
        follows = [await unit.follows.add(one.user_id, whale.id, one.id, terms) for one in made]
        follows[-1].pause(clock.now())
        await unit.follows.save(follows[-1])
        await unit.commit()
    for one in made:
        await book.sync_wallet(one.id, Money(Decimal(10000)), clock.now())
    deposit = LedgerEntry(made[0].id, "TRANSFER:1", "DEPOSIT", Money(Decimal(25)), None, clock.now())
    await book.book_transfer(deposit)
    return whale.id


async def _serve(engine: AsyncEngine, clock: FakeClock, copy: CopySignal, signal: Signal) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        await unit.signals.add(signal)
        await unit.commit()
    async with PostgresUnitOfWork(engine, clock) as unit:
        claimed = await unit.signals.claim(clock.now(), timedelta(minutes=1), OWNER, list(Lane))
        assert claimed is not None
        await unit.commit()
    await copy(claimed, OWNER, _not_superseded)
    async with PostgresUnitOfWork(engine, clock) as unit:
        assert await unit.signals.finish(claimed.id, OWNER, SignalState.DONE)
        await unit.commit()


async def _not_superseded(_: Signal) -> bool:
    return False


def _no_alarm(reason: str, evidence: object) -> None:
    raise AssertionError(f"{reason}: {evidence}")
