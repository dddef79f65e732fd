"""An operator's word that the venue is right: written once, whole, under its fences, and refused when anything is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.accept_drift import AcceptDrift, Accepted, Approval
from app.domain.exchanges.outcomes import VenueThrottled, VenueUnavailable
from app.domain.shared.errors import DomainError, InvalidValue, NotFound
from app.domain.shared.execution import Action, Fill, OrderReport, OrderStatus, VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Instrument
from app.domain.shared.money import NO_QUANTITY
from app.domain.trading.divergence import Lot
from tests.fakes.clock import FakeClock
from tests.fakes.venue import OneGateway, ScriptedGateway
from tests.integration.postgres.drift_scene import PATIENCE, DriftScene
from tests.integration.postgres.hot_scene import SECRET
from tests.unit.domain.builders import BTC, ETH, D

PROTECTION = (
    "INSERT INTO protections (follow_id, symbol, rung, attempt, account_id, venue, client_order_id, signal_id, kind, side,"
    " trigger, quantity, state, signed_ms, valid_ms) VALUES (:follow, 'BTC-USDT', 'SL', 0, :account, 'binance-usdm', 'cprot',"
    " gen_random_uuid(), 'STOP_LOSS', 'SELL', 95, 2, '{state}', 0, 0)"
)


@dataclass
class LiveGateway(ScriptedGateway):
    """Also lists orders that rest, and lets something happen when the position is asked for the second time."""

    resting: list[OrderReport] = field(default_factory=list)
    at_second_look: Callable[[], Awaitable[None]] | None = None
    asked: int = 0

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        self._read()
        return self.resting

    async def positions(self) -> Sequence[VenuePosition]:
        self.asked += 1
        if self.asked == 2 and self.at_second_look is not None:
            await self.at_second_look()
        return await super().positions()


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> DriftScene:
    return DriftScene(engine, clock)


async def frozen(scene: DriftScene, theirs: str, lots: int = 1) -> LiveGateway:
    """Open lots of 2, let the venue hold `theirs`, and look until the market is frozen."""
    await scene.lots(lots)
    scene.venue_holds(theirs)
    for _ in range(3):
        await scene.look(15)
    assert await scene.value("SELECT frozen FROM drift_marks") is True
    live = LiveGateway(**{each.name: getattr(scene.gateway, each.name) for each in fields(ScriptedGateway)})
    scene.gateway = live
    return live


async def test_it_is_only_shown_unless_somebody_approves(scene: DriftScene) -> None:
    await frozen(scene, "0.5")
    before = await scene.fingerprint()
    shown = await scene.accept(dry=True)
    lost = (Lot(scene.ids[0][0], D("1.5")),)
    assert shown == Accepted(scene.account.account_id, BTC, D(2), D("0.5"), lost)
    assert await scene.fingerprint() == before


async def test_the_books_become_what_the_venue_holds_and_the_follow_copies_again(scene: DriftScene) -> None:
    await frozen(scene, "0.5")
    wallet, margin = await scene.funds("wallet"), await scene.funds("margin")
    found = await scene.accept()
    assert found is not None
    assert found.written
    assert await scene.held() == [D("0.5")]
    assert await scene.funds("wallet") == wallet, "no result is made up"
    assert await scene.funds("margin") == margin / 4
    assert await scene.value("SELECT count(*) FROM drift_marks") == 0
    await scene.audit_is_clean()

    (event,) = await scene.rows("SELECT payload FROM outbox WHERE name = 'drift.accepted'")
    assert (event.payload["by"], event.payload["reason"]) == ("Ada", "The coins were withdrawn.")
    assert (event.payload["ours"], event.payload["theirs"]) == ("2.000000000000000000", "0.5")
    assert event.payload["at"] == scene.clock.now().isoformat()
    (decision,) = await scene.rows("SELECT outcome, inputs FROM decisions WHERE code = 'WRITTEN_OFF'")
    assert decision.inputs.items() >= {"by": "Ada", "books_held": "2", "venue_held": "0.5"}.items()
    assert scene.gateway.placed == [], "no order is sent to mend it"

    before = await scene.fingerprint()
    assert await scene.accept() is None, "the second time there is nothing to accept"
    assert await scene.look(60) == []
    assert await scene.fingerprint() == before
    await scene.copy(await scene.signal(Action.ADD))
    assert await scene.value("SELECT code FROM decisions ORDER BY decided_at DESC LIMIT 1") == "AS_ASKED"


async def test_of_several_follows_the_oldest_lot_goes_first_in_one_commit(scene: DriftScene) -> None:
    await frozen(scene, "0.5", lots=2)
    found = await scene.accept()
    assert found is not None
    (first, _), (second, _) = scene.ids
    assert found.gone == (Lot(first, D(2)), Lot(second, D("1.5")))
    assert await scene.held() == [0, D("0.5")]
    assert await scene.value("SELECT count(*) FROM outbox WHERE name = 'drift.accepted'") == 1
    assert await scene.value("SELECT count(*) FROM decisions WHERE code = 'WRITTEN_OFF'") == 2
    await scene.audit_is_clean()


async def test_a_position_netted_away_by_its_owner_is_written_off_whole_and_his_stays_his(
    scene: DriftScene,
) -> None:
    await frozen(scene, "-3")
    assert await scene.accept() is not None
    assert await scene.held() == [0]
    assert await scene.look(60) == [("MANUAL_TRADE", BTC, "new")]
    await scene.audit_is_clean()


async def venue_errs(_: DriftScene, venue: LiveGateway) -> None:
    venue.read_error = VenueUnavailable("away")


async def venue_throttles(_: DriftScene, venue: LiveGateway) -> None:
    venue.read_error = VenueThrottled("too many", timedelta(seconds=5))


async def venue_moves(scene: DriftScene, _: LiveGateway) -> None:
    scene.venue_holds("0.4")


async def seen_once(scene: DriftScene, _: LiveGateway) -> None:
    scene.venue_holds("0.4")
    await scene.look(15)


async def exit_is_out(scene: DriftScene, _: LiveGateway) -> None:
    await scene.copy(await scene.signal(Action.CLOSE))


async def exit_is_absent(scene: DriftScene, venue: LiveGateway) -> None:
    await exit_is_out(scene, venue)
    await scene.run("UPDATE trades SET state = 'ABSENT' WHERE NOT settled")
    await scene.run("UPDATE orders SET state = 'ABSENT' WHERE state = 'SUBMITTING'")


async def protection_is_in_doubt(scene: DriftScene, _: LiveGateway) -> None:
    follow, account = scene.ids[0]
    await scene.run(PROTECTION.format(state="UNKNOWN"), follow=follow, account=account)


async def ours_rests(scene: DriftScene, venue: LiveGateway) -> None:
    (ours,) = await scene.cids()
    told = venue.reports[ours]
    venue.resting = [replace(told, status=OrderStatus.OPEN, executed=NO_QUANTITY, average_price=None)]


async def venue_moves_between_looks(scene: DriftScene, venue: LiveGateway) -> None:
    async def move() -> None:
        scene.venue_holds("0.4")

    venue.at_second_look = move


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (venue_errs, "venue_unavailable"),
        (venue_throttles, "venue_throttled"),
        (venue_moves, "difference_moved"),
        (venue_moves_between_looks, "difference_moved"),
        (seen_once, "market_not_frozen"),
        (exit_is_out, "order_in_doubt"),
        (exit_is_absent, "order_in_doubt"),
        (protection_is_in_doubt, "order_in_doubt"),
        (ours_rests, "order_in_doubt"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_what_is_in_doubt_is_refused_by_a_code_and_nothing_is_written(
    scene: DriftScene, happens: Callable[[DriftScene, LiveGateway], Awaitable[None]], code: str
) -> None:
    venue = await frozen(scene, "0.5")
    await happens(scene, venue)
    before = await scene.fingerprint()
    for dry in (True, False):
        with pytest.raises(DomainError) as refused:
            await scene.accept(dry=dry)
        assert refused.value.code == code
        venue.asked = 0
        if happens is venue_moves_between_looks:
            scene.venue_holds("0.5")
    assert await scene.fingerprint() == before


async def test_books_that_change_while_the_venue_is_asked_are_left_alone(scene: DriftScene) -> None:
    venue = await frozen(scene, "0.5")

    async def book() -> None:
        await scene.run("UPDATE positions SET quantity = 1.5, cost = 150 WHERE quantity = 2")

    venue.at_second_look = book
    with pytest.raises(DomainError, match="The books changed"):
        await scene.accept()
    assert await scene.value("SELECT count(*) FROM decisions WHERE code = 'WRITTEN_OFF'") == 0
    assert await scene.value("SELECT count(*) FROM drift_marks") == 1


async def test_an_order_that_goes_out_while_the_venue_is_asked_is_seen_under_the_lock(
    scene: DriftScene,
) -> None:
    venue = await frozen(scene, "0.5")

    async def leader_closes() -> None:
        await scene.copy(await scene.signal(Action.CLOSE))

    venue.at_second_look = leader_closes
    with pytest.raises(DomainError) as refused:
        await scene.accept()
    assert refused.value.code == "order_in_doubt"
    assert await scene.held() == [2]


async def test_of_two_operators_at_once_one_writes(scene: DriftScene) -> None:
    venue = await frozen(scene, "0.5")
    act = AcceptDrift(scene.book, OneGateway(venue), scene.explain, scene.clock, PATIENCE, SECRET)
    approval = Approval("Ada", "Seen at the venue.")
    done = await asyncio.gather(
        *[act(scene.account.account_id, BTC, approval) for _ in range(2)], return_exceptions=True
    )
    assert sum(isinstance(each, Accepted) and each.written for each in done) == 1
    assert await scene.held() == [D("0.5")]
    assert await scene.value("SELECT count(*) FROM outbox WHERE name = 'drift.accepted'") == 1
    await scene.audit_is_clean()


async def test_what_executions_explain_after_all_is_booked_as_theirs(scene: DriftScene) -> None:
    venue = await frozen(scene, "0.5")
    late = scene.owner_trades("-1.5")
    scene.venue_holds("0.5")
    found = await scene.accept()
    assert found is not None
    assert found.explained
    assert not found.written
    assert await scene.held() == [D("0.5")]
    codes = await scene.rows("SELECT code FROM decisions WHERE code IN ('WRITTEN_OFF', 'CLOSED_EXTERNALLY')")
    assert [row.code for row in codes] == ["CLOSED_EXTERNALLY"]
    assert await scene.value("SELECT count(*) FROM fills WHERE trade_id = :id", id=late.trade_id) == 1
    assert venue.placed == []
    await scene.look(15)
    assert await scene.value("SELECT count(*) FROM drift_marks WHERE what = 'BTC-USDT'") == 0


async def test_executions_from_before_are_not_judged_again_and_later_ones_are(scene: DriftScene) -> None:
    await frozen(scene, "1")
    assert await scene.accept() is not None
    hidden = scene.owner_trades("-1", realised="0")  # the venue tells only now what closed the first half
    scene.gateway.executions[-1] = replace(hidden, at=scene.clock.now() - timedelta(seconds=20))
    scene.venue_holds("1")
    scene.clock.advance(timedelta(seconds=5))
    later = _at(scene, scene.owner_trades("-1"))
    scene.venue_holds("0")
    assert ("EXTERNAL_CLOSE", BTC, "booked") in await scene.look(1)
    assert await scene.held() == [0]
    assert await scene.value("SELECT count(*) FROM fills WHERE trade_id = :id", id=later.trade_id) == 1
    await scene.audit_is_clean()


def _at(scene: DriftScene, fill: Fill) -> Fill:
    scene.gateway.executions[-1] = replace(fill, at=scene.clock.now())
    return scene.gateway.executions[-1]


async def test_another_market_and_an_unknown_account_have_nothing_to_accept(scene: DriftScene) -> None:
    await frozen(scene, "0.5")
    assert await scene.accept(sym=ETH) is None
    act = AcceptDrift(scene.book, OneGateway(scene.gateway), scene.explain, scene.clock, PATIENCE, SECRET)
    with pytest.raises(NotFound):
        await act(AccountId(987654), BTC, None)


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("Ada", " "), ("Ada", "x" * 501)])
def test_who_and_why_are_said(by: str, reason: str) -> None:
    with pytest.raises(InvalidValue):
        Approval(by, reason)
