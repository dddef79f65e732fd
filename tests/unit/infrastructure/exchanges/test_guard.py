"""The guard round a gateway that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    NotSent,
    Outcome,
    RefusalKind,
    Unknown,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import EPOCH
from app.domain.shared.execution import OrderReport, OrderStatus, VenueBalance
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.breaker import Breakers
from app.infrastructure.exchanges.budget import Bucket, LocalBudget
from app.infrastructure.exchanges.guard import CircuitOpen, Costs, VenueGuard
from app.infrastructure.exchanges.guarded import GuardedGateway
from app.infrastructure.exchanges.settings import BreakerSettings, RetrySettings

BTC = Instrument(
    venue=Venue.BINANCE_USDM, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(100),
)  # fmt: skip
CID = ClientOrderId("c1")
BALANCE = VenueBalance("USDT", money(1), money(1))
REPORT = OrderReport(
    Venue.BINANCE_USDM, BTC.symbol, "1", CID, Side.BUY, OrderStatus.FILLED, quantity(1), quantity(1), price(1), False, EPOCH
)  # fmt: skip


def order(*, reduce_only: bool = False) -> PlaceOrder:
    return PlaceOrder(BTC, Side.BUY, quantity(1), reduce_only, CID, 0, 5000)


class Scripted:
    """Answers with what it was given, in order; the last answer repeats."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def answer(*args: object, **kwargs: object) -> Any:
            self.calls += 1
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(given, BaseException):
                raise given
            return given

        return answer


class World:
    def __init__(self, *answers: object, chance: float = 0.5, orders: int = 1000) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.inner = Scripted(*answers)
        self.guard = VenueGuard(
            costs=Costs({"balance": 5}, frozenset({"-1015"})),
            retry=RetrySettings(attempts=4, base_s=0.1, cap_s=2, patience_s=10),
            breakers=Breakers(BreakerSettings(failures=3, window_s=60, open_s=5, probes=1), self.time),
            budget=LocalBudget(self.time),
            weight=Bucket("weight", 20, 1, 5),
            orders=lambda account: Bucket(f"orders{account}", orders, 1, orders / 4),
            monotonic=self.time,
            sleep=self.sleep,
            chance=lambda: chance,
        )
        self.gateway = GuardedGateway(self.inner, self.guard, AccountId(1))
        self.other = GuardedGateway(self.inner, self.guard, AccountId(2))

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    "outcome", [Unknown("x"), NotSent("unreachable: x"), Duplicate("1", "x"), Accepted(REPORT)]
)
async def test_an_order_is_tried_once_whatever_comes(outcome: Outcome) -> None:
    world = World(outcome)
    assert await world.gateway.place(order()) == outcome
    assert world.inner.calls == 1
    assert world.slept == []


@pytest.mark.parametrize("fault", [Unknown("no reply"), NotSent(f"{reasons.UNREACHABLE}: refused")])
async def test_failing_entries_open_their_circuit_and_leave_exits_alone(fault: Outcome) -> None:
    world = World(fault)
    for _ in range(3):
        await world.gateway.place(order())
    refused = await world.gateway.place(order())
    assert isinstance(refused, NotSent)
    assert reasons.says(refused.reason, reasons.CIRCUIT_OPEN)
    assert refused.retry_after == timedelta(seconds=5)
    world.inner.answers = [Accepted(REPORT)]
    assert await world.gateway.place(order(reduce_only=True)) == Accepted(REPORT)


@pytest.mark.parametrize(
    "answer",
    [
        DefiniteNo(RefusalKind.INSUFFICIENT_FUNDS, "-2019", "x"), Duplicate("-4116", "x"),
        NotSent(f"{reasons.DEADLINE_PASSED}: x"), NotSent(f"{reasons.KEY_UNREADABLE}: x"),
    ],
)  # fmt: skip
async def test_what_is_no_fault_of_the_way_never_opens_a_circuit(answer: Outcome) -> None:
    world = World(answer)
    for _ in range(50):
        assert await world.gateway.place(order()) == answer


async def test_a_throttled_address_is_silent_for_everybody() -> None:
    world = World(DefiniteNo(RefusalKind.THROTTLED, "-1003", "x", timedelta(seconds=30)))
    await world.gateway.place(order())
    refused = await world.other.place(order(reduce_only=True))
    assert isinstance(refused, NotSent)
    assert reasons.says(refused.reason, reasons.SILENCED)
    assert refused.retry_after == timedelta(seconds=30)
    with pytest.raises(VenueThrottled):
        await world.other.balance()
    assert world.inner.calls == 1


async def test_an_account_over_its_order_limit_silences_itself_alone() -> None:
    world = World(DefiniteNo(RefusalKind.THROTTLED, "-1015", "x", timedelta(seconds=30)))
    await world.gateway.place(order())
    refused = await world.gateway.place(order())
    assert isinstance(refused, NotSent)
    assert reasons.says(refused.reason, reasons.BUDGET_SPENT)
    world.inner.answers = [Accepted(REPORT)]
    assert isinstance(await world.other.place(order()), Accepted)


async def test_entries_leave_the_accounts_reserve_to_exits() -> None:
    world = World(Accepted(REPORT), orders=4)
    sent = [isinstance(await world.gateway.place(order()), Accepted) for _ in range(4)]
    assert sent == [True, True, True, False]
    assert isinstance(await world.gateway.place(order(reduce_only=True)), Accepted)


async def test_a_cancelled_order_leaves_the_circuit_usable() -> None:
    world = World(asyncio.CancelledError())
    for _ in range(10):
        with pytest.raises(asyncio.CancelledError):
            await world.gateway.place(order())
    world.inner.answers = [Accepted(REPORT)]
    assert isinstance(await world.gateway.place(order()), Accepted)


async def test_a_read_is_repeated_with_full_jitter() -> None:
    world = World(VenueUnavailable("x"), VenueUnavailable("x"), BALANCE)
    assert await world.gateway.balance() == BALANCE
    assert world.slept == [0.05, 0.1]


async def test_a_read_gives_up_after_its_attempts() -> None:
    world = World(VenueUnavailable("x"))
    with pytest.raises(VenueError):
        await world.gateway.balance()
    assert world.inner.calls <= 4


async def test_retry_after_is_honoured_when_patience_allows() -> None:
    world = World(VenueThrottled("x", timedelta(seconds=3)), BALANCE)
    world.guard.weight = Bucket("weight", 2000, 1000, 5)
    assert await world.gateway.balance() == BALANCE
    assert world.slept[0] == 3


async def test_a_longer_silence_is_not_waited_out() -> None:
    world = World(VenueThrottled("x", timedelta(seconds=60)), BALANCE)
    with pytest.raises(VenueThrottled):
        await world.gateway.balance()
    assert world.slept == []


@pytest.mark.parametrize("call", ["cancel", "set_leverage"])
async def test_what_changes_something_is_not_repeated(call: str) -> None:
    world = World(VenueUnavailable("x"))
    gateway = world.gateway
    with pytest.raises(VenueUnavailable):
        await (gateway.cancel(BTC, CID) if call == "cancel" else gateway.set_leverage(BTC, 5))
    assert world.inner.calls == 1


async def test_a_refusal_is_an_answer_and_is_not_repeated() -> None:
    world = World(VenueRefused("x", RefusalKind.KEY, "-2015"))
    for _ in range(20):
        world.now += 10
        with pytest.raises(VenueRefused):
            await world.gateway.order(BTC, CID)
    assert world.inner.calls == 20


async def test_reads_wait_for_the_budget_and_leave_the_reserve() -> None:
    world = World(BALANCE)
    for _ in range(4):
        await world.gateway.balance()
    assert world.slept == [5.0]


async def test_an_open_circuit_refuses_reads_at_once() -> None:
    world = World(VenueUnavailable("x"))
    with pytest.raises(VenueUnavailable):
        await world.gateway.order(BTC, CID)
    calls = world.inner.calls
    with pytest.raises(CircuitOpen):
        await world.gateway.order(BTC, CID)
    assert world.inner.calls == calls
