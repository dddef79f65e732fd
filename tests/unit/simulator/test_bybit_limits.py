"""Rolling windows: nobody gets more than the limit in any window, and a banned address hears nothing."""

from __future__ import annotations

from simulator.bybit.limits import RollingLimits
from simulator.bybit.params import Params, of_query
from simulator.limits import Limits


def test_an_account_gets_its_limit_in_every_window_and_hears_when_it_resets() -> None:
    limits = RollingLimits(Limits(requests_per_uid=2))
    standings = [
        limits.take("a", "/v5/order/create", at, trades=True) for at in (1000, 1600, 1900, 2001, 2002)
    ]
    assert [standing.left for standing in standings] == [1, 0, -1, 0, -1]
    assert standings[2].resets_ms == 2000
    assert standings[4].resets_ms == 2600
    assert "X-Bapi-Limit-Status: 0\r\n" in standings[2].headers


def test_accounts_endpoints_and_reads_count_apart() -> None:
    limits = RollingLimits(Limits(requests_per_uid=1))
    assert limits.take("a", "/create", 1, trades=True).left == 0
    assert limits.take("b", "/create", 1, trades=True).left == 0
    assert limits.take("a", "/cancel", 1, trades=True).left == 0
    assert limits.take("a", "/realtime", 1, trades=False).left == 4


def test_spot_trades_count_apart_and_may_be_twice_as_many() -> None:
    limits = RollingLimits(Limits(requests_per_uid=1))
    left = [limits.take("a", "/create", 1, trades=True, spot=True).left for _ in range(3)]
    assert left == [1, 0, -1]
    assert limits.take("a", "/create", 1, trades=True).left == 0
    assert limits.take("a", "/realtime", 1, trades=False, spot=True).left == 4


def test_an_address_over_its_limit_is_banned_until_the_ban_ends_or_is_forgiven() -> None:
    limits = RollingLimits(Limits(requests_per_5s=2, ban_ms=10_000))
    assert [limits.admits("ip", at) for at in (0, 1, 2, 6000)] == [True, True, False, False]
    assert limits.admits("other", 6000)
    assert limits.admits("ip", 10_003)
    limits.admits("ip", 10_004)
    assert not limits.admits("ip", 10_005)
    limits.forgive()
    assert limits.admits("ip", 10_006)


def test_pages_cover_everything_once_and_their_cursor_survives_the_query() -> None:
    found, cursor = list(range(7)), ""
    seen: list[int] = []
    while True:
        params = Params(of_query(f"limit=3&cursor={cursor}"))
        page, cursor = params.page(found, 20, 50)
        seen.extend(page)
        if not cursor:
            break
    assert seen == found
