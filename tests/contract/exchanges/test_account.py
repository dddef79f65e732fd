"""The account itself: leverage, modes, fees, funding, wallets and the rights of its key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, RefusalKind, VenueRefused, VenueUnsupported
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.execution import FeeRates
from app.domain.shared.ids import AccountId
from app.domain.shared.market import MarketKind, Side, Venue
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.registry import VenuePool
from tests.contract.exchanges.cards import card, contracts, hedging, key_rights, keyed_reads, spot
from tests.contract.exchanges.conftest import Trader, new_trader
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess


@card("ACC-01", contracts)
async def test_leverage_is_what_the_venue_confirmed(trader: Trader) -> None:
    assert await trader.gateway.set_leverage(trader.instrument, 7) == 7
    assert await trader.gateway.set_leverage(trader.instrument, 7) == 7  # no change is no refusal
    await trader.fill()
    (position,) = await trader.gateway.positions()
    assert position.leverage == 7
    with pytest.raises(VenueRefused):
        await trader.gateway.set_leverage(trader.instrument, 1000)


@card("ACC-02", contracts)
async def test_the_margin_mode_is_set_and_setting_it_again_is_no_refusal(trader: Trader) -> None:
    for mode in (MarginMode.ISOLATED, MarginMode.ISOLATED, MarginMode.CROSS):
        await trader.gateway.set_margin_mode(trader.instrument, mode)
    await trader.fill()
    assert await trader.held() == trader.size


@card("ACC-03", hedging)
async def test_in_hedge_mode_a_long_and_a_short_stand_side_by_side(trader: Trader) -> None:
    gateway, hedge = trader.gateway, PositionMode.HEDGE
    assert await gateway.position_mode() is PositionMode.ONE_WAY
    await gateway.set_position_mode(hedge)
    await gateway.set_position_mode(hedge)  # no change is no refusal
    assert await gateway.position_mode() is hedge
    for side, reduce_only in ((Side.BUY, False), (Side.SELL, False)):
        placed = trader.order(side, reduce_only=reduce_only, mode=hedge)
        assert isinstance(await gateway.place(placed), Accepted)
        await trader.settled(placed)
    assert sorted(row.quantity for row in await gateway.positions()) == [-trader.size, trader.size]
    leaving = trader.order(Side.SELL, reduce_only=True, mode=hedge)
    assert isinstance(await gateway.place(leaving), Accepted)
    assert (await trader.settled(leaving)).reduce_only
    assert [row.quantity for row in await gateway.positions()] == [-trader.size]


@card("ACC-04", hedging)
async def test_an_order_for_the_other_position_mode_is_refused(trader: Trader) -> None:
    await trader.gateway.set_position_mode(PositionMode.HEDGE)
    got = await trader.gateway.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.MODE


@card("ACC-05", spot)
async def test_what_a_spot_market_does_not_have_is_not_asked_for(trader: Trader) -> None:
    gateway = trader.gateway
    with pytest.raises(VenueUnsupported):
        await gateway.set_leverage(trader.instrument, 2)
    with pytest.raises(VenueUnsupported):
        await gateway.set_margin_mode(trader.instrument, MarginMode.CROSS)
    with pytest.raises(VenueUnsupported):
        await gateway.set_position_mode(PositionMode.ONE_WAY)
    assert await gateway.position_mode() is PositionMode.ONE_WAY
    assert list(await gateway.funding(datetime.now(UTC) - timedelta(days=1))) == []


@card("ACC-06")
async def test_the_fees_of_a_market_are_told(trader: Trader) -> None:
    rates = await trader.gateway.fee_rates(trader.instrument)
    assert rates == FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))


@card("ACC-07", contracts)
async def test_funding_is_told_since_a_time(trader: Trader, simulator: SimulatorProcess) -> None:
    await trader.fill()
    market = "BTCUSD:INVERSE" if trader.instrument.kind is MarketKind.INVERSE else "BTCUSDT"
    simulator.operator.post("/sim/funding", {"symbol": market, "rate": "0.0001"})
    (payment,) = await trader.gateway.funding(datetime.now(UTC) - timedelta(days=1))
    assert (payment.symbol, payment.amount < 0) == (trader.symbol, True)
    assert list(await trader.gateway.funding(datetime.now(UTC) + timedelta(hours=1))) == []


@card("ACC-08")
async def test_a_wallet_is_told_by_its_asset(trader: Trader, dialect: Dialect) -> None:
    wallet = await trader.gateway.balance(dialect.asset)
    assert (wallet.asset, wallet.wallet, wallet.available) == (dialect.asset, dialect.wallet, dialect.wallet)
    if CAPABILITIES[trader.venue].collateral is not None:
        assert await trader.gateway.balance() == wallet
    empty = await trader.gateway.balance("NOSUCH")
    assert empty.wallet == empty.available == NO_MONEY


@card("ACC-09")
async def test_the_rights_of_a_key_are_told(trader: Trader) -> None:
    facts = await trader.gateway.key_facts()
    assert (facts.can_trade, facts.can_withdraw) == (True, False)


@card("ACC-10", key_rights)
async def test_a_key_without_the_right_to_trade_is_told_and_refused(
    pool: VenuePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    reader = await new_trader(pool, venue, simulator, permissions={dialect.right: False})
    assert not (await reader.gateway.key_facts()).can_trade
    got = await reader.gateway.place(reader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.KEY


@card("ACC-11")
async def test_an_order_under_an_unknown_key_is_refused(trader: Trader, dialect: Dialect) -> None:
    stranger = trader.pool.gateway(AccountId(999_999), trader.venue, dialect.stranger.encode())
    got = await stranger.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.KEY


@card("ACC-12", keyed_reads)
async def test_a_read_under_an_unknown_key_is_refused_with_the_venues_code(
    trader: Trader, dialect: Dialect
) -> None:
    stranger = trader.pool.gateway(AccountId(999_998), trader.venue, dialect.stranger.encode())
    with pytest.raises(VenueRefused) as refusal:
        await stranger.balance(dialect.asset)
    assert (refusal.value.kind, refusal.value.venue_code) == (RefusalKind.KEY, dialect.unknown_key)


@card("ACC-13")
async def test_a_market_is_listed_with_its_rules(trader: Trader, venue: Venue) -> None:
    listed = {row.symbol: row for row in await trader.pool.market(venue).instruments()}
    found = listed[trader.symbol]
    assert found == trader.instrument
    assert (found.venue, found.kind) == (venue, CAPABILITIES[venue].kind)
    assert found.tick > 0
    assert found.quantity_min >= found.step > 0
    assert found.quantity_max > found.quantity_min
