"""Money that comes and goes while an account trades at Bybit: its stream does not say why, so the log is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from app.domain.exchanges.ports import BalanceUpdate, Connected, StreamEvent
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import money, quantity
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.registry import VenuePool
from tests.contract.exchanges.conftest import PlainVault, venue_settings
from tests.support.simulator import SimulatorProcess

LOG = "GET /v5/account/transaction-log"


@dataclass
class Watched:
    """One account: its pool, its events, and the operator who moves its money."""

    venue: Venue
    pool: VenuePool
    process: SimulatorProcess
    account_id: str
    account: AccountId
    sealed: bytes = field(repr=False)
    events: AsyncIterator[StreamEvent]

    def deposit(self, amount: str) -> None:
        self.process.operator.post("/sim/deposits", {"account_id": self.account_id, "amount": amount})

    async def trade(self, number: int, side: Side = Side.BUY) -> None:
        instrument = await self.pool.instrument(self.venue, Symbol("BTC-USDT"))
        order = PlaceOrder(
            instrument, side, quantity("0.01"), False, ClientOrderId(f"t-{number}"), self.pool.now_ms(self.venue), 5000
        )  # fmt: skip
        await self.pool.gateway(self.account, self.venue, self.sealed).place(order)

    async def transfers(self, count: int) -> list[BalanceUpdate]:
        """The next so many balances with a reason of their own."""
        found: list[BalanceUpdate] = []
        async with asyncio.timeout(20):
            async for event in self.events:
                if isinstance(event, BalanceUpdate) and event.reason:
                    found.append(event)
                if len(found) == count:
                    return found
        raise AssertionError("the stream ended")


@pytest.fixture(params=[Venue.BYBIT_LINEAR, Venue.BYBIT_SPOT], ids=lambda venue: venue.value)
async def watched(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    venue: Venue = request.param
    number = 9_000 + len(request.node.name)
    row = simulator.operator.open_account(f"watched-{request.node.name}", balances={"BTC": "1"})
    pool = VenuePool({venue: venue_settings(simulator)}, PlainVault())
    await pool.start()
    sealed = PlainVault().seal(AccountId(number), venue, ApiKey(row["api_key"], row["api_secret"]))
    stream = pool.stream(AccountId(number), venue, sealed)
    events = stream.events()
    assert isinstance(await anext(events), Connected)
    yield Watched(venue, pool, simulator, row["account_id"], AccountId(number), sealed, events)
    await stream.close()
    await pool.close()


async def test_a_deposit_and_a_withdrawal_are_told_and_trades_are_not_taken_for_them(
    watched: Watched,
) -> None:
    await watched.trade(1)
    watched.deposit("50")
    (came,) = await watched.transfers(1)
    assert (came.reason, came.change, came.asset) == ("DEPOSIT", money(50), "USDT")
    await watched.trade(2)
    watched.deposit("-20")
    (went,) = await watched.transfers(1)
    assert (went.reason, went.change) == ("WITHDRAW", money(-20))
    assert came.at < went.at


async def test_a_log_that_is_away_is_asked_again(watched: Watched) -> None:
    watched.process.operator.add_fault(LOG, "http_status", status=503, times=4, account_id=watched.account_id)
    watched.deposit("7")
    (came,) = await watched.transfers(1)
    assert came.change == money(7)


async def test_what_came_while_the_stream_was_away_is_told_after_it_is_back(watched: Watched) -> None:
    watched.deposit("1")
    await watched.transfers(1)
    watched.process.operator.add_fault("WS", "drop", account_id=watched.account_id)
    watched.deposit("3")
    watched.process.operator.clear_faults()
    watched.process.operator.post("/sim/disconnect", {"account_id": watched.account_id})
    (came,) = await watched.transfers(1)
    assert came.change == money(3)
