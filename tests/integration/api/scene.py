"""A small stored world: an operator, a leader, a follower who copied and was refused, and another follower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action, Leg
from app.domain.shared.ids import AccountId, FollowId, SignalId, UserId, WhaleId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.shared.terms import CopyMode, CopyTerms
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState
from app.domain.users.account import KeyPermissions
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from app.infrastructure.clock import SystemClock
from app.infrastructure.postgres.schema import decisions, leader_positions, orders, positions, trades
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.integration.api.venue import BTC

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TERMS = CopyTerms(mode=CopyMode.FIXED_AMOUNT, value=Decimal(250))
ORDER_ID = "c0123456789abcdefghijklmne0"


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a token, a verified account, and (followers) a follow of the leader."""

    user_id: UserId
    token: str
    account_id: AccountId
    follow_id: FollowId | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Scene:
    """`owner` holds 0.004 BTC after `signals[0]` and was skipped on `signals[1]`; `other` has nothing but a follow.

    `idle` and `condemned` follow nobody; what is done to a user, such as a suspension, is done to `condemned` alone.
    """

    operator: Person
    owner: Person
    other: Person
    idle: Person
    condemned: Person
    whale_id: WhaleId
    signals: Sequence[UUID]
    order_id: str = ORDER_ID


async def make_scene(engine: AsyncEngine) -> Scene:
    async with PostgresUnitOfWork(engine, SystemClock()) as work:
        operator = await _person(work, Role.OPERATOR)
        whale = await work.whales.add("north", Venue.BINANCE_USDM, operator.account_id, WhaleTier.STANDARD)
        owner = await _person(work, Role.FOLLOWER, whale.id)
        other = await _person(work, Role.FOLLOWER, whale.id)
        idle = await _person(work, Role.FOLLOWER)
        condemned = await _person(work, Role.FOLLOWER)
        signals = [_signal(whale.id, number) for number in range(2)]
        for signal in signals:
            await work.signals.add(signal)
        await work.commit()
    await _traded(engine, owner, whale.id, signals)
    return Scene(operator, owner, other, idle, condemned, whale.id, [signal.id for signal in signals])


async def _person(work: PostgresUnitOfWork, role: Role, whale: WhaleId | None = None) -> Person:
    user = await work.users.add("Ada", role)
    token = await work.tokens.issue(user.id, "test")
    account = await work.accounts.add(user.id, Venue.BINANCE_USDM, "main")
    account.sealed = b"sealed"
    account.judge(KeyPermissions(can_trade=True, can_withdraw=False, ip_restricted=True), NOW)
    await work.accounts.save(account)
    follow = None if whale is None else await work.follows.add(user.id, whale, account.id, TERMS)
    return Person(user.id, token, account.id, None if follow is None else follow.id)


def _signal(whale: WhaleId, number: int) -> Signal:
    at = NOW + timedelta(seconds=number)
    return Signal(
        id=SignalId(uuid4()),
        source=SignalSource.LEADER,
        whale_id=whale,
        venue=Venue.BINANCE_USDM,
        symbol=BTC,
        action=Action.OPEN,
        side=Side.BUY,
        quantity=Quantity(Decimal("0.5")),
        fraction=Decimal(1),
        reference_price=Price(Decimal(64000)),
        priority=Priority.MEDIUM,
        leader_at=at,
        created_at=at,
        trace_id="trace",
        expires_at=at + timedelta(seconds=10),
    )


async def _traded(engine: AsyncEngine, owner: Person, whale: WhaleId, signals: Sequence[Signal]) -> None:
    key = {"follow_id": owner.follow_id, "signal_id": signals[0].id}
    leg = {**key, "leg": Leg.ENTRY.value, "account_id": owner.account_id}
    skipped = {**key, "signal_id": signals[1].id, "outcome": DecisionOutcome.SKIPPED.value}
    async with engine.begin() as connection:
        await connection.execute(
            insert(decisions),
            [
                {**key, "outcome": "COPIED", "code": "AS_ASKED", "reason": "Copied.", "inputs": {}},
                {**skipped, "code": "PRICE_DRIFTED", "reason": "It moved.", "inputs": {"mark": "1"}},
            ],
        )
        await connection.execute(
            insert(trades).values(
                **leg,
                venue=Venue.BINANCE_USDM.value,
                symbol=BTC,
                side=Side.BUY.value,
                reduce_only=False,
                quantity=Decimal("0.004"),
                leverage=10,
                reference_price=Decimal(64000),
                hold=Decimal(30),
                hold_left=Decimal(0),
                state=TradeState.FILLED.value,
                attempt=0,
                settled=True,
            )
        )
        await connection.execute(
            insert(orders).values(
                **leg,
                attempt=0,
                client_order_id=ORDER_ID,
                state=OrderState.FILLED.value,
                signed_ms=1,
                valid_ms=5000,
                quantity=Decimal("0.004"),
                executed=Decimal("0.004"),
                average_price=Decimal(64000),
            )
        )
        await connection.execute(
            insert(positions).values(
                account_id=owner.account_id,
                symbol=BTC,
                follow_id=owner.follow_id,
                quantity=Decimal("0.004"),
                cost=Decimal(252),
                margin=Decimal("25.2"),
                realised=Decimal("1.5"),
                fees=Decimal("0.1"),
                funding=Decimal("-0.01"),
                opened_at=NOW,
            )
        )
        await connection.execute(
            insert(leader_positions).values(whale_id=whale, symbol=BTC, quantity=Decimal("0.5"))
        )
