"""The gateway port, over HTTP against the simulated exchange; what it counted is the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    NotSent,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueUnavailable,
)
from app.domain.exchanges.requests import OrderType, PlaceOrder
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.infrastructure.exchanges import reasons
from tests.contract.exchanges.conftest import BTC, MakePool, Trader, new_trader
from tests.contract.exchanges.dialects import DIALECTS, Dialect
from tests.support.simulator import SimulatorProcess


def orders_at(simulator: SimulatorProcess, trader: Trader) -> int:
    return len(simulator.operator.ledger("orders", trader.account_id))


def test_every_venue_has_its_dialect() -> None:
    assert set(DIALECTS) == set(Venue)


async def test_a_market_order_is_filled_booked_and_shown(trader: Trader, dialect: Dialect) -> None:
    placed = trader.order()
    got = await trader.gateway.place(placed)
    assert isinstance(got, Accepted)
    found = await trader.settled(placed)
    assert (found.status, found.executed) == (OrderStatus.FILLED, quantity("0.01"))
    assert found.order_id == got.report.order_id
    told = (got.report.status, got.report.executed, got.report.average_price)
    if dialect.acknowledges_first:
        assert told == (OrderStatus.OPEN, quantity(0), None)
    else:
        assert told == (found.status, found.executed, found.average_price)
    fills = await trader.gateway.fills(trader.instrument, order_id=got.report.order_id)
    assert sum(fill.quantity for fill in fills) == quantity("0.01")
    (position,) = await trader.gateway.positions()
    assert (position.symbol, position.quantity) == (BTC, quantity("0.01"))
    balance = await trader.gateway.balance()
    assert balance.available < balance.wallet < 10_000


async def test_a_reduce_only_exit_closes_and_a_second_one_finds_nothing(trader: Trader) -> None:
    await trader.fill()
    assert (await trader.fill(Side.SELL, reduce_only=True)).reduce_only
    assert await trader.gateway.positions() == []
    again = await trader.gateway.place(trader.order(Side.SELL, reduce_only=True))
    assert isinstance(again, DefiniteNo)
    assert again.kind is RefusalKind.NOTHING_TO_REDUCE


async def test_a_limit_order_rests_and_is_cancelled(trader: Trader) -> None:
    plain = trader.order()
    resting = PlaceOrder(
        plain.instrument, Side.BUY, quantity("0.010"), False, plain.client_order_id, plain.signed_ms, plain.valid_ms,
        OrderType.LIMIT, price("63000"),
    )  # fmt: skip
    assert isinstance(await trader.gateway.place(resting), Accepted)
    assert [row.client_order_id for row in await trader.gateway.open_orders()] == [plain.client_order_id]
    assert [row.client_order_id for row in await trader.gateway.open_orders(trader.instrument)] == [
        plain.client_order_id
    ]
    duplicate = await trader.gateway.place(resting)
    assert isinstance(duplicate, Duplicate)
    report = await trader.gateway.cancel(trader.instrument, plain.client_order_id)
    assert report is not None
    assert (await trader.settled(resting)).status is OrderStatus.CANCELED
    assert await trader.gateway.open_orders() == []


async def test_what_an_exit_earned_is_told_with_its_fill(trader: Trader, simulator: SimulatorProcess) -> None:
    await trader.fill()
    simulator.operator.set_prices(BTCUSDT="64100.0")
    await trader.fill(Side.SELL, reduce_only=True)
    entry, exit_ = await trader.gateway.fills(trader.instrument)
    assert entry.realised_pnl == 0
    assert exit_.realised_pnl == (exit_.price - entry.price) * quantity("0.010")
    spent = entry.fee + exit_.fee
    assert (await trader.gateway.balance()).wallet == 10_000 + exit_.realised_pnl - spent


async def test_an_order_that_nobody_placed_is_none(trader: Trader) -> None:
    nobody = ClientOrderId("c-nobody")
    assert await trader.gateway.order(trader.instrument, nobody) is None
    assert await trader.gateway.cancel(trader.instrument, nobody) is None


@pytest.mark.parametrize(
    ("kind", "more"),
    [("http_status", {"status": 500}), ("garbage", {}), ("empty", {}), ("html", {}), ("timeout_before", {})],
)
async def test_an_error_is_never_taken_for_an_absent_order(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, kind: str, more: dict[str, object]
) -> None:
    simulator.operator.add_fault(dialect.look_up, kind, **more)
    with pytest.raises(VenueUnavailable):
        await trader.gateway.order(trader.instrument, ClientOrderId("c-nobody"))


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("timeout_after", {}), ("reset_after", {}), ("http_status", {"status": 503, "executes": True}),
        ("http_status", {"status": 408, "executes": True}), ("garbage", {"executes": True}),
        ("empty", {"executes": True}), ("html", {"executes": True}),
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


@pytest.mark.parametrize("kind", ["reset_before", "timeout_before"])
async def test_a_request_lost_on_its_way_is_unknown_too_and_is_not_sent_again(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, kind: str
) -> None:
    simulator.operator.add_fault(dialect.create, kind, times=1, account_id=trader.account_id)
    placed = trader.order()
    assert isinstance(await trader.gateway.place(placed), Unknown)
    assert await trader.gateway.order(trader.instrument, placed.client_order_id) is None
    assert orders_at(simulator, trader) == 0


async def test_a_visibility_lag_shows_as_absent_though_the_order_lives(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(visibility_lag_ms=60_000)
    placed = trader.order()
    assert isinstance(await trader.gateway.place(placed), Accepted)
    assert await trader.gateway.order(trader.instrument, placed.client_order_id) is None


async def test_an_order_whose_window_is_over_is_not_sent(trader: Trader, simulator: SimulatorProcess) -> None:
    got = await trader.gateway.place(trader.order(age_ms=5001))
    assert isinstance(got, NotSent)
    assert reasons.says(got.reason, reasons.DEADLINE_PASSED)
    assert orders_at(simulator, trader) == 0


async def test_the_venue_refuses_what_reaches_it_too_late(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(clock_skew_ms=60_000)
    got = await trader.gateway.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.CLOCK
    assert orders_at(simulator, trader) == 0


async def test_no_free_connection_within_the_window_means_not_sent(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    import asyncio

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


async def test_a_venue_that_cannot_be_reached_means_not_sent(venue: Venue) -> None:
    from tests.contract.exchanges.conftest import PlainVault, venue_settings

    simulator = SimulatorProcess(seed=4).start()
    from app.infrastructure.exchanges.registry import VenuePool

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
            await trader.gateway.balance()
    finally:
        simulator.stop()
        await pool.close()


async def test_what_the_venue_forbids_is_refused_with_its_code(trader: Trader, dialect: Dialect) -> None:
    stranger = trader.pool.gateway(AccountId(999_999), trader.venue, b"unknownkey:secret")
    with pytest.raises(VenueRefused) as refusal:
        await stranger.balance()
    assert (refusal.value.kind, refusal.value.venue_code) == (RefusalKind.KEY, dialect.unknown_key)
    got = await stranger.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.KEY
    poor = await trader.gateway.place(trader.order(size="100"))
    assert isinstance(poor, DefiniteNo)
    assert poor.kind is RefusalKind.INSUFFICIENT_FUNDS
    tiny = await trader.gateway.place(trader.order(size="0.001"))
    assert isinstance(tiny, DefiniteNo)
    assert tiny.kind is RefusalKind.FILTER


async def test_leverage_is_what_the_venue_confirmed(trader: Trader) -> None:
    assert await trader.gateway.set_leverage(trader.instrument, 7) == 7
    assert await trader.gateway.set_leverage(trader.instrument, 7) == 7  # no change is no refusal
    with pytest.raises(VenueRefused):
        await trader.gateway.set_leverage(trader.instrument, 1000)


async def test_the_rights_of_a_key_are_told(trader: Trader) -> None:
    facts = await trader.gateway.key_facts()
    assert (facts.can_trade, facts.can_withdraw) == (True, False)


async def test_funding_is_told_since_a_time(trader: Trader, simulator: SimulatorProcess) -> None:
    await trader.fill()
    simulator.operator.post("/sim/funding", {"symbol": "BTCUSDT", "rate": "0.0001"})
    since = datetime.now(UTC) - timedelta(days=1)
    (payment,) = await trader.gateway.funding(since)
    assert (payment.symbol, payment.amount < 0) == (BTC, True)
    assert await trader.gateway.funding(datetime.now(UTC) + timedelta(hours=1)) == []


async def test_fills_since_long_ago_are_told_once_each_oldest_first(trader: Trader) -> None:
    for _ in range(3):
        await trader.fill()
    fills = await trader.gateway.fills(trader.instrument, since=datetime.now(UTC) - timedelta(days=20))
    assert len({fill.trade_id for fill in fills}) == len(fills) == 3
    assert [fill.at for fill in fills] == sorted(fill.at for fill in fills)
    assert [fill.trade_id for fill in fills] == sorted(fill.trade_id for fill in fills)  # they count upwards


async def test_no_secret_shows_in_logs_or_errors(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    simulator.operator.add_fault(dialect.balance, "reset_before")
    with pytest.raises(VenueUnavailable) as error:
        await trader.gateway.balance()
    key, secret = trader.sealed.decode().split(":")
    seen = caplog.text + repr(error.value) + repr(error.value.context) + repr(error.value.__cause__)
    assert key not in seen
    assert secret not in seen
    assert "signature" not in seen
