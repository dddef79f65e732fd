"""Failures that copy-trading programs really had, by name: each is told to our own code, which must not repeat it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.application.trading.place import ToSend
from app.application.trading.ports import Window
from app.domain.exchanges.outcomes import Outcome, Unknown, VenueThrottled
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import Action
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Quantity, Ratio
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position, apply_fill
from app.domain.trading.protection import is_reached, wanted
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.integration.postgres.drift_scene import DriftScene
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, put
from tests.unit.domain.builders import D, instrument

S = timedelta(seconds=1)
FENCE = FenceRule(validity=5 * S, engine_timeout=10 * S)
WINDOW = Window(signed_ms=1_000, valid_ms=5_000, look_at=START + 5 * S)


async def test_a_429_that_reads_as_closed_everything(scene: DriftScene) -> None:
    """A venue asked for silence; the program took the missing answer for no positions and closed everybody's books."""
    await scene.lots(2)
    before = await scene.fingerprint()
    scene.gateway.read_error = VenueThrottled("Too many requests.", 30 * S)
    for _ in range(10):
        ((cause, what, told),) = await scene.look(60)
        assert (cause, what) == ("UNKNOWN", "account")
        assert told.startswith("venue_throttled")
    assert await scene.held() == [2, 2]
    assert await scene.fingerprint() == before
    assert scene.gateway.placed == []
    scene.gateway.read_error = None
    assert await scene.look(60) == []


async def test_four_orders_after_timeouts(crew: Crew) -> None:
    """Each time-out was followed by another order, up to four purchases of one signal."""
    one = put(crew.book)
    stored = crew.book.stored(one)

    async def times_out(_: PlaceOrder) -> Outcome:
        return Unknown("The venue did not answer in time.")

    crew.gateway.on_place = times_out
    order = ToSend(
        ACCOUNT,
        b"sealed",
        ClientOrderId(one),
        stored.side,
        stored.order_quantity,
        reduce_only=False,
        attempt=0,
    )
    async with crew:
        await crew.placer.send(instrument(), [order], WINDOW, START)
        await crew.settler.drained()
        assert crew.order(one).state is OrderState.UNKNOWN
        for _ in range(12):
            crew.clock.advance(20 * S)
            await crew.recover(lambda _: FENCE)()
    assert len(crew.gateway.placed) == 1
    assert crew.trade(one).state is TradeState.ABSENT
    assert crew.book.funds[ACCOUNT].held == crew.trade(one).hold, "it may still appear: its funds stay held"


async def test_three_closes_selling_three_times(scene: DriftScene) -> None:
    """A leader's close, a follower's close and a halt each sold the whole position."""
    await scene.lots()
    for scope in (None, scene.ids[0][0], scene.ids[0][0]):
        await scene.copy(await scene.signal(Action.CLOSE, scope=scope))
    sales = await scene.rows("SELECT quantity, reduce_only FROM trades WHERE leg = 'EXIT'")
    assert [(row.quantity, row.reduce_only) for row in sales] == [(2, True)]
    codes = await scene.rows(
        "SELECT d.code FROM decisions d JOIN signals s ON s.id = d.signal_id WHERE s.is_exit ORDER BY s.seq"
    )
    assert [row.code for row in codes] == ["AS_ASKED", "NOTHING_TO_CLOSE", "NOTHING_TO_CLOSE"]


@pytest.mark.parametrize("leverage", [1, 5, 125])
@pytest.mark.parametrize(("side", "earned"), [(Side.BUY, "10"), (Side.SELL, "-10")])
def test_pnl_times_leverage(leverage: int, side: Side, earned: str) -> None:
    """A result was multiplied by the leverage; it is the difference of prices times the quantity, whatever was borrowed."""
    size, none = Quantity(D(2)), Money(D(0))
    opened = apply_fill(Position(), side, Price(D(100)), size, none, leverage).position
    closed = apply_fill(opened, side.opposite, Price(D(105)), size, none, leverage)
    assert closed.realised == D(earned)
    assert closed.position.realised == D(earned)


@pytest.mark.parametrize(
    ("held", "side", "stop", "reached", "safe"),
    [("-1", Side.BUY, "102", "103", "90"), ("1", Side.SELL, "98", "97", "110")],
)
def test_a_shorts_stop_on_the_wrong_side(held: str, side: Side, stop: str, reached: str, safe: str) -> None:
    """A short's stop was placed below its entry, where it takes profit and protects from nothing."""
    terms = ProtectionTerms(stop_loss=Ratio(D("0.02")))
    entry = Price(D(100))
    (want,) = wanted(D(held), entry, terms, entry, instrument())
    assert (want.side, want.trigger) == (side, D(stop))
    assert is_reached(want, Price(D(reached)))
    assert not is_reached(want, Price(D(safe)))
