"""The program's own copier, settler and recovery on a real database, for the machine: one call is one step of one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.absence import Absence
from app.application.trading.audit import AuditBounds
from app.application.trading.evidence import Evidence
from app.application.trading.place import Placer
from app.application.trading.ports import Window
from app.application.trading.recover import Recover
from app.application.trading.settle import Settler
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Action
from app.domain.shared.ids import ClientOrderId, SignalId
from app.domain.signals.signal import Signal
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.engine import make_engine
from tests.fakes.clock import FakeClock
from tests.fakes.venue import ClockOfVenue, Counts, FixedQuotes, HeardBell
from tests.integration.postgres.hot_scene import MARKETS, OWNER, SECRET, HotScene
from tests.integration.postgres.machine_venue import MachineVenue
from tests.unit.domain.builders import BTC, D, instrument

VALIDITY = timedelta(seconds=5)
TTL = timedelta(seconds=30)
KNOWN_WAITS = frozenset({"absent-and-held", "unsettled-too-long", "in-doubt-too-long", "deferred-too-long"})


class MachineScene:
    """Two followers of one leader; everything that happens to their rows happens by the program's own code."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.clock = FakeClock(datetime.now(UTC))
        self.scene = HotScene(engine, self.clock)
        self.venue = MachineVenue(self.clock)
        self.signals: dict[SignalId, Signal] = {}
        self.in_hand: list[PlaceOrder] = []
        self.alarms: list[str] = []
        self.engine = engine
        self.fence = FenceRule(
            validity=VALIDITY, engine_timeout=timedelta(0), answers=2, clock_error=timedelta(seconds=1)
        )

    @classmethod
    async def made(cls, dsn: str) -> MachineScene:
        """Empty the database and set the scene."""
        engine = make_engine(dsn, pool_size=4, application_name="tests")
        async with engine.begin() as connection:
            names = await connection.scalars(
                text(
                    "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
                    " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
                )
            )
            await connection.execute(text(f"TRUNCATE {names.one()} RESTART IDENTITY CASCADE"))
        scene = cls(engine)
        await scene.scene.followers(2)
        await scene.scene.run(
            "INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)"
            " SELECT account_id, 'first', 'DEPOSIT', wallet, now() FROM funds"
        )
        return scene

    async def signal(self, action: Action, commits: int) -> None:
        """The leader acts; `commits` workers decide and commit at the same time. What is theirs to send is in hand."""
        made = await self.scene.signal(action)
        expires_at = None if action.is_exit else self.clock.now() + TTL
        await self.scene.run("UPDATE signals SET expires_at = :at WHERE id = :id", at=expires_at, id=made.id)
        self.signals[made.id] = made
        await self.serve(made, commits)

    async def serve(self, signal: Signal, commits: int = 1) -> None:
        await self.scene.run(
            "UPDATE signals SET state = 'DISPATCHING', owner = :owner WHERE id = :id",
            owner=OWNER,
            id=signal.id,
        )
        sent = await asyncio.gather(*(self._commit(signal) for _ in range(commits)))
        ours = [order for orders in sent for order in orders]
        assert len({order.client_order_id for order in ours}) == len(ours), "two workers send one order"
        self.in_hand.extend(ours)
        await self.scene.run("UPDATE signals SET state = 'DONE' WHERE id = :id", id=signal.id)

    async def _commit(self, signal: Signal) -> list[PlaceOrder]:
        found = await self.scene.copies.snapshot(signal, self.clock.now(), MARKETS)
        prepared, decisions = self.scene.plan(signal, found)
        window = Window(epoch_ms(self.clock.now()), 5000, self.clock.now() + VALIDITY)
        ours = await self.scene.copies.commit(signal, OWNER, prepared, decisions, window)
        return [
            PlaceOrder(
                instrument=instrument(sym=BTC),
                side=item.order.side,
                quantity=item.first_quantity,
                reduce_only=item.order.reduce_only,
                client_order_id=item.client_order_id,
                signed_ms=window.signed_ms,
                valid_ms=window.valid_ms,
            )
            for item in prepared
            if item.order.follow_id in ours
        ]

    async def send(self, which: int) -> None:
        """A worker sends what it has in hand, however late, and tells of the answer later."""
        asked = self.in_hand.pop(which)
        account = await self.scene.value(
            "SELECT account_id FROM orders WHERE client_order_id = :cid", cid=asked.client_order_id
        )
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
        waiting = await self.scene.rows("SELECT id FROM signals WHERE state = 'PENDING'")
        for row in waiting:
            await self.serve(self.signals[SignalId(row.id)])
        return len(waiting)

    async def wrong(self) -> dict[str, str | None]:
        """What the audit finds that is not a wait."""
        findings = await PostgresAuditor(self.engine).findings(AuditBounds())
        return {f.name: f.example for f in findings if not f.is_clean and f.name not in KNOWN_WAITS}

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

    async def unsettled(self) -> int:
        number: int = await self.scene.value("SELECT count(*) FROM trades WHERE NOT settled")
        return number

    def show(self, client_order_id: ClientOrderId) -> None:
        self.venue.orders[client_order_id].visible = True

    async def is_calm(self) -> bool:
        """Whether nothing is held, waits or was deferred."""
        held = await self.scene.value("SELECT sum(held) FROM funds")
        return held == D(0) and not await self.unsettled()
