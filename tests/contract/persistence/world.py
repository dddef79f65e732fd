"""What the contract of persistence is told against: any store with units of work, and the means to look behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from app.application.shared.uow import UnitOfWork
from app.domain.shared.events import Event
from app.domain.shared.execution import Action, Fill
from app.domain.shared.ids import FollowId, SignalId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.shared.terms import CopyMode, CopyTerms
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.users.account import KeyPermissions, TradingAccount
from app.domain.users.follow import Follow
from app.domain.users.user import Role
from app.domain.whales.intent import Burst
from app.domain.whales.whale import Whale, WhaleTier
from tests.fakes.clock import FakeClock

VENUE = Venue.BINANCE_USDM
BTC = Symbol("BTC-USDT")
ETH = Symbol("ETH-USDT")
TERMS = CopyTerms(mode=CopyMode.MULTIPLIER, value=Decimal(1))
_NUMBERS = count(1)


class World(Protocol):
    """One store under test."""

    clock: FakeClock

    def unit(self) -> UnitOfWork:
        """A new unit of work."""
        ...

    async def news(self) -> Sequence[tuple[Event, str]]:
        """The events that left, with their trace ids, in order."""
        ...

    async def hold(self, follow: Follow, sym: Symbol, quantity: Decimal) -> None:
        """Let a follow hold a position."""
        ...

    async def start_trade(self, follow: Follow, sym: Symbol) -> None:
        """Let a follow have a trade that is not settled."""
        ...


@dataclass(frozen=True, slots=True)
class Cast:
    """A whale and one follower."""

    whale: Whale
    leader: TradingAccount
    account: TradingAccount
    follow: Follow


async def verified_account(unit: UnitOfWork, now: datetime) -> TradingAccount:
    user = await unit.users.add(f"user {next(_NUMBERS)}", Role.FOLLOWER)
    account = await unit.accounts.add(user.id, VENUE, "main")
    account.judge(KeyPermissions(can_trade=True, can_withdraw=False, ip_restricted=True), now)
    await unit.accounts.save(account)
    return account


async def make_cast(world: World) -> Cast:
    async with world.unit() as unit:
        leader = await verified_account(unit, world.clock.now())
        account = await verified_account(unit, world.clock.now())
        whale = await unit.whales.add("Ahab", VENUE, leader.id, WhaleTier.STANDARD)
        follow = await unit.follows.add(account.user_id, whale.id, account.id, TERMS)
        await unit.commit()
    return Cast(whale, leader, account, follow)


def some_signal_id() -> SignalId:
    return SignalId(uuid5(NAMESPACE_OID, str(next(_NUMBERS))))


def make_signal(
    whale: WhaleId,
    now: datetime,
    *,
    action: Action = Action.OPEN,
    sym: Symbol = BTC,
    priority: Priority = Priority.HIGH,
    scope: FollowId | None = None,
) -> Signal:
    """A signal of its own id; entries expire after five seconds."""
    is_exit = action.is_exit
    return Signal(
        id=some_signal_id(),
        source=SignalSource.LEADER if scope is None else SignalSource.FOLLOWER,
        whale_id=whale,
        venue=VENUE,
        symbol=sym,
        action=action,
        side=Side.SELL if is_exit else Side.BUY,
        quantity=Quantity(Decimal("0.5")),
        fraction=Decimal(1),
        reference_price=Price(Decimal("60000.1")),
        priority=priority,
        leader_at=now,
        created_at=now,
        trace_id=f"trace-{next(_NUMBERS)}",
        expires_at=None if is_exit else now + timedelta(seconds=5),
        scope=scope,
    )


async def store(world: World, *signals: Signal) -> None:
    """Store signals, each in its own commit, in this order."""
    for signal in signals:
        async with world.unit() as unit:
            assert await unit.signals.add(signal)
            await unit.commit()


def make_fill(trade_id: str, now: datetime, *, order_id: str = "1", sym: Symbol = BTC) -> Fill:
    return Fill(
        venue=VENUE,
        symbol=sym,
        trade_id=trade_id,
        order_id=order_id,
        client_order_id="",
        side=Side.BUY,
        price=Price(Decimal("60000.1")),
        quantity=Quantity(Decimal("0.25")),
        fee=Money(Decimal("0.01")),
        realised_pnl=Money(Decimal(0)),
        at=now,
    )


def make_burst(now: datetime, *trade_ids: str, sym: Symbol = BTC) -> Burst:
    return Burst(sym, "1", tuple(make_fill(trade_id, now, sym=sym) for trade_id in trade_ids))
