"""What can happen on the way to a venue: lost, late, mangled. Never a second order, never a false absence."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    NotSent,
    RefusalKind,
    Unknown,
    VenueUnavailable,
)
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Venue
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.registry import VenuePool
from tests.contract.exchanges.cards import card
from tests.contract.exchanges.conftest import MakePool, PlainVault, Trader, new_trader, venue_settings
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess


def orders_at(simulator: SimulatorProcess, trader: Trader) -> int:
    return len(simulator.operator.ledger("orders", trader.account_id))


@card("WAY-01")
@pytest.mark.parametrize(
    ("kind", "more"),
    [("http_status", {"status": 500}), ("garbage", {}), ("empty", {}), ("html", {}), ("timeout_before", {})],
)
async def test_an_error_is_never_taken_for_an_absent_order(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, kind: str, more: dict[str, object]
) -> None:
    simulator.operator.add_fault(dialect.look_up, kind, **more)
    with pytest.raises(VenueUnavailable):
        await trader.gateway.order(trader.instrument, ClientOrderId("c" + "0" * 26))


@card("WAY-02")
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("timeout_after", {}), ("reset_after", {}), ("http_status", {"status": 503, "executes": True}),
        ("http_status", {"status": 408, "executes": True}), ("garbage", {"executes": True}),
        ("empty", {"executes": True}), ("html", {"executes": True}), ("reset_midway", {"executes": True}),
    ],
)  # fmt: skip
async def test_a_lost_reply_is_unknown_and_the_order_is_found_by_its_id(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, kind: str, more: dict[str, object]
) -> None:
    simulator.operator.add_fault(dialect.create, kind, times=1, account_id=trader.account_id, **more)
    placed = trader.order()
    assert isinstance(await trader.gateway.place(placed), Unknown)
    assert (await trader.settled(placed)).status is OrderStatus.FILLED
    assert orders_at(simulator, trader) == 1


@card("WAY-03")
@pytest.mark.parametrize("kind", ["reset_before", "timeout_before"])
async def test_a_request_lost_on_its_way_is_unknown_too_and_is_not_sent_again(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, kind: str
) -> None:
    simulator.operator.add_fault(dialect.create, kind, times=1, account_id=trader.account_id)
    placed = trader.order()
    assert isinstance(await trader.gateway.place(placed), Unknown)
    assert await trader.gateway.order(trader.instrument, placed.client_order_id) is None
    assert orders_at(simulator, trader) == 0


@card("WAY-04")
async def test_a_visibility_lag_shows_as_absent_though_the_order_lives(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(visibility_lag_ms=60_000)
    placed = trader.order()
    assert isinstance(await trader.gateway.place(placed), Accepted)
    assert await trader.gateway.order(trader.instrument, placed.client_order_id) is None


@card("WAY-05")
async def test_an_order_whose_window_is_over_is_not_sent(trader: Trader, simulator: SimulatorProcess) -> None:
    got = await trader.gateway.place(trader.order(age_ms=5001))
    assert isinstance(got, NotSent)
    assert reasons.says(got.reason, reasons.DEADLINE_PASSED)
    assert orders_at(simulator, trader) == 0


@card("WAY-06")
async def test_the_venue_refuses_what_reaches_it_too_late(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(clock_skew_ms=60_000)
    got = await trader.gateway.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.CLOCK
    assert orders_at(simulator, trader) == 0


@card("WAY-07")
async def test_no_free_connection_within_the_window_means_not_sent(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    pool = make_pool(connections=1, connections_warm=1, order_timeout_s=3.0)
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    simulator.operator.add_fault(dialect.create, "slow_reply", ms=600, times=1, account_id=trader.account_id)
    first, second = await asyncio.gather(
        trader.gateway.place(trader.order()), trader.gateway.place(trader.order(valid_ms=200))
    )
    assert isinstance(first, Accepted)
    assert isinstance(second, NotSent)
    assert reasons.says(second.reason, reasons.DEADLINE_PASSED)
    assert orders_at(simulator, trader) == 1


@card("WAY-08")
async def test_a_venue_that_cannot_be_reached_means_not_sent(venue: Venue) -> None:
    simulator = SimulatorProcess(seed=4).start()
    pool = VenuePool({venue: venue_settings(simulator)}, PlainVault())
    try:
        await pool.start()
        trader = await new_trader(pool, venue, simulator)
        simulator.stop()
        got = await trader.gateway.place(trader.order())
        while isinstance(got, Unknown):  # an idle connection was found open once more: nobody can say
            got = await trader.gateway.place(trader.order())
        assert isinstance(got, NotSent)
        assert reasons.says(got.reason, reasons.UNREACHABLE)
        with pytest.raises(VenueUnavailable):
            await trader.wallet()
    finally:
        simulator.stop()
        await pool.close()


@card("WAY-09")
async def test_no_secret_shows_in_logs_or_errors(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    simulator.operator.add_fault(dialect.balance, "reset_before")
    with pytest.raises(VenueUnavailable) as error:
        await trader.wallet()
    key, secret, _ = trader.sealed.decode().split(":")
    seen = caplog.text + repr(error.value) + repr(error.value.context) + repr(error.value.__cause__)
    assert key not in seen
    assert secret not in seen
    assert "signature" not in seen
