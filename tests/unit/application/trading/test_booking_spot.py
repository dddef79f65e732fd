"""Booking at a spot venue: lots shrink by fees taken in coins, profit is that of the coins sold, nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.application.trading.evidence import Evidence
from app.domain.shared.market import Venue
from app.domain.shared.money import Quantity
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, Desk, execution, put, report, shown
from tests.unit.domain.builders import BTC, D


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.book.venue = Venue.BINANCE_SPOT
    return made


def test_a_fee_in_coins_makes_the_lot_smaller_and_the_wallet_poorer_by_its_worth(desk: Desk) -> None:
    one = put(desk.book)
    bought = replace(execution(desk.book.stored(one), "1", "1", fee="0.05"), base_fee=Quantity(D("0.0005")))
    desk.take(Evidence(one, report=report(desk.book.stored(one)), fills=(bought,)))
    assert shown(desk.book.kept[ACCOUNT, BTC, FOLLOW].quantity) == (D("0.9995"),)
    assert shown(desk.book.funds[ACCOUNT].wallet) == (D("9999.95"),)
    assert desk.trade(one).settled


def test_the_profit_of_a_sale_is_reckoned_from_the_lot_for_the_venue_knows_none(desk: Desk) -> None:
    one = put(desk.book)
    desk.take(
        Evidence(
            one, report=report(desk.book.stored(one)), fills=(execution(desk.book.stored(one), "1", "1"),)
        )
    )
    out = put(desk.book, 2, exit_=True)
    sold = execution(desk.book.stored(out), "2", "1", price="110", fee="0.055")
    desk.take(Evidence(out, report=report(desk.book.stored(out)), fills=(sold,)))
    assert shown(desk.book.funds[ACCOUNT].wallet, desk.book.funds[ACCOUNT].margin) == (D("10009.895"), 0)
    assert ("REALISED_PNL", D(10)) in [(entry.kind, entry.amount) for entry in desk.book.ledger]
