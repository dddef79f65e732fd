"""When the transaction log is asked: about what executions leave unexplained, and about nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.ports import BalanceUpdate
from app.domain.shared.money import money
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.transfers import Transfers
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.events import Fact
from tests.unit.infrastructure.exchanges.bybit_rows import (
    INVERSE,
    INVERSE_NAMES,
    LINEAR,
    NAMES,
    SPOT,
    execution,
    facts,
    listed,
    wallet,
)

T = TypeVar("T")
START = datetime(2023, 11, 14, 22, 0, tzinfo=UTC)  # before the times of the rows


@dataclass
class Account:
    """Answers what it is told to, and counts the questions; it stands for the venue and its guard."""

    rows: list[dict[str, object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    account: int = 1
    away: int = 0

    @property
    def shared(self) -> Any:
        return SimpleNamespace(guard=self, now=lambda: START + timedelta(hours=1))

    async def read(self, method: str, call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    async def get(self, path: str, query: str, read: Callable[[bytes], T]) -> T:
        self.asked.append(query)
        if self.away:
            self.away -= 1
            raise VenueUnavailable("The venue gave no answer.")
        return read(listed(*(row for row in self.rows if f"type={row['type']}" in query)))


async def watch(account: Account, category: Category, *heard: Sequence[Fact] | None) -> list[BalanceUpdate]:
    """Let the watch hear batches one after another, each settled before the next; None is a new connection."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    transfers = Transfers(cast("BybitAccount", account), category, at_once)
    transfers.connected(START)
    job = asyncio.create_task(transfers.run())
    for batch in heard:
        if batch is None:
            transfers.connected(START + timedelta(minutes=30))
        else:
            transfers.note(batch)
        for _ in range(50):
            await asyncio.sleep(0)
    job.cancel()
    return [event for event in transfers.told() if isinstance(event, BalanceUpdate)]


def of(category: Category, balance: str, coin: str = "USDT", *more: dict[str, object]) -> list[Fact]:
    names = INVERSE_NAMES if category is INVERSE else NAMES
    told = [fact for row in more for fact in facts("execution", row, category=category, names=names)]
    return [*told, *facts("wallet", wallet(walletBalance=balance, coin=coin), category=category, names=names)]


@pytest.mark.parametrize(
    ("category", "coin", "before", "trade", "after"),
    [
        (LINEAR, "USDT", "100", execution(), "96"),  # 3.5 lost, 0.5 paid
        (LINEAR, "USDT", "100", execution(execType="Funding", execFee="0.25", execQty="0"), "99.75"),
        (SPOT, "USDT", "1000", execution(category="spot", side="Buy", execFee="0.001", feeCurrency="BTC"), "899.5"),
        (SPOT, "USDT", "1000", execution(category="spot", execFee="0.5"), "1100"),
        (
            INVERSE, "BTC", "1",
            execution(category="inverse", symbol="BTCUSD", execFee="0.001", execPnl="0.01", feeCurrency="BTC"), "1.009",
        ),
    ],
)  # fmt: skip
async def test_what_an_execution_explains_is_not_asked_about(
    category: Category, coin: str, before: str, trade: dict[str, object], after: str
) -> None:
    account = Account()
    await watch(account, category, of(category, before, coin))
    first = len(account.asked)
    await watch(account, category, of(category, before, coin), of(category, after, coin, trade))
    assert (
        len(account.asked) == 2 * first
    )  # the first wallet of a watch is a stranger, the second is explained


def row(kind: str, amount: str, at: str = "1700000000000") -> dict[str, object]:
    return {"type": kind, "currency": "USDT", "cashFlow": amount, "cashBalance": "9", "transactionTime": at}


async def test_a_change_that_nothing_explains_is_found_in_the_log_once() -> None:
    account = Account([row("TRANSFER_IN", "5"), row("TRANSFER_OUT", "-2")])
    told = await watch(account, LINEAR, of(LINEAR, "100"), of(LINEAR, "103"), of(LINEAR, "110"))
    assert sorted((event.reason, event.change) for event in told) == [
        ("DEPOSIT", money(5)), ("WITHDRAW", money(-2)),
    ]  # fmt: skip


async def test_what_moved_before_the_stream_began_is_not_told() -> None:
    early = str(int(START.timestamp() * 1000) - 1)
    account = Account([row("TRANSFER_IN", "5", early)])
    assert await watch(account, LINEAR, of(LINEAR, "100"), of(LINEAR, "200")) == []
    assert account.asked


async def test_a_first_wallet_beside_an_execution_is_taken_for_its_own() -> None:
    account = Account()
    await watch(account, LINEAR, of(LINEAR, "96", "USDT", execution()))
    assert account.asked == []
    # Unless it moves on by something else before it is settled.
    account = Account([row("TRANSFER_IN", "5")])
    told = await watch(account, LINEAR, [*of(LINEAR, "96", "USDT", execution()), *of(LINEAR, "101")])
    assert [event.change for event in told] == [money(5)]


async def test_after_a_new_connection_the_log_is_asked_once_from_where_it_was_read() -> None:
    account = Account([row("TRANSFER_IN", "5")])
    heard = of(LINEAR, "96", "USDT", execution())
    told = await watch(account, LINEAR, heard, None)
    assert [event.change for event in told] == [money(5)]
    assert len(account.asked) == 2


async def test_a_question_without_an_answer_is_asked_again_from_the_same_time() -> None:
    account = Account([row("TRANSFER_IN", "5")], away=3)
    told = await watch(account, LINEAR, of(LINEAR, "100"), of(LINEAR, "105"))
    assert [event.change for event in told] == [money(5)]
    started = {part for query in account.asked for part in query.split("&") if part.startswith("startTime")}
    assert started == {f"startTime={int(START.timestamp() * 1000)}"}


async def test_a_log_that_lags_is_asked_again_a_few_times_and_then_left() -> None:
    account = Account()
    assert await watch(account, LINEAR, of(LINEAR, "100")) == []
    assert len(account.asked) == 3 * 2
