"""The contract suite's world with the generic gateway in the venues' places."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.registry import VenuePool
from tests.contract.exchanges.cards import every_venue
from tests.contract.exchanges.conftest import MakePool, PlainVault, Trader, new_trader, venue_settings
from tests.contract.exchanges.conftest import simulator as contract_simulator
from tests.contract.exchanges.dialects import Dialect
from tests.contract.exchanges.test_streams import events as contract_events
from tests.integration.exchanges.simulated import GENERIC, LEFT_OUT, row
from tests.support.simulator import SimulatorProcess

simulator = contract_simulator
events = contract_events


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case that names a venue runs on each exchange that the simulator speaks and its card is for."""
    if "venue" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("card")
        needs = marker.args[1] if marker is not None else every_venue
        chosen = []
        for venue, (recipe, dialect) in GENERIC.items():
            can = replace(CAPABILITIES[venue], hedges=recipe.hedges, protects=False)
            if needs(can, dialect) and metafunc.function.__name__ not in LEFT_OUT.get(venue, {}):
                chosen.append(venue)
        metafunc.parametrize("venue", chosen, ids=lambda venue: f"generic-{venue.value}")


@pytest.fixture
def dialect(venue: Venue) -> Dialect:
    return GENERIC[venue][1]


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=3) as process:
        yield process


@pytest.fixture
async def make_pool(simulator: SimulatorProcess, venue: Venue) -> AsyncIterator[MakePool]:
    pools: list[VenuePool] = []

    def make(**change: object) -> VenuePool:
        settings = venue_settings(simulator, **change)
        pool = VenuePool({venue: settings}, PlainVault(), rows={venue: row(venue)})
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.close()


@pytest.fixture
async def pool(make_pool: MakePool) -> VenuePool:
    made = make_pool()
    await made.start()
    return made


@pytest.fixture
async def trader(pool: VenuePool, venue: Venue, simulator: SimulatorProcess) -> Trader:
    return await new_trader(pool, venue, simulator)
