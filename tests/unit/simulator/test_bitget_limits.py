"""How the Bitget dialect counts: an address over everything, an account at each endpoint by itself."""

from __future__ import annotations

from simulator.bitget.limits import BitgetLimits
from simulator.limits import Limits


def counting(**limits: int) -> BitgetLimits:
    return BitgetLimits(Limits(**limits))


def test_an_account_may_trade_so_often_at_an_endpoint_and_read_twice_as_often() -> None:
    limits = counting(requests_per_uid=3, uid_window_ms=1000)
    assert [limits.take("a", "/place", 0, trades=True) for _ in range(4)] == [2, 1, 0, -1]
    assert limits.take("a", "/cancel", 0, trades=True) == 2
    assert limits.take("b", "/place", 0, trades=True) == 2
    assert [limits.take("a", "/detail", 0, trades=False) for _ in range(7)] == [5, 4, 3, 2, 1, 0, -1]


def test_what_was_refused_does_not_count_and_a_window_rolls() -> None:
    limits = counting(requests_per_uid=1, uid_window_ms=1000)
    assert limits.take("a", "/place", 0, trades=True) == 0
    assert limits.take("a", "/place", 999, trades=True) == -1
    assert limits.take("a", "/place", 1000, trades=True) == 0


def test_an_address_is_counted_over_all_and_forgiven() -> None:
    limits = counting(requests_per_5s=2)
    assert [limits.admits("ip", 0) for _ in range(3)] == [True, True, False]
    assert limits.admits("other", 0)
    assert limits.admits("ip", 5000)
    limits.admits("ip", 5000)
    limits.forgive()
    assert limits.admits("ip", 5000)
