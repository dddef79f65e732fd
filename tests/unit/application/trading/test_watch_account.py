"""Watching a follower's account: our orders into the books, funding and transfers once, foreign orders left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from app.application.trading.protect_ports import ProtectionBook
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.watch_account import WatchAccount
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.ports import BalanceUpdate, Connected, OrderUpdate, StreamEvent
from app.domain.shared.execution import FundingPayment
from app.domain.shared.money import Money
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from tests.fakes.clock import START
from tests.fakes.venue import ScriptedStream
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, execution, put, report, shown
from tests.unit.domain.builders import BTC, D

LONG = Position(D(1), Money(D(100)), Money(D(20)))
PAID = FundingPayment("77", BTC, Money(D(-1)), START)


@pytest.fixture
def crew() -> Crew:
    return Crew()


async def watch(crew: Crew, *script: StreamEvent) -> ScriptedStream:
    stream = ScriptedStream(script)
    async with crew:
        desk = ProtectionDesk(cast("ProtectionBook", None), crew.clock, crew.metrics)  # nothing here asks it
        await WatchAccount(
            ACCOUNT, stream, crew.gateway, crew.book, crew.settler, desk, crew.turns, crew.metrics
        ).run()
        await crew.settler.drained()
    assert stream.closed
    return stream


def balance(reason: str, change: str) -> BalanceUpdate:
    return BalanceUpdate(Money(D(1000)), Money(D(change)), reason, START)


async def test_an_update_on_our_order_is_booked_with_its_fill_and_a_foreign_one_is_not(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    ours = OrderUpdate(report(stored), execution(stored, "1", "1"))
    web = replace(report(stored), client_order_id="web_abc", order_id="v-web")
    foreign = OrderUpdate(web, replace(execution(stored, "2", "1"), client_order_id="web_abc"))
    await watch(crew, ours, ours, foreign)
    assert crew.order(one).state is OrderState.FILLED
    assert ACCOUNT in crew.turns.asked_for, "somebody else traded here: it is compared soon"
    assert len(crew.book.fills) == 1
    assert crew.alarms == []


@pytest.mark.parametrize(("holds", "booked"), [(True, 1), (False, 0)])
async def test_on_connecting_funding_is_asked_for_where_something_is_held(
    crew: Crew, holds: bool, booked: int
) -> None:
    if holds:
        crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    crew.gateway.payments = [PAID]
    await watch(crew, Connected(START), Connected(START + timedelta(minutes=1)))
    wanted = [("FUNDING:77", -1, "FUNDING")] * booked
    assert [shown(e.entry_key, e.amount, e.kind) for e in crew.book.ledger] == wanted


async def test_funding_that_is_announced_is_booked_from_the_venues_list_once(crew: Crew) -> None:
    crew.gateway.payments = [PAID]
    await watch(crew, balance("FUNDING_FEE", "-1"), balance("FUNDING_FEE", "-1"))
    assert len(crew.book.ledger) == 1


async def test_a_venue_that_does_not_answer_on_funding_does_not_end_the_watch(crew: Crew) -> None:
    crew.gateway.read_error = VenueUnavailable("It is away.")
    await watch(crew, balance("FUNDING_FEE", "-1"), balance("DEPOSIT", "5"))
    assert crew.metrics.seen["lookup_failed"] == 1
    assert [entry.kind for entry in crew.book.ledger] == ["DEPOSIT"]


@pytest.mark.parametrize(
    ("reason", "change", "kind"),
    [
        ("DEPOSIT", "5", "DEPOSIT"),
        ("WITHDRAW", "-5", "WITHDRAWAL"),
        ("DEPOSIT", "0", None),
        ("ORDER", "-1", None),
        ("MARGIN_TRANSFER", "-1", None),
    ],
)
async def test_only_transfers_change_a_wallet_without_a_fill(
    crew: Crew, reason: str, change: str, kind: str | None
) -> None:
    await watch(crew, balance(reason, change), balance(reason, change))
    assert [(entry.kind, entry.amount) for entry in crew.book.ledger] == (
        [] if kind is None else [(kind, D(change))]
    )
