from __future__ import annotations

import pytest

from app.domain.risk.halts import Halt, HaltScope
from app.domain.shared.errors import InvalidValue
from tests.unit.domain.builders import NOW


@pytest.mark.parametrize(
    ("scope", "target", "accepted"),
    [
        (HaltScope.PLATFORM, "", True),
        (HaltScope.PLATFORM, "7", False),
        (HaltScope.VENUE, "binance-usdm", True),
        (HaltScope.VENUE, "", False),
        (HaltScope.USER, "7", True),
        (HaltScope.USER, "", False),
    ],
)
def test_a_halt_names_what_it_stops(scope: HaltScope, target: str, *, accepted: bool) -> None:
    if accepted:
        assert Halt(scope, target, "maintenance", NOW).target == target
    else:
        with pytest.raises(InvalidValue):
            Halt(scope, target, "maintenance", NOW)


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_halt_says_why(reason: str) -> None:
    with pytest.raises(InvalidValue):
        Halt(HaltScope.PLATFORM, "", reason, NOW)
