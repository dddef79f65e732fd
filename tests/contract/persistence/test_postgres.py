"""The contract of persistence, held by PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.events import Event
from app.domain.shared.market import Symbol
from app.domain.users.follow import Follow
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.postgres.event_codec import decode
from app.infrastructure.postgres.schema import outbox, positions, trades
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.people_contract import PeopleContract
from tests.contract.persistence.signals_contract import SignalsContract
from tests.contract.persistence.unit_contract import LeaderBookContract, UnitContract
from tests.contract.persistence.world import VENUE, some_signal_id
from tests.fakes.clock import FakeClock


class PostgresWorld:
    def __init__(self, engine: AsyncEngine) -> None:
        self.clock = FakeClock()
        self._engine = engine

    def unit(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self._engine, self.clock)

    async def news(self) -> Sequence[tuple[Event, str]]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(outbox).order_by(outbox.c.id))
            return [(decode(row.name, row.payload), row.trace_id) for row in rows]

    async def hold(self, follow: Follow, sym: Symbol, quantity: Decimal) -> None:
        values = {"quantity": quantity, "cost": abs(quantity)}
        key = {"account_id": follow.account_id, "symbol": sym, "follow_id": follow.id}
        statement = upsert(positions).values(**key, **values)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))

    async def start_trade(self, follow: Follow, sym: Symbol) -> None:
        statement = insert(trades).values(
            follow_id=follow.id,
            signal_id=some_signal_id(),
            leg="ENTRY",
            account_id=follow.account_id,
            venue=VENUE.value,
            symbol=sym,
            side="BUY",
            reduce_only=False,
            quantity=Decimal(1),
            leverage=1,
            reference_price=Decimal(1),
            hold=Decimal(1),
            hold_left=Decimal(1),
            state="WORKING",
            attempt=0,
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[PostgresWorld]:
    engine = make_engine(database_dsn, pool_size=4, application_name="copytrade tests")
    yield PostgresWorld(engine)
    await engine.dispose()


class TestPeople(PeopleContract):
    pass


class TestUnit(UnitContract):
    pass


class TestLeaderBook(LeaderBookContract):
    pass


class TestSignals(SignalsContract):
    pass
