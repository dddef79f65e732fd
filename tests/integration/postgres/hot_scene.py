"""A scene for the hot path on a real database: a leader, followers with funds, signals, and reading of what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.plan import plan_one
from app.application.trading.ports import Candidate, Prepared, Window
from app.domain.risk.limits import Limits
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Action, Fill, OrderReport, OrderStatus
from app.domain.shared.ids import AccountId, FollowId, SignalId, WhaleId, client_order_id
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.copying import LeaderTrade
from app.domain.trading.decision import Decision
from app.infrastructure.postgres.copy_book import PostgresCopyBook
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from app.infrastructure.postgres.schema import accounts, follows, funds
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.cast import make_whales
from tests.unit.domain.builders import BTC, D, instrument

OWNER = "this worker"
SECRET = b"a secret for client order ids"
LOOK_AT = START + timedelta(seconds=5)
MARKETS = {Venue.BINANCE_USDM: (BTC,)}
WINDOW = Window(signed_ms=epoch_ms(START), valid_ms=5000, look_at=LOOK_AT)


@dataclass
class HotScene:
    """Follow n belongs to account n of user n; all are created by `followers`."""

    engine: AsyncEngine
    clock: FakeClock
    platform: Limits = Limits()
    whale: WhaleId = WhaleId(0)
    seq: int = 0
    ids: list[tuple[FollowId, AccountId]] = field(default_factory=list)

    @property
    def copies(self) -> PostgresCopyBook:
        return PostgresCopyBook(self.engine, self.platform)

    @property
    def executions(self) -> PostgresExecutionBook:
        return PostgresExecutionBook(self.engine, self.clock)

    async def followers(self, number: int, wallet: str = "1000", value: str = "500", **more: Any) -> None:
        if not self.whale:
            [self.whale] = await make_whales(self.engine, self.clock, 1)
        async with self.engine.begin() as connection:
            user_ids = (
                await connection.execute(
                    text(
                        "INSERT INTO users (name, role, state) SELECT 'f' || n, 'FOLLOWER', 'ACTIVE'"
                        " FROM generate_series(1, :n) n RETURNING id"
                    ),
                    {"n": number},
                )
            ).scalars()
            owned = [
                {
                    "user_id": user,
                    "venue": Venue.BINANCE_USDM.value,
                    "label": "l",
                    "sealed": b"s",
                    "key_state": "VERIFIED",
                }
                for user in user_ids
            ]
            made = (
                await connection.execute(insert(accounts).returning(accounts.c.id, accounts.c.user_id), owned)
            ).all()
            await connection.execute(
                insert(funds),
                [{"account_id": a.id, "wallet": D(wallet), "high_water": D(wallet)} for a in made],
            )
            terms = {
                "whale_id": self.whale,
                "mode": "FIXED_AMOUNT",
                "value": D(value),
                "leverage_max": 10,
                "drift_max": D("0.005"),
                "sides": ["BUY", "SELL"],
                "symbols_allowed": [],
                "symbols_denied": [],
                "tiny": "SKIP",
                "tiny_factor_max": D(2),
                "state": "ACTIVE",
                **more,
            }
            rows = await connection.execute(
                insert(follows).returning(follows.c.id, follows.c.account_id),
                [{**terms, "user_id": a.user_id, "account_id": a.id} for a in made],
            )
            self.ids.extend((FollowId(row.id), AccountId(row.account_id)) for row in rows)

    async def signal(
        self,
        action: Action = Action.OPEN,
        sym: Symbol = BTC,
        *,
        scope: FollowId | None = None,
        owner: str = OWNER,
        whale: WhaleId | None = None,
    ) -> Signal:
        """Store a signal and claim it for `owner`."""
        self.seq += 1
        made = Signal(
            id=SignalId(UUID(int=self.seq)),
            source=SignalSource.LEADER,
            whale_id=whale or self.whale,
            venue=Venue.BINANCE_USDM,
            symbol=sym,
            action=action,
            side=Side.SELL if action.is_exit else Side.BUY,
            quantity=Quantity(D(1)),
            fraction=D(1),
            reference_price=Price(D(100)),
            priority=Priority.HIGH,
            leader_at=START,
            created_at=START,
            trace_id="t",
            expires_at=None if action.is_exit else START + timedelta(seconds=30),
            scope=scope,
        )
        async with PostgresUnitOfWork(self.engine, self.clock) as unit:
            assert await unit.signals.add(made)
            await unit.commit()
        await self.run(
            "UPDATE signals SET state = 'DISPATCHING', owner = :owner, lease_until = :until WHERE id = :id",
            owner=owner,
            until=START + timedelta(hours=1),
            id=made.id,
        )
        return made

    def plan(self, signal: Signal, found: Sequence[Candidate]) -> tuple[list[Prepared], list[Decision]]:
        trade = LeaderTrade(
            action=signal.action,
            side=signal.side,
            quantity=signal.quantity,
            fraction=signal.fraction,
            price=signal.reference_price,
            mark_price=signal.reference_price,
            instrument=instrument(sym=signal.symbol),
            equity=None,
            leverage=10,
        )
        prepared, decisions = [], []
        for one in found:
            order, made = plan_one(trade, one)
            if order is None:
                decisions.append(made)
                continue
            cid = client_order_id(SECRET, signal.id, order.follow_id, signal.leg, 0)
            prepared.append(
                Prepared(
                    trade.instrument,
                    order,
                    order.quantity,
                    one.follower.exit_pending,
                    one.follower.held,
                    made,
                    cid,
                    one.risk_version,
                    one.sealed,
                )
            )
        return prepared, decisions

    async def copy(self, signal: Signal, owner: str = OWNER) -> frozenset[FollowId]:
        """Snapshot, plan and commit once, as one round of the copier does."""
        prepared, decisions = self.plan(signal, await self.copies.snapshot(signal, START, MARKETS))
        return await self.copies.commit(signal, owner, prepared, decisions, WINDOW)

    async def run(self, sql: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def rows(self, sql: str, **values: object) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def value(self, sql: str, **values: object) -> Any:
        async with self.engine.connect() as connection:
            return await connection.scalar(text(sql), values)

    async def cids(self) -> list[str]:
        return [
            row[0]
            for row in await self.rows("SELECT client_order_id FROM orders ORDER BY follow_id, attempt")
        ]

    async def report(self, cid: str, status: OrderStatus, executed: str) -> OrderReport:
        async with self.executions.session() as session:
            stored = (await session.attempts([cid]))[cid]
        return OrderReport(
            venue=stored.venue,
            symbol=stored.symbol,
            order_id=f"v{cid}",
            client_order_id=cid,
            side=stored.side,
            status=status,
            quantity=stored.order_quantity,
            executed=Quantity(D(executed)),
            average_price=Price(D(100)),
            reduce_only=stored.reduce_only,
            at=START,
        )

    async def fill(self, cid: str, trade_id: str, quantity: str, fee: str = "0.05") -> Fill:
        told = await self.report(cid, OrderStatus.FILLED, "0")
        return Fill(
            venue=told.venue,
            symbol=told.symbol,
            trade_id=trade_id,
            order_id=told.order_id,
            client_order_id=cid,
            side=told.side,
            price=Price(D(100)),
            quantity=Quantity(D(quantity)),
            fee=Money(D(fee)),
            realised_pnl=Money(D(0)),
            at=START,
        )

    async def blocked_or_done(self, task: asyncio.Task[Any]) -> bool:
        """Wait until `task` has ended (True) or a session of this database waits for a lock (False)."""
        while not task.done():
            waiting = await self.value(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if waiting:
                return False
        return True

    async def money_adds_up(self) -> None:
        wrong = await self.rows(
            "SELECT m.account_id FROM funds m WHERE m.held <> coalesce("
            " (SELECT sum(t.hold_left) FROM trades t WHERE t.account_id = m.account_id), 0)"
            " OR m.margin <> coalesce((SELECT sum(p.margin) FROM positions p WHERE p.account_id = m.account_id), 0)"
            " OR m.held < 0 OR m.wallet - m.held - m.margin < 0"
        )
        assert wrong == []


def stale(prepared: Sequence[Prepared]) -> list[Prepared]:
    """What was planned on facts that are older than what is stored."""
    return [replace(item, risk_version=item.risk_version - 1) for item in prepared]
