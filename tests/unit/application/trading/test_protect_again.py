"""An exit that the keeper asked for and that left some of the lot: a stop asks again, a rung of the ladder does not."""

from __future__ import annotations

from app.domain.shared.market import Venue
from app.domain.shared.money import Ratio
from app.domain.shared.protection_terms import ProtectionTerms, TakeProfit
from tests.unit.application.trading.guard import Guardhouse
from tests.unit.domain.builders import D

LADDER = ProtectionTerms(take_profits=(TakeProfit(Ratio(D("0.05")), Ratio(D("0.5"))),))


async def test_a_stop_whose_exit_left_some_of_the_lot_asks_again_and_ever_more_seldom() -> None:
    house = Guardhouse()
    house.mark("85")
    await house.beat(3)
    assert len(house.book.left) == 1  # the first is still to be carried out
    for _ in range(200):
        house.book.over |= house.book.left.keys()
        await house.beat()
    assert 5 < len(house.book.left) < 15
    house.mark("100")
    await house.beat(2)
    assert house.resting == ["90"]


async def test_a_rung_of_the_ladder_whose_exit_left_some_sells_its_share_once() -> None:
    house = Guardhouse(LADDER, venue=Venue.CCXT_GATE)
    house.mark("106")
    for _ in range(20):
        await house.beat()
        house.book.over |= house.book.left.keys()
    assert [exit_.fraction for exit_ in house.book.left.values()] == [D("0.5")]
