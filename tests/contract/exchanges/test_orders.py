"""Placing, finding and cancelling orders over HTTP against the simulated exchange; what it counted is the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, RefusalKind
from app.domain.exchanges.requests import TimeInForce
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import MarketKind, Side
from app.domain.shared.money import NO_QUANTITY
from tests.contract.exchanges.cards import card, contracts, spot, unique_ids
from tests.contract.exchanges.conftest import Trader
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess

_COIN = Decimal("0.00000001")


@card("ORD-01")
async def test_a_market_order_is_filled_booked_and_shown(trader: Trader, dialect: Dialect) -> None:
    before, wallet = await trader.held(), (await trader.wallet()).wallet
    placed = trader.order()
    got = await trader.gateway.place(placed)
    assert isinstance(got, Accepted)
    found = await trader.settled(placed)
    assert (found.status, found.executed) == (OrderStatus.FILLED, trader.size)
    assert (found.order_id, found.client_order_id) == (got.report.order_id, placed.client_order_id)
    told = (got.report.status, got.report.executed, got.report.average_price)
    if dialect.acknowledges_first:
        assert told == (OrderStatus.OPEN, NO_QUANTITY, None)
    else:
        assert told == (found.status, found.executed, found.average_price)
    fills = await trader.gateway.fills(trader.instrument, order_id=got.report.order_id)
    assert sum(fill.quantity for fill in fills) == trader.size
    assert all(fill.fee > 0 and fill.side is Side.BUY for fill in fills)
    kept = sum(fill.base_fee for fill in fills)
    assert await trader.held() == before + trader.size - kept
    now = await trader.wallet()
    assert now.available <= now.wallet < wallet


@card("ORD-02", contracts)
async def test_a_reduce_only_exit_closes_and_a_second_one_finds_nothing(trader: Trader) -> None:
    await trader.fill()
    assert (await trader.fill(Side.SELL, reduce_only=True)).reduce_only
    assert await trader.gateway.positions() == []
    again = await trader.gateway.place(trader.order(Side.SELL, reduce_only=True))
    assert isinstance(again, DefiniteNo)
    assert again.kind is RefusalKind.NOTHING_TO_REDUCE


@card("ORD-03", contracts)
async def test_a_short_is_opened_and_closed_by_buying(trader: Trader) -> None:
    await trader.fill(Side.SELL)
    assert await trader.held() == -trader.size
    await trader.fill(Side.BUY, reduce_only=True)
    assert await trader.held() == 0


@card("ORD-04", spot)
async def test_selling_coins_turns_them_into_quote_currency(trader: Trader) -> None:
    coins, before = await trader.held(), (await trader.wallet()).wallet
    await trader.fill(Side.SELL, reduce_only=True)
    (fill,) = await trader.gateway.fills(trader.instrument)
    assert await trader.held() == coins - trader.size
    assert (await trader.wallet()).wallet == before + fill.quantity * fill.price - fill.fee
    assert fill.base_fee == 0


@card("ORD-05", spot)
async def test_a_fee_taken_in_the_coins_bought_is_told(trader: Trader) -> None:
    await trader.fill()
    (fill,) = await trader.gateway.fills(trader.instrument)
    assert fill.base_fee == fill.quantity * Decimal("0.0005")
    assert fill.fee == fill.base_fee * fill.price


@card("ORD-06")
async def test_a_limit_order_rests_and_is_cancelled(trader: Trader) -> None:
    resting = trader.order(limit="63000")
    assert isinstance(await trader.gateway.place(resting), Accepted)
    everywhere, here = await trader.gateway.open_orders(), await trader.gateway.open_orders(trader.instrument)
    assert [row.client_order_id for row in everywhere] == [resting.client_order_id]
    assert [row.client_order_id for row in here] == [resting.client_order_id]
    found = await trader.gateway.order(trader.instrument, resting.client_order_id)
    assert found is not None
    assert (found.status, found.executed, found.average_price) == (OrderStatus.OPEN, NO_QUANTITY, None)
    report = await trader.gateway.cancel(trader.instrument, resting.client_order_id)
    assert report is not None
    assert (await trader.settled(resting)).status is OrderStatus.CANCELED
    assert await trader.gateway.open_orders() == []


@card("ORD-07", unique_ids)
async def test_an_id_that_is_in_use_is_a_duplicate_and_no_failure(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    resting = trader.order(limit="63000")
    assert isinstance(await trader.gateway.place(resting), Accepted)
    assert isinstance(await trader.gateway.place(resting), Duplicate)
    assert len(simulator.operator.ledger("orders", trader.account_id)) == 1


@card("ORD-08")
async def test_an_immediate_limit_order_takes_what_is_there_and_ends(trader: Trader) -> None:
    taking = trader.order(limit="65000", tif=TimeInForce.IOC)
    assert isinstance(await trader.gateway.place(taking), Accepted)
    assert (await trader.settled(taking)).executed == trader.size
    missing = trader.order(limit="63000", tif=TimeInForce.IOC)
    await trader.gateway.place(missing)
    ended = await trader.settled(missing)
    assert (ended.status.is_final, ended.executed) == (True, NO_QUANTITY)
    assert await trader.gateway.open_orders(trader.instrument) == []


@card("ORD-09")
async def test_a_resting_order_that_the_price_reaches_is_filled(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    resting = trader.order(limit="63000")
    await trader.gateway.place(resting)
    await trader.gateway.open_orders(trader.instrument)
    simulator.operator.set_prices(BTCUSDT="62900.0")
    found = await trader.settled(resting)
    assert (found.status, found.executed) == (OrderStatus.FILLED, trader.size)
    assert found.average_price == Decimal(63000)


@card("ORD-10")
async def test_an_order_is_found_by_the_venues_own_id(trader: Trader) -> None:
    placed = trader.order()
    got = await trader.gateway.place(placed)
    assert isinstance(got, Accepted)
    ours = await trader.settled(placed)
    theirs = await trader.gateway.order_by_venue_id(trader.instrument, got.report.order_id)
    assert theirs == ours
    assert await trader.gateway.order_by_venue_id(trader.instrument, "1234567") is None


@card("ORD-11")
async def test_an_order_that_nobody_placed_is_none(trader: Trader) -> None:
    nobody = ClientOrderId("c" + "0" * 26)
    assert await trader.gateway.order(trader.instrument, nobody) is None
    assert await trader.gateway.cancel(trader.instrument, nobody) is None


@card("ORD-12", contracts)
async def test_what_an_exit_earned_is_told_with_its_fill(trader: Trader, simulator: SimulatorProcess) -> None:
    before = (await trader.wallet()).wallet
    await trader.fill()
    simulator.operator.set_prices(BTCUSDT="64100.0")
    await trader.fill(Side.SELL, reduce_only=True)
    entry, exit_ = await trader.gateway.fills(trader.instrument)
    assert entry.realised_pnl == 0
    if trader.instrument.kind is MarketKind.INVERSE:
        earned = trader.size / entry.price - trader.size / exit_.price
    else:
        earned = (exit_.price - entry.price) * trader.size
    assert exit_.realised_pnl == earned.quantize(_COIN, ROUND_HALF_EVEN)
    assert (await trader.wallet()).wallet == before + exit_.realised_pnl - entry.fee - exit_.fee


@card("ORD-13")
async def test_fills_since_long_ago_are_told_once_each_oldest_first(trader: Trader) -> None:
    for _ in range(3):
        await trader.fill()
    fills = await trader.gateway.fills(trader.instrument, since=datetime.now(UTC) - timedelta(days=20))
    assert len({fill.trade_id for fill in fills}) == len(fills) == 3
    assert [fill.at for fill in fills] == sorted(fill.at for fill in fills)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert list(await trader.gateway.fills(trader.instrument, since=later)) == []


@card("ORD-14")
async def test_what_the_account_or_the_market_forbids_is_refused(trader: Trader, dialect: Dialect) -> None:
    poor = await trader.gateway.place(trader.order(size=dialect.poor))
    assert isinstance(poor, DefiniteNo)
    assert poor.kind is RefusalKind.INSUFFICIENT_FUNDS
    tiny = await trader.gateway.place(trader.order(size=dialect.tiny))
    assert isinstance(tiny, DefiniteNo)
    assert tiny.kind is RefusalKind.FILTER
