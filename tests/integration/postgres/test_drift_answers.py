"""What reconciling does to the books on a real database: followed, told, frozen, adjusted; and nothing the second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.exchanges.outcomes import VenueError, VenueThrottled, VenueUnavailable
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import Action, FillCause
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from tests.fakes.clock import FakeClock
from tests.integration.postgres.drift_scene import DriftScene
from tests.unit.domain.builders import BTC, ETH, D

CLOSED = """
SELECT d.code, t.side, t.executed, o.venue_order_id
  FROM trades t JOIN decisions d USING (follow_id, signal_id) JOIN orders o USING (follow_id, signal_id, leg)
  JOIN signals s ON s.id = t.signal_id
 WHERE s.source = 'EXTERNAL' ORDER BY t.follow_id, o.venue_order_id
"""


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> DriftScene:
    return DriftScene(engine, clock)


async def test_a_pass_over_books_that_agree_writes_nothing(scene: DriftScene) -> None:
    await scene.lots()
    before = await scene.fingerprint()
    assert await scene.look() == []
    assert await scene.fingerprint() == before


@pytest.mark.parametrize("told_by_order", [False, True])
@pytest.mark.parametrize(
    ("cause", "drift", "code"),
    [
        (FillCause.TRADE, "EXTERNAL_CLOSE", "CLOSED_EXTERNALLY"),
        (FillCause.LIQUIDATION, "LIQUIDATION", "LIQUIDATED"),
        (FillCause.DELEVERAGING, "DELEVERAGING", "DELEVERAGED"),
    ],
)
async def test_what_closed_a_lot_outside_is_booked_from_the_venues_own_fills_once(
    scene: DriftScene, cause: FillCause, drift: str, code: str, told_by_order: bool
) -> None:
    await scene.lots()
    fill = scene.owner_trades("-2", cause=cause, told=told_by_order)
    assert await scene.look() == [(drift, BTC, "booked")]
    assert await scene.held() == [0]
    (row,) = await scene.rows(CLOSED)
    assert tuple(row) == (code, "SELL", D(2), fill.order_id)
    assert await scene.funds("wallet") == scene.gateway.wallet
    (event,) = await scene.rows("SELECT name, payload FROM outbox WHERE name = 'position.closed_outside'")
    assert event.payload["cause"] == cause.value
    assert await scene.value("SELECT state FROM follows") == "ACTIVE", "the follow is not paused"
    await scene.audit_is_clean()
    before = await scene.fingerprint()
    assert await scene.look(60) == []
    assert await scene.fingerprint() == before, "a second pass writes nothing"


async def test_one_fill_over_two_lots_is_split_and_both_follows_are_told(scene: DriftScene) -> None:
    await scene.lots(2)
    scene.owner_trades("-3", realised="-3")
    assert await scene.look() == [("EXTERNAL_CLOSE", BTC, "booked")] * 2
    assert await scene.held() == [0, 1]
    assert [row.executed for row in await scene.rows(CLOSED)] == [2, 1]
    keys = [
        row.trade_id for row in await scene.rows("SELECT trade_id FROM fills WHERE leg = 'EXIT' ORDER BY 1")
    ]
    assert keys == ["103", f"103~{scene.ids[1][0]}"]
    assert await scene.funds("wallet") == scene.gateway.wallet
    await scene.audit_is_clean()
    assert await scene.look(60) == []


async def test_an_owners_position_on_top_absorbs_first_and_is_told_once(scene: DriftScene) -> None:
    await scene.lots()
    scene.owner_trades("3", realised="0")
    assert ("MANUAL_TRADE", BTC, "new") in await scene.look()
    before = await scene.fingerprint()
    assert ("MANUAL_TRADE", BTC, "known") in await scene.look()
    assert await scene.fingerprint() == before
    scene.owner_trades("-4")
    assert ("EXTERNAL_CLOSE", BTC, "booked") in await scene.look(60)
    assert await scene.held() == [1]
    await scene.audit_is_clean()


async def test_another_market_of_the_owner_is_told_and_left_alone(scene: DriftScene) -> None:
    await scene.lots()
    scene.gateway.held = [*scene.gateway.held]
    scene.venue_holds("2")
    kept = list(scene.gateway.held)
    scene.venue_holds("-7", sym=ETH)
    scene.gateway.held = [*kept, *scene.gateway.held]
    assert await scene.look() == [("MANUAL_TRADE", ETH, "new")]
    assert await scene.held() == [2]
    assert scene.gateway.placed == []


async def test_a_fill_of_an_order_of_ours_that_nobody_told_of_is_booked_the_ordinary_way(
    scene: DriftScene,
) -> None:
    await scene.lots()
    signal = await scene.signal(Action.CLOSE)
    await scene.copy(signal)
    cid = await scene.value("SELECT client_order_id FROM orders WHERE signal_id = :id", id=signal.id)
    executed = await scene.fill(cid, "900", "2")
    scene.gateway.executions.append(executed)
    await scene.run(  # it was given up as canceled, and then it turns out to have executed
        "UPDATE trades SET state = 'ENDED', settled = true WHERE signal_id = :id", id=signal.id
    )
    await scene.run(
        "UPDATE orders SET state = 'CANCELED', venue_order_id = :v WHERE signal_id = :id",
        v=executed.order_id,
        id=signal.id,
    )
    scene.venue_holds("0")
    assert await scene.look() == [("LOST_MESSAGE", BTC, "taken up")]
    assert await scene.held() == [0]
    assert await scene.rows(CLOSED) == []


@pytest.mark.parametrize(
    "error",
    [VenueUnavailable("away"), VenueThrottled("too many", timedelta(seconds=5))],
    ids=["error", "429"],
)
async def test_an_error_is_unknown_and_never_flat_however_often(scene: DriftScene, error: VenueError) -> None:
    await scene.lots()
    before = await scene.fingerprint()
    scene.gateway.read_error = error
    for _ in range(5):
        ((cause, what, _told),) = await scene.look(60)
        assert (cause, what) == ("UNKNOWN", "account")
    assert await scene.fingerprint() == before


async def test_an_empty_answer_that_nothing_explains_freezes_entries_and_closes_nothing(
    scene: DriftScene,
) -> None:
    await scene.lots()
    scene.venue_holds()
    assert await scene.look() == [("UNKNOWN", BTC, "look 1 of 3")]
    assert await scene.look(1) == [("UNKNOWN", BTC, "look 1 of 3")], "a look too soon does not count"
    assert await scene.look(15) == [("UNKNOWN", BTC, "look 2 of 3")]
    assert await scene.look(15) == [("UNKNOWN", BTC, "frozen: nothing explains it")]
    assert await scene.held() == [2]
    assert scene.gateway.placed == [], "no order is sent to mend it"
    assert await scene.value("SELECT count(*) FROM outbox WHERE name = 'market.frozen'") == 1
    before = await scene.fingerprint()
    await scene.look(60)
    assert await scene.fingerprint() == before, "told once"
    await scene.copy(await scene.signal(Action.ADD))
    assert await scene.value("SELECT code FROM decisions ORDER BY decided_at DESC LIMIT 1") == "MARKET_FROZEN"
    await scene.copy(await scene.signal(Action.CLOSE))
    newest = await scene.value("SELECT code FROM decisions ORDER BY decided_at DESC, signal_id DESC LIMIT 1")
    assert newest == "AS_ASKED", "an exit is never blocked"


async def test_a_frozen_market_thaws_when_the_books_agree_again(scene: DriftScene) -> None:
    await scene.lots()
    scene.venue_holds("1")
    for _ in range(3):
        await scene.look(15)
    assert await scene.value("SELECT frozen FROM drift_marks") is True
    scene.venue_holds("2")
    assert await scene.look(15) == []
    assert await scene.value("SELECT count(*) FROM drift_marks") == 0


async def test_while_an_order_is_out_its_market_proves_nothing(scene: DriftScene) -> None:
    await scene.lots()
    await scene.copy(await scene.signal(Action.CLOSE))
    scene.owner_trades("-2")
    before = await scene.fingerprint()
    assert await scene.look() == []
    assert await scene.fingerprint() == before


async def test_a_wallet_that_differs_alone_is_adjusted_once_and_only_after_several_looks(
    scene: DriftScene,
) -> None:
    await scene.lots()
    scene.gateway.wallet = Money(D("12345.67"))
    assert await scene.look() == [("WALLET", "WALLET", "look 1 of 3")]
    assert await scene.look(15) == [("WALLET", "WALLET", "look 2 of 3")]
    assert await scene.look(15) == [("WALLET", "WALLET", "booked")]
    assert await scene.funds("wallet") == D("12345.67")
    (entry,) = await scene.rows("SELECT kind, amount FROM ledger_entries WHERE entry_key LIKE 'sync:%'")
    assert entry.amount == D("12345.67") - D("9999.95")
    assert await scene.funds("high_water") == D("12345.72"), "it is no result of trading"
    before = await scene.fingerprint()
    assert await scene.look(60) == []
    assert await scene.fingerprint() == before


async def test_a_wallet_is_left_alone_while_an_order_is_open(scene: DriftScene) -> None:
    await scene.lots()
    await scene.copy(await scene.signal(Action.CLOSE))
    scene.gateway.wallet = Money(Decimal(1))
    for _ in range(5):
        assert await scene.look(30) == []
    assert await scene.funds("wallet") == D("9999.95")


async def test_fills_of_ours_that_contradict_what_was_sent_freeze_the_market_and_are_not_booked(
    scene: DriftScene,
) -> None:
    await scene.lots()
    cid = (await scene.cids())[0]
    order_id = scene.gateway.reports[cid].order_id
    scene.venue_holds("0")
    sold = replace(scene.gateway.executions[0], trade_id="900", side=Side.SELL, order_id=order_id)
    scene.gateway.executions.append(sold)
    for _ in range(3):
        ((cause, what, _told),) = await scene.look(15)
        assert (cause, what) == ("UNKNOWN", BTC)
    assert await scene.held() == [2]
    assert await scene.value("SELECT frozen FROM drift_marks") is True


async def test_a_protection_that_triggered_unheard_is_taken_up_and_not_called_the_owners(
    scene: DriftScene,
) -> None:
    await scene.lots()
    follow, account = scene.ids[0]
    await scene.run(
        "INSERT INTO protections (follow_id, symbol, rung, attempt, account_id, venue, client_order_id, signal_id, kind,"
        " side, trigger, quantity, state, signed_ms, valid_ms) VALUES (:follow, :symbol, 'SL', 0, :account, :venue, 'cprot',"
        " gen_random_uuid(), 'STOP_LOSS', 'SELL', 95, 2, 'RESTING', 0, 0)",
        follow=follow,
        symbol=BTC,
        account=account,
        venue=scene.account.venue.value,
    )
    fill = scene.owner_trades("-2")
    scene.gateway.protections["cprot"] = ProtectionReport(
        venue=scene.account.venue, symbol=BTC, protection_id="p1", client_order_id="cprot", side=Side.SELL,
        kind=TriggerKind.STOP_LOSS, trigger=Price(D(95)), quantity=fill.quantity,
        status=ProtectionStatus.TRIGGERED, order_id=fill.order_id, at=fill.at,
    )  # fmt: skip
    assert await scene.look() == [("LOST_MESSAGE", BTC, "taken up")]
    assert await scene.rows(CLOSED) == []
    assert (
        await scene.value("SELECT code FROM decisions ORDER BY decided_at DESC LIMIT 1")
        == "PROTECTION_TRIGGERED"
    )
