"""Halts: what can be named, and that one is cleared by the name under which it was raised."""

from __future__ import annotations

import pytest

from app.application.risk.halts import ClearHalt, RaiseHalt, halt_target
from app.domain.risk.halts import HaltScope
from app.domain.shared.errors import InvalidValue, NotFound
from app.domain.users.user import Role
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork


@pytest.mark.parametrize(
    ("scope", "given", "stored"),
    [
        (HaltScope.PLATFORM, "", ""),
        (HaltScope.VENUE, "binance-usdm", "binance-usdm"),
        (HaltScope.USER, "7", "7"),
        (HaltScope.USER, "007", "7"),
    ],
)
def test_a_target_has_one_spelling(scope: HaltScope, given: str, stored: str) -> None:
    assert halt_target(scope, given) == stored


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        (HaltScope.PLATFORM, "1"),
        (HaltScope.VENUE, ""),
        (HaltScope.VENUE, "nowhere"),
        (HaltScope.USER, ""),
        (HaltScope.USER, "0"),
        (HaltScope.USER, "-1"),
        (HaltScope.USER, "\u0663"),
        (HaltScope.USER, str(2**63)),
        (HaltScope.USER, "9" * 5000),
    ],
)
def test_a_target_that_cannot_be_is_refused(scope: HaltScope, given: str) -> None:
    with pytest.raises(InvalidValue):
        halt_target(scope, given)


async def test_a_halt_is_raised_for_a_known_user_and_cleared_once() -> None:
    store = Store()

    def unit() -> MemoryUnitOfWork:
        return MemoryUnitOfWork(store)

    raise_halt, clear_halt = RaiseHalt(unit, FakeClock()), ClearHalt(unit)
    with pytest.raises(NotFound):
        await raise_halt(HaltScope.USER, "999", "A drill.")
    async with unit() as work:
        user = await work.users.add("Ada", Role.FOLLOWER)
        await work.commit()
    await raise_halt(HaltScope.USER, f"0{user.id}", " A drill. ")
    async with unit() as work:
        (halt,) = await work.halts.standing()
    assert (halt.target, halt.reason) == (str(user.id), "A drill.")
    await clear_halt(HaltScope.USER, str(user.id))
    with pytest.raises(NotFound):
        await clear_halt(HaltScope.USER, str(user.id))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "bell\x07"])
async def test_a_halt_says_why(reason: str) -> None:
    with pytest.raises(InvalidValue):
        await RaiseHalt(lambda: MemoryUnitOfWork(Store()), FakeClock())(HaltScope.PLATFORM, "", reason)
