"""Windows of time and of budgets: whatever is asked and however fast, no window exceeds what the venue allows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.bybit.paging import windows
from app.infrastructure.exchanges.registry import VENUES, VenuePool
from app.infrastructure.exchanges.settings import VenueSettings

WEEK_MS = 7 * 86_400_000


class OpenVault:
    """Holds nothing: no key is opened here."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return b""

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey("", "", "")


@given(st.integers(0, 2**41), st.integers(0, 60 * 86_400_000))
def test_windows_cover_everything_without_gap_and_none_is_too_long(first: int, span: int) -> None:
    found = list(windows(first, first + span))
    assert found[0][0] == first
    assert found[-1][1] >= first + span
    assert all(end - start <= WEEK_MS for start, end in found)
    assert all(after[0] == before[1] + 1 for before, after in pairwise(found))


def test_a_time_to_come_needs_no_window() -> None:
    assert list(windows(10**12, 10**12 - 3_600_000)) == []


def test_every_venue_is_in_the_tables() -> None:
    assert set(VENUES) == set(CAPABILITIES) == set(Venue)


@pytest.mark.parametrize("venue", list(Venue))
def test_no_window_of_a_venue_gets_more_than_its_limit(venue: Venue) -> None:
    settings = VenueSettings(base_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")
    guard = VenuePool({venue: settings}, OpenVault())._venues[venue].shared.guard
    limits = CAPABILITIES[venue]
    orders, window_s = guard.orders(AccountId(1)), limits.orders_window.total_seconds()
    assert orders.burst + orders.per_s * window_s <= limits.orders_per_account_10s * window_s / 10
    assert int(orders.burst - orders.reserve) >= 1
    weight_s = limits.weight_window.total_seconds()
    assert guard.weight.burst + guard.weight.per_s * weight_s <= limits.weight_per_ip_minute * weight_s / 60
