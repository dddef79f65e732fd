"""The program's own copier, settler and recovery on a real database, for the machine: one call is one step of one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.absence import Absence
from app.application.trading.audit import AuditBounds
from app.application.trading.copy_signal import CopySignal
from app.application.trading.evidence import Evidence
from app.application.trading.place import Placer, ToSend
from app.application.trading.ports import Window
from app.application.trading.recover import Recover
from app.application.trading.settle import Settler
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, ClientOrderId, SignalId
from app.domain.shared.market import Instrument
from app.domain.signals.signal import Signal
from app.infrastructure.postgres.schema import metadata
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import FakeClock
from tests.fakes.venue import ClockOfVenue, Counts, FixedQuotes, HeardBell
from tests.integration.postgres.hot_scene import MARKETS, OWNER, SECRET, HotScene
from tests.integration.postgres.machine_venue import MachineVenue
from tests.integration.postgres.quick_audit import offenders
from tests.unit.domain.builders import BTC, instrument

VALIDITY = timedelta(seconds=5)
TTL = timedelta(seconds=30)
# One statement for all tables: keys between them are checked at its end.
_EMPTY = text(
    "WITH "
    + ", ".join(f"_{n} AS (DELETE FROM {table.name})" for n, table in enumerate(metadata.sorted_tables))
    + " SELECT 1"
)
KNOWN_WAITS = frozenset({"absent-and-held", "unsettled-too-long", "in-doubt-too-long", "deferred-too-long"})


class Hand(Placer):
    """Where a worker keeps what it has committed and not sent yet."""

    def __init__(self) -> None:
        self.orders: list[tuple[AccountId, PlaceOrder]] = []

    async def send(
        self, instrument: Instrument, orders: Sequence[ToSend], window: Window, leader_at: datetime | None
    ) -> None:
        self.orders.extend(
            (
                order.account_id,
                PlaceOrder(
                    instrument=instrument,
                    side=order.side,
                    quantity=order.quantity,
                    reduce_only=order.reduce_only,
                    client_order_id=order.client_order_id,
                    signed_ms=window.signed_ms,
                    valid_ms=window.valid_ms,
                ),
            )
            for order in orders
        )


class MachineScene:
    """Two followers of one leader; everything that happens to their rows happens by the program's own code."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.clock = FakeClock(datetime.now(UTC))
        self.scene = HotScene(engine, self.clock)
        self.venue = MachineVenue(self.clock)
        self.in_hand: list[tuple[AccountId, PlaceOrder]] = []
        self.alarms: list[str] = []
        self.engine = engine
        self.fence = FenceRule(
            validity=VALIDITY, engine_timeout=timedelta(0), answers=2, clock_error=timedelta(seconds=1)
        )

    @classmethod
    async def made(cls, engine: AsyncEngine) -> MachineScene:
        """Empty the database and set the scene."""
        async with engine.begin() as connection:
            await connection.execute(_EMPTY)
        scene = cls(engine)
        await scene.scene.followers(2)
        await scene.scene.run(
            "INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)"
            " SELECT account_id, 'first', 'DEPOSIT', wallet, now() FROM funds"
        )
        return scene

    async def signal(self, action: Action, workers: int) -> None:
        """The leader acts; so many workers copy it at the same time. What is theirs to send is in hand."""
        made = await self.scene.signal(action)
        expires_at = None if action.is_exit else self.clock.now() + TTL
        await self.serve(replace(made, expires_at=expires_at), workers)

    async def serve(self, signal: Signal, workers: int = 1) -> None:
        """Let workers copy the signal at the same time: the program's own copier, which hands over what it would send."""
        await self.scene.run(
            "UPDATE signals SET state = 'DISPATCHING', owner = :owner, expires_at = :expires_at WHERE id = :id",
            owner=OWNER,
            expires_at=signal.expires_at,
            id=signal.id,
        )
        hands = [Hand() for _ in range(workers)]
        done = await asyncio.gather(*(self._copier(hand)(signal, OWNER, self._superseded) for hand in hands))
        ours = [order for hand in hands for order in hand.orders]
        assert len({order.client_order_id for _, order in ours}) == len(ours), "two workers send one order"
        self.in_hand.extend(ours)
        state = "DONE" if any(result.complete for result in done) else "PENDING"
        await self.scene.run("UPDATE signals SET state = :state WHERE id = :id", id=signal.id, state=state)

    def _copier(self, hand: Hand) -> CopySignal:
        settler = self._settler()
        return CopySignal(
            book=self.scene.copies,
            placer=hand,
            settler=settler,
            quotes=FixedQuotes({BTC: instrument()}),
            venue_clock=ClockOfVenue(self.clock),
            clock=self.clock,
            metrics=Counts(),
            id_secret=SECRET,
            fences=lambda _: self.fence,
            venues=tuple(MARKETS),
        )

    async def _superseded(self, signal: Signal) -> bool:
        async with PostgresUnitOfWork(self.engine, self.clock) as work:
            return await work.signals.superseded(signal)

    async def send(self, which: int) -> None:
        """A worker sends what it has in hand, however late, and tells of the answer later."""
        account, asked = self.in_hand.pop(which)
        self.venue.answered(asked, self.venue.take(account, asked))

    async def book(self, *batch: Evidence) -> None:
        """One worker's settler books a batch."""
        settler = self._settler()
        settler.start()
        for piece in batch:
            settler.submit(piece)
        await settler.stop()

    async def recover(self, workers: int = 1) -> None:
        """`workers` recover at the same time."""
        await asyncio.gather(*(self._recover() for _ in range(workers)))

    async def _recover(self) -> None:
        book, settler, metrics = self.scene.executions, self._settler(), Counts()
        settler.start()
        venue_clock = ClockOfVenue(self.clock)
        await Recover(
            absence=Absence(book, venue_clock, self.clock, lambda _: self.fence),
            book=book,
            gateways=self.venue,
            placer=Placer(self.venue, book, settler, self.clock, metrics),
            settler=settler,
            quotes=FixedQuotes({BTC: instrument()}),
            venue_clock=venue_clock,
            clock=self.clock,
            metrics=metrics,
            id_secret=SECRET,
            fences=lambda _: self.fence,
        )()
        await settler.stop()

    def _settler(self) -> Settler:
        return Settler(
            self.scene.executions, HeardBell(), self.clock, Counts(), lambda why, _: self.alarms.append(why)
        )

    async def serve_again(self) -> int:
        """Serve what waits: signals put back in line because a decision on them was deferred."""
        await self.scene.executions.deferred(100)
        waiting = await self.scene.rows("SELECT id FROM signals WHERE state = 'PENDING' ORDER BY seq")
        for row in waiting:
            async with PostgresUnitOfWork(self.engine, self.clock) as work:
                signal = await work.signals.get(SignalId(row.id))
            await self.serve(signal)
        return len(waiting)

    async def wrong(self) -> dict[str, str | None]:
        """What the audit finds that is not a wait."""
        found = await offenders(self.engine, AuditBounds())
        return {name: example for name, example in found.items() if name not in KNOWN_WAITS}

    async def unlike_the_venue(self) -> Sequence[str]:
        """Where books and venue differ once everything was told."""
        differ = []
        for follow, account in self.scene.ids:
            held = await self.scene.value(
                "SELECT coalesce(sum(quantity), 0) FROM positions WHERE follow_id = :f", f=follow
            )
            if held != self.venue.net(account):
                differ.append(f"follow {follow} holds {held}, the venue {self.venue.net(account)}")
        booked = set(await self.scene.rows("SELECT trade_id FROM fills"))
        done = {fill.trade_id for order in self.venue.orders.values() for fill in order.fills}
        differ.extend(f"fill {trade_id}" for trade_id in done ^ {str(row[0]) for row in booked})
        wallets = await self.scene.value("SELECT sum(wallet) FROM funds")
        paid = sum(f.realised_pnl - f.fee for o in self.venue.orders.values() for f in o.fills)
        if wallets != 1000 * len(self.scene.ids) + paid:
            differ.append(f"wallets {wallets}, paid {paid}")
        return differ

    def show(self, client_order_id: ClientOrderId) -> None:
        self.venue.orders[client_order_id].visible = True

    async def is_calm(self) -> bool:
        """Whether nothing is held, waits or was deferred."""
        calm: bool = await self.scene.value(
            "SELECT NOT EXISTS (SELECT FROM funds WHERE held <> 0) AND NOT EXISTS (SELECT FROM trades WHERE NOT settled)"
        )
        return calm
