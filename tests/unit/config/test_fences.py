"""The bound on an order's visibility counts only where its absence can be asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from app.config.settings import Settings, VenueOptions
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.market import Venue


def settings(bound_ms: int | None) -> Settings:
    given = VenueOptions(base_url="http://127.0.0.1", ws_url="ws://127.0.0.1", visibility_bound_ms=bound_ms)
    secret = SecretStr("a" * 32)
    return Settings(
        database_url=secret,
        redis_url=secret,
        vault_keys={"one": secret},
        vault_active="one",
        id_secret=secret,
        venues=dict.fromkeys(Venue, given),
    )


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("bound_ms", [None, 0, 2000])
def test_a_configured_bound_counts_only_where_orders_are_found_by_our_id(
    venue: Venue, bound_ms: int | None
) -> None:
    counts = CAPABILITIES[venue].finds_by_client_id and bound_ms is not None
    expected = timedelta(milliseconds=bound_ms or 0) if counts else None
    assert settings(bound_ms).fence(venue).visibility_bound == expected


def test_there_are_venues_of_both_kinds() -> None:
    assert {CAPABILITIES[venue].finds_by_client_id for venue in Venue} == {True, False}
