"""Drift by itself: what counts as a difference, what is unknown, and what passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from app.application.trading.drift import (
    AccountBooks,
    AccountToCompare,
    Drift,
    DriftKind,
    FindDrift,
    differences,
)
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import NotFound
from app.domain.shared.execution import OrderReport, OrderStatus, VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Quantity
from app.domain.trading.order import OrderState
from tests.fakes.clock import START
from tests.fakes.venue import OneGateway, ScriptedGateway

ACCOUNT = AccountId(1)
TO_COMPARE = AccountToCompare(ACCOUNT, Venue.BINANCE_USDM, "main", b"sealed")
BTC, ETH = Symbol("BTC-USDT"), Symbol("ETH-USDT")
FLAT = AccountBooks({}, {})


def held(sym: Symbol, quantity: str) -> VenuePosition:
    return VenuePosition(sym, Decimal(quantity), Decimal(100), NO_MONEY, 5)


def resting(cid: str) -> OrderReport:
    return OrderReport(
        Venue.BINANCE_USDM, BTC, "v", cid, Side.BUY, OrderStatus.OPEN, Quantity(Decimal(1)), Quantity(Decimal(0)),
        None, reduce_only=False, at=START,
    )  # fmt: skip


@dataclass
class Books:
    """DriftBook: says one thing after the other, the last for ever."""

    said: list[AccountBooks]
    asked_for: list[Sequence[str]] = field(default_factory=list)

    async def accounts(self) -> Sequence[AccountToCompare]:
        return [TO_COMPARE]

    async def books(self, account: AccountId, client_order_ids: Sequence[str]) -> AccountBooks:
        self.asked_for.append(client_order_ids)
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


@pytest.mark.parametrize(
    ("books", "positions", "orders", "expected"),
    [
        (FLAT, [], [], []),
        (AccountBooks({BTC: Decimal(2)}, {}), [held(BTC, "2.0")], [], []),
        (AccountBooks({BTC: Decimal(2)}, {}), [], [], [(DriftKind.POSITION, BTC, "2", "0")]),
        (FLAT, [held(ETH, "-1")], [], [(DriftKind.POSITION, ETH, "0", "-1")]),
        (FLAT, [], [resting("the owner's")], []),
        (AccountBooks({}, {"c": OrderState.OPEN}), [], [resting("c")], []),
        (
            AccountBooks({}, {"c": OrderState.PARTIAL}),
            [],
            [],
            [(DriftKind.ORDER_ONLY_OURS, "c", "PARTIAL", "not open")],
        ),
        (
            AccountBooks({}, {"c": OrderState.REJECTED}),
            [],
            [resting("c")],
            [(DriftKind.ORDER_ONLY_THEIRS, "c", "REJECTED", "OPEN")],
        ),
        (AccountBooks({}, {"c": OrderState.UNKNOWN}), [], [resting("c")], []),
    ],
)
def test_a_difference_is_told_with_both_sides(
    books: AccountBooks,
    positions: list[VenuePosition],
    orders: list[OrderReport],
    expected: list[tuple[DriftKind, str, str, str]],
) -> None:
    assert differences(ACCOUNT, books, positions, orders) == [Drift(ACCOUNT, *each) for each in expected]


async def look(gateways: OneGateway, *said: AccountBooks) -> tuple[list[DriftKind], int]:
    """Return the kinds of drift and how often was paused."""
    pauses = 0

    async def pause() -> None:
        nonlocal pauses
        pauses += 1

    found = await FindDrift(Books(list(said)), gateways, pause)(TO_COMPARE)
    return [drift.kind for drift in found], pauses


async def test_an_error_of_the_venue_is_unknown_and_never_flat() -> None:
    gateways = OneGateway(ScriptedGateway(read_error=VenueUnavailable("no answer")))
    assert await look(gateways, FLAT) == ([DriftKind.UNKNOWN], 2)


async def test_a_key_that_cannot_be_opened_is_unknown() -> None:
    gateways = OneGateway(ScriptedGateway(), refusal=NotFound("no such key"))
    assert await look(gateways, FLAT) == ([DriftKind.UNKNOWN], 2)


async def test_books_that_change_meanwhile_prove_nothing_and_are_looked_at_again() -> None:
    holding = AccountBooks({BTC: Decimal(1)}, {})
    gateways = OneGateway(ScriptedGateway(held=[held(BTC, "1")]))
    assert await look(gateways, FLAT, holding) == ([], 1)


async def test_a_fill_on_its_way_to_the_books_is_no_drift() -> None:
    holding = AccountBooks({BTC: Decimal(1)}, {})
    gateways = OneGateway(ScriptedGateway(held=[held(BTC, "1")]))
    assert await look(gateways, FLAT, FLAT, FLAT, holding) == ([], 1)


async def test_a_difference_that_stays_is_drift() -> None:
    gateways = OneGateway(ScriptedGateway(held=[held(BTC, "1")]))
    assert await look(gateways, FLAT) == ([DriftKind.POSITION], 2)
    assert await look(OneGateway(replace(gateways.account, held=[])), FLAT) == ([], 0)
