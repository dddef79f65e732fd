"""Orders that other programs lost, doubled or forgot, each named after where it was reported; told to our own code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.application.trading.evidence import Evidence, of_outcome
from app.application.trading.execution_ports import StoredAttempt
from app.application.trading.outside_exit import exits_of
from app.domain.exchanges.outcomes import Unknown, VenueUnavailable
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import Action, Fill, OrderStatus, VenuePosition
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Venue
from app.domain.shared.money import NO_MONEY, Money
from app.domain.trading.divergence import Lot, Share, attribute, missing, on_our_side
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from app.infrastructure.exchanges.binance.wire.trades import read_fills as read_binance
from app.infrastructure.exchanges.bybit.wire.fills import read_fills as read_bybit
from tests.fakes.clock import START
from tests.integration.postgres.drift_scene import DriftScene
from tests.integration.postgres.hot_scene import SECRET
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, execution, put, report
from tests.unit.domain.builders import BTC, D, instrument
from tests.unit.infrastructure.exchanges.test_guard import World, order

S = timedelta(seconds=1)
FENCE = FenceRule(validity=5 * S, engine_timeout=10 * S)
LONG = Position(D(1), Money(D(100)), Money(D(20)))


async def passes(crew: Crew, number: int, step: timedelta = 20 * S) -> None:
    for _ in range(number):
        crew.clock.advance(step)
        await crew.recover(lambda _: FENCE)()


async def test_catalyst_317_a_read_timeout_is_not_followed_by_a_second_order(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    crew.gateway.reports[one] = report(stored)  # it was accepted; only the reply was lost
    crew.gateway.executions.append(execution(stored, "1", "1"))
    async with crew:
        crew.settler.submit(of_outcome(one, Unknown("read timeout"), START, is_exit=False, attempt=0))
        await passes(crew, 3)
    assert crew.gateway.placed == []
    assert crew.trade(one).state is TradeState.FILLED


async def test_ccxt_2599_an_order_bears_an_id_of_ours_that_is_stored_before_it_is_sent(
    scene: DriftScene,
) -> None:
    await scene.followers(1, wallet="10000")
    await scene.copy(await scene.signal(Action.OPEN))
    (row,) = await scene.rows("SELECT client_order_id, state, signed_ms FROM orders")
    assert (len(row.client_order_id), row.state) == (27, "SUBMITTING")
    assert scene.gateway.placed == []


async def test_trading_gpt_94_the_way_to_the_venue_repeats_no_order_of_its_own() -> None:
    world = World(Unknown("no reply"))
    await world.gateway.place(order())
    assert (world.inner.calls, world.slept) == (1, [])


def test_hummingbot_493_a_timeout_is_no_failure() -> None:
    told = of_outcome("c", Unknown("TimeoutError"), START, is_exit=False, attempt=0)
    assert told.event is OrderEvent.LOST
    assert told.look_at is not None


async def test_hummingbot_3374_a_lost_order_that_fills_later_is_taken_in(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    async with crew:
        await passes(crew, 3)
        assert crew.order(one).state is OrderState.ABSENT
        crew.gateway.reports[one] = report(stored)
        crew.gateway.executions.append(execution(stored, "1", "1"))
        await passes(crew, 2, timedelta(minutes=1))
    assert crew.book.kept[ACCOUNT, BTC, FOLLOW].quantity == 1


async def test_hummingbot_8457_an_error_does_not_count_as_not_found(crew: Crew) -> None:
    one = put(crew.book)
    crew.gateway.read_error = VenueUnavailable("The name could not be resolved.")
    async with crew:
        await passes(crew, 20, timedelta(minutes=1))
    assert (crew.order(one).state, crew.order(one).looks) == (OrderState.UNKNOWN, 0)


async def test_hummingbot_7611_a_close_that_is_sent_again_reduces_only_and_at_most_what_is_held(
    crew: Crew,
) -> None:
    put(crew.book, exit_=True, quantity="5")
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    async with crew:
        await passes(crew, 3, 40 * S)
    assert [(sent.reduce_only, str(sent.quantity)) for sent in crew.gateway.placed] == [(True, "1")]


async def test_tradingview_alert_connector_30_not_found_after_an_outage_opens_nothing_again(
    crew: Crew,
) -> None:
    one = put(crew.book)
    crew.gateway.read_error = VenueUnavailable("503")
    async with crew:
        await passes(crew, 5)
        crew.gateway.read_error = None
        await passes(crew, 10)
    assert crew.gateway.placed == []
    assert crew.trade(one).state is TradeState.ABSENT


async def test_binance_trading_bot_450_what_stream_and_query_both_tell_counts_once(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    told = Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),))
    async with crew:
        for _ in range(3):
            crew.settler.submit(told)
        await crew.settler.drained()
    assert crew.book.kept[ACCOUNT, BTC, FOLLOW].quantity == 1
    assert len(crew.book.fills) == 1


async def test_freqtrade_3647_a_fill_that_raced_its_cancellation_is_booked(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    async with crew:
        crew.settler.submit(Evidence(one, report=report(stored, OrderStatus.CANCELED, "0")))
        await crew.settler.drained()
        crew.settler.submit(Evidence(one, fills=(execution(stored, "1", "1"),)))
        await crew.settler.drained()
    assert crew.book.kept[ACCOUNT, BTC, FOLLOW].quantity == 1


async def test_freqtrade_startup_a_young_order_is_not_assumed_cancelled(crew: Crew) -> None:
    one = put(crew.book, look_at=START)
    async with crew:
        await passes(crew, 4, 3 * S)
    assert (crew.order(one).state, crew.order(one).looks) == (OrderState.UNKNOWN, 0)


async def test_ccxt_6615_an_order_that_is_invisible_at_first_is_not_dead(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    async with crew:
        await passes(crew, 2)
        crew.gateway.reports[one] = report(stored)
        crew.gateway.executions.append(execution(stored, "1", "1"))
        await passes(crew, 1)
    assert crew.trade(one).state is TradeState.FILLED


async def test_quantdinger_232_a_restart_books_no_fill_again(scene: DriftScene) -> None:
    await scene.lots()
    before = await scene.fingerprint()
    cid = (await scene.cids())[0]
    again = DriftScene(scene.engine, scene.clock)  # a new process, which knows nothing
    told = Evidence(cid, report=scene.gateway.reports[cid], fills=tuple(scene.gateway.executions))
    await again.settler.apply([told])
    assert await scene.held() == [2]
    assert (await scene.fingerprint())[4:8] == before[4:8], "fills, positions, funds and ledger"


async def test_nautilus_3493_an_execution_that_was_reported_and_then_told_counts_once(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    async with crew:
        crew.settler.submit(Evidence(one, report=report(stored)))
        await crew.settler.drained()
        assert (ACCOUNT, BTC, FOLLOW) not in crew.book.kept, "a position is made of fills alone"
        crew.settler.submit(Evidence(one, fills=(execution(stored, "1", "1"),)))
        await crew.settler.drained()
    assert crew.book.kept[ACCOUNT, BTC, FOLLOW].quantity == 1


def test_nautilus_3067_legs_of_a_hedged_account_are_not_netted() -> None:
    legs = [VenuePosition(BTC, D(each), D(100), NO_MONEY, 5) for each in ("2", "-2")]
    assert missing(D(2), on_our_side(D(2), legs)) == 0
    assert missing(D(-2), on_our_side(D(-2), legs)) == 0


def foreign(trade_id: str, quantity: str) -> Fill:
    stored = put_one()
    made = execution(stored, trade_id, D(quantity))
    return replace(made, side=stored.side.opposite, order_id=f"web{trade_id}", client_order_id="web")


def put_one() -> StoredAttempt:
    crew = Crew()
    return crew.book.stored(put(crew.book))


def test_nautilus_3104_a_window_that_lost_the_opening_fills_is_enough() -> None:
    shares = attribute([Lot(FollowId(1), D(2))], D(0), [foreign("9", "2")], {})
    assert shares is not None
    assert [share.fill.quantity for share in shares] == [2]


def test_nautilus_3878_the_same_facts_make_the_same_ids(scene: DriftScene) -> None:
    scene.ids = [(FollowId(1), ACCOUNT)]
    shares = [Share(FollowId(1), foreign("9", "2"))]
    first, second = (exits_of(scene.account, BTC, shares, SECRET) for _ in range(2))
    assert first == second


def bybit_row(kind: str) -> dict[str, str]:
    return {
        "symbol": "BTCUSDT", "orderId": "1", "side": "Sell", "execId": f"e-{kind}", "execPrice": "100",
        "execQty": "1", "execTime": "1700000000000", "execType": kind, "execFee": "0.1",
    }  # fmt: skip


def test_nautilus_4937_a_funding_row_is_no_execution() -> None:
    rows = [bybit_row(kind) for kind in ("Funding", "Settle", "Trade", "BustTrade", "AdlTrade")]
    body = json.dumps({"retCode": 0, "result": {"list": rows}, "time": 1}).encode()
    fills, _, _ = read_bybit(replace(instrument(), venue=Venue.BYBIT_LINEAR), body, {})
    assert [(fill.trade_id, fill.cause.value) for fill in fills] == [
        ("e-Trade", "TRADE"), ("e-BustTrade", "LIQUIDATION"), ("e-AdlTrade", "DELEVERAGING"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change", [lambda row: row | {"newField": {"x": 1}}, lambda row: row | {"maker": True}]
)
def test_nautilus_3836_a_field_that_is_new_breaks_no_reading(
    change: Callable[[dict[str, object]], dict[str, object]],
) -> None:
    row: dict[str, object] = {
        "symbol": "BTCUSDT", "id": 1, "orderId": 2, "side": "BUY", "price": "100", "qty": "1", "realizedPnl": "0",
        "commission": "0", "commissionAsset": "USDT", "time": 1700000000000,
    }  # fmt: skip
    (fill,) = read_binance(instrument(), json.dumps([change(row)]).encode(), {})
    assert fill.quantity == 1


async def test_celery_5935_a_task_that_is_delivered_three_times_sends_once(scene: DriftScene) -> None:
    await scene.followers(1, wallet="10000")
    signal = await scene.signal(Action.OPEN)
    mine = [await scene.copy(signal) for _ in range(3)]
    assert [len(sent) for sent in mine] == [1, 0, 0]
    assert await scene.value("SELECT count(*) FROM orders") == 1


async def test_a_close_by_hand_is_not_followed_by_a_sale_of_ours(scene: DriftScene) -> None:
    """A bot sold what its user had closed already, and left a counter-position that nobody watched."""
    await scene.lots()
    scene.owner_trades("-2")
    await scene.look()
    await scene.copy(await scene.signal(Action.CLOSE))
    assert await scene.value("SELECT count(*) FROM trades WHERE leg = 'EXIT'") == 1, "the owner's own"
    assert await scene.held() == [Decimal(0)]
