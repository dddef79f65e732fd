"""A leader to watch, and a store that knows it."""

from __future__ import annotations

from app.domain.shared.ids import AccountId, WhaleId
from app.domain.whales.whale import Whale, WhaleTier
from tests.contract.persistence.world import VENUE
from tests.fakes.memory_people import WHALES
from tests.fakes.memory_store import Store, Transaction


def make_whale() -> Whale:
    return Whale(WhaleId(1), "leader", VENUE, AccountId(1), WhaleTier.STANDARD)


def store_with_leader() -> Store:
    store = Store()
    transaction = Transaction(store)
    transaction.put(WHALES, WhaleId(1), make_whale())
    transaction.commit([])
    return store
