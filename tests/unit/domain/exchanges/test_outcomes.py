from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    NotSent,
    RefusalKind,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.exchanges.requests import OrderType, PlaceOrder, TimeInForce
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import Quantity
from tests.unit.domain.builders import D, instrument


def test_each_error_of_a_read_has_its_own_code() -> None:
    kinds: list[type[DomainError]] = [VenueError, VenueUnavailable, VenueThrottled, VenueRefused]
    assert all(issubclass(kind, VenueError) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_throttled_read_says_for_how_long_to_be_silent() -> None:
    error = VenueThrottled("Slow down.", timedelta(seconds=2))
    assert error.retry_after == timedelta(seconds=2)
    assert error.context == {"retry_after_seconds": 2.0}


@pytest.mark.parametrize("kind", RefusalKind)
def test_a_refused_read_says_why(kind: RefusalKind) -> None:
    error = VenueRefused("No.", kind, "-2015")
    assert (error.kind, error.venue_code) == (kind, "-2015")
    assert error.context == {"kind": kind.value, "venue_code": "-2015"}


def test_nothing_says_when_to_try_again_unless_the_venue_did() -> None:
    assert DefiniteNo(RefusalKind.FILTER, "-1111", "Precision.").retry_after is None
    assert NotSent("circuit open").retry_after is None


def test_an_order_is_a_market_order_unless_it_says_otherwise() -> None:
    order = PlaceOrder(instrument(), Side.BUY, Quantity(D(1)), False, ClientOrderId("c1"), 1_000, 5_000)
    assert (order.type, order.price, order.time_in_force) == (OrderType.MARKET, None, TimeInForce.GTC)
