"""The contract of persistence, held by the fakes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from app.domain.shared.events import Event
from app.domain.shared.market import Symbol
from app.domain.users.follow import Follow
from tests.contract.persistence.people_contract import PeopleContract
from tests.contract.persistence.signals_contract import SignalsContract
from tests.contract.persistence.unit_contract import LeaderBookContract, UnitContract
from tests.fakes.clock import FakeClock
from tests.fakes.memory_people import POSITIONS, WORKING
from tests.fakes.memory_store import Store, Transaction
from tests.fakes.memory_unit import MemoryUnitOfWork


class MemoryWorld:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self._store = Store()

    def unit(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self._store)

    async def news(self) -> Sequence[tuple[Event, str]]:
        return self._store.news

    async def hold(self, follow: Follow, sym: Symbol, quantity: Decimal) -> None:
        transaction = Transaction(self._store)
        transaction.put(POSITIONS, (follow.id, sym), quantity)
        transaction.commit([])

    async def start_trade(self, follow: Follow, sym: Symbol) -> None:
        transaction = Transaction(self._store)
        transaction.put(WORKING, (follow.id, sym), True)
        transaction.commit([])


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


class TestPeople(PeopleContract):
    pass


class TestUnit(UnitContract):
    pass


class TestLeaderBook(LeaderBookContract):
    pass


class TestSignals(SignalsContract):
    pass
