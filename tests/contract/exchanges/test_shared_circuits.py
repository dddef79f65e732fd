"""The circuits that workers share, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from app.application.shared import ending
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.breaker import Breaker, CallClass, CircuitState
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import BreakerSettings, RetrySettings, VenueSettings
from app.infrastructure.redis.circuits import SharedCircuits
from app.infrastructure.redis.client import connect
from tests.contract.exchanges.conftest import PlainVault

NAME = "binance-usdm:default:EXIT"
SETTINGS = BreakerSettings(failures=3, open_s=5.0)
NOBODY = "http://127.0.0.1:1"
VENUE = Venue.BINANCE_USDM


class Worker:
    """One worker's circuit on a clock of the test's own, and its way to tell and hear."""

    def __init__(self, url: str) -> None:
        self.now = 100.0
        self.breaker = Breaker(SETTINGS, lambda: self.now)
        self.seen: list[CircuitState] = []
        self.redis = connect(url, timeout_s=0.5)
        self.shared = SharedCircuits(
            self.redis, {NAME: self.breaker}, lambda name, state: self.seen.append(state)
        )

    def call(self, *, fault: bool) -> bool:
        ticket = self.breaker.admit()
        if ticket is not None:
            self.breaker.record(ticket, fault=fault)
        return ticket is not None

    def fail(self) -> None:
        for _ in range(SETTINGS.failures):
            assert self.call(fault=True)


@pytest.fixture
async def make_worker() -> AsyncIterator[Callable[[str], Worker]]:
    async with AsyncExitStack() as stack:

        def make(url: str) -> Worker:
            worker = Worker(url)
            stack.push_async_callback(worker.redis.aclose)
            return worker

        yield make


async def until_forgotten(worker: Worker) -> None:
    async with asyncio.timeout(10):
        while await worker.redis.exists(f"circuit:{NAME}"):
            pass


async def test_one_opens_the_other_hears_and_it_closes_again(
    redis_url: str, make_worker: Callable[[str], Worker]
) -> None:
    finder, hearer = make_worker(redis_url), make_worker(redis_url)
    finder.fail()
    finder.now += 4.5  # it has been open for a while: the rest is what is told
    await finder.shared.exchange()
    await hearer.shared.exchange()
    assert not hearer.call(fault=False)
    assert 0 < hearer.breaker.opens_in_s <= 0.5
    await hearer.shared.exchange()  # what was heard is not told on
    await until_forgotten(finder)
    for worker in (finder, hearer):
        worker.now += 0.5
        assert worker.call(fault=False)
        await worker.shared.exchange()
    assert {finder.breaker.state, hearer.breaker.state} == {CircuitState.CLOSED}
    assert hearer.seen == [CircuitState.CLOSED, CircuitState.OPEN, CircuitState.CLOSED]


async def test_a_probe_that_fails_is_told_again(redis_url: str, make_worker: Callable[[str], Worker]) -> None:
    finder, hearer, third = (make_worker(redis_url) for _ in range(3))
    finder.fail()
    await finder.shared.exchange()
    await hearer.shared.exchange()
    hearer.now += 5
    assert hearer.call(fault=True)
    await finder.redis.flushdb()
    await hearer.shared.exchange()
    await third.shared.exchange()
    assert not third.call(fault=False)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", None])
async def test_without_valkey_each_worker_finds_out_for_itself(
    url: str | None, make_worker: Callable[[str], Worker], redis_url: str
) -> None:
    worker = make_worker(url or redis_url)
    if url is None:
        worker.shared = SharedCircuits(None, {NAME: worker.breaker})
    await worker.shared.exchange()
    assert worker.call(fault=False)
    worker.fail()
    await worker.shared.exchange()
    assert not worker.call(fault=False)
    worker.now += SETTINGS.open_s
    assert worker.call(fault=False)


async def test_they_stop_whatever_they_are_about(
    redis_url: str, make_worker: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_AGAIN_S", 0.01)
    worker = make_worker(redis_url)
    await worker.shared.exchange()
    for steps in range(30):  # the client loses a cancellation that meets the end of a wait
        worker.shared.start()
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await worker.shared.close()


def away(egress: str, **change: object) -> VenueSettings:
    """A venue that nobody serves."""
    return VenueSettings(
        base_url=NOBODY,
        ws_url=NOBODY.replace("http", "ws"),
        egress=egress,
        retry=RetrySettings(attempts=1),
        breaker=BreakerSettings(failures=3, open_s=60.0),
        **change,  # type: ignore[arg-type]  # a test names any field
    )


async def test_pools_on_one_address_share_what_one_of_them_found(redis_url: str) -> None:
    """The pool's own background job does it; a pool on another address asks the venue itself."""
    told: dict[str, CircuitState] = {}
    name, heard_of = f"{VENUE.value}:a:{CallClass.READ.value}", asyncio.Event()

    def tell(circuit: str, state: CircuitState) -> None:
        told[circuit] = state
        if (circuit, state) == (name, CircuitState.OPEN):
            heard_of.set()

    async with AsyncExitStack() as stack:

        async def pool(egress: str, seen: Callable[[str, CircuitState], None]) -> VenuePool:
            client = connect(redis_url)
            stack.push_async_callback(client.aclose)
            made = VenuePool({VENUE: away(egress)}, PlainVault(), client, circuit_seen=seen)
            stack.push_async_callback(made.close)
            return made

        finder = await pool("a", lambda name, state: None)
        hearer = await pool("a", tell)
        elsewhere = await pool("b", lambda name, state: None)
        for _ in range(3):
            with pytest.raises(VenueUnavailable):
                await balance(finder)
        with pytest.raises(VenueUnavailable) as refused:
            await balance(finder)
        assert refused.value.code == "circuit_open"
        for made in (finder, hearer, elsewhere):
            made._circuits.start()  # without `start`, whose own calls would find out as well
        async with asyncio.timeout(10):
            await heard_of.wait()
        with pytest.raises(VenueUnavailable) as heard:
            await balance(hearer)
        assert heard.value.code == "circuit_open"
        assert told[f"{VENUE.value}:a:{CallClass.EXIT.value}"] is CircuitState.CLOSED
        with pytest.raises(VenueUnavailable) as own:
            await balance(elsewhere)
        assert own.value.code == "venue_unavailable"


async def balance(pool: VenuePool) -> object:
    clock = pool.clock(VENUE)
    clock._read = _noon
    await clock.sample()
    return await pool.gateway(AccountId(1), VENUE, b"key:secret:").balance()


async def _noon() -> int:
    return 1_700_000_000_000
