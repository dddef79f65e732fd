"""A real simulator process for the module's tests, one of its own where a test changes its settings, and traders."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.client import Trader
from tests.support.simulator import SimulatorProcess

MakeTrader = Callable[..., Trader]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=11) as process:
        yield process


@pytest.fixture
def simulator(shared_simulator: SimulatorProcess) -> Iterator[SimulatorProcess]:
    """The module's simulator with default settings, prices and no faults; accounts of earlier tests stay."""
    operator = shared_simulator.operator
    operator.set_prices(BTCUSDT="64000.0")
    yield shared_simulator
    operator.clear_faults()
    operator.settings(visibility_lag_ms=0, latency_ms=0, client_id_uniqueness="venue", clock_skew_ms=0)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def make_trader(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> MakeTrader:
    def make(process: SimulatorProcess = simulator, **account: Any) -> Trader:
        label = account.pop("label", f"trader-{next(_numbers)}")
        row = process.operator.open_account(label, **account)
        return Trader(
            session, process.base_url, process.ws_url, row["account_id"], row["api_key"], row["api_secret"]
        )

    return make


@pytest.fixture
def trader(make_trader: MakeTrader) -> Trader:
    return make_trader()
