"""What executions change, in set-based statements: attempts, trades, positions, funds, fills, ledger, decisions.

One session is one transaction. The funds rows of the accounts concerned are its lock, taken first and in order, so
that everything of one account happens one after another and two sessions never deadlock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.application.trading.execution_ports import (
    AttemptKey,
    BookedFill,
    Changes,
    DecisionChange,
    FundsChange,
    LedgerEntry,
    LeftSince,
    OrderChange,
    StoredAttempt,
    TradeChange,
)
from app.domain.shared.execution import Leg
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Quantity
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from app.infrastructure.postgres import execution_sql as sql
from app.infrastructure.postgres.outbox import append_events
from app.infrastructure.postgres.rows import LOOKS_STORED_MAX, signal_of, signal_values
from app.infrastructure.postgres.schema import signals

PositionKey = tuple[AccountId, Symbol, FollowId]


class PostgresExecutionSession:
    """One transaction of the execution book."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def attempts(self, client_order_ids: Sequence[str]) -> Mapping[str, StoredAttempt]:
        """Lock the accounts and return our attempts among these ids."""
        ids = {"cids": list(client_order_ids)}
        await self._connection.execute(sql.LOCK, ids)
        rows = (await self._connection.execute(sql.ATTEMPTS, ids)).mappings()
        return {row["client_order_id"]: stored_attempt(row) for row in rows}

    async def seen(
        self, fills: Sequence[tuple[AccountId, Symbol, str]]
    ) -> frozenset[tuple[AccountId, Symbol, str]]:
        """Return which of these fills are booked already."""
        values = {
            "account": [x[0] for x in fills],
            "symbol": [x[1] for x in fills],
            "trade": [x[2] for x in fills],
        }
        rows = await self._connection.execute(sql.SEEN, values)
        return frozenset((AccountId(a), Symbol(s), str(t)) for a, s, t in rows)

    async def positions(self, keys: Sequence[PositionKey]) -> Mapping[PositionKey, Position]:
        """Return the positions as they stand; a missing one is flat."""
        values = {
            "account": [k[0] for k in keys],
            "symbol": [k[1] for k in keys],
            "follow": [k[2] for k in keys],
        }
        rows = (await self._connection.execute(sql.POSITIONS, values)).mappings()
        found = {(row["account_id"], row["symbol"], row["follow_id"]): _position(row) for row in rows}
        return {key: found.get(key, Position()) for key in keys}

    async def write(self, changes: Changes) -> None:
        """Write everything."""
        run = self._connection.execute
        if changes.orders:
            await run(sql.ORDERS, _order_values(changes.orders))
        if changes.trades:
            await run(sql.TRADES, _trade_values(changes.trades))
        if changes.positions:
            await run(sql.STORE_POSITIONS, _position_values(changes.positions))
        if changes.funds:
            await run(sql.FUNDS, _funds_values(changes.funds) | {"today": self._now.date()})
        if changes.fills:
            await run(sql.FILLS, _fill_values(changes.fills))
        if changes.ledger:
            await run(sql.LEDGER, ledger_values(changes.ledger))
        if changes.decisions:
            await run(sql.DECISIONS, _decision_values(changes.decisions))
        if changes.events:
            await append_events(self._connection, changes.events)

    async def reopen(self, follows: Sequence[FollowId]) -> Sequence[tuple[SignalId, Lane]]:
        """Put signals with deferred decisions of these follows back in line."""
        rows = await self._connection.execute(sql.REOPEN, {"follow": list(follows)})
        return [(SignalId(signal_id), Lane(lane)) for signal_id, lane in rows]

    async def left_since(self, entries: Sequence[tuple[FollowId, SignalId]]) -> Sequence[LeftSince]:
        """Return those of these entries whose follow was told to leave the market since."""
        values = {"follow": [follow for follow, _ in entries], "signal": [signal for _, signal in entries]}
        rows = (await self._connection.execute(sql.LEFT_SINCE, values)).mappings()
        return [
            LeftSince(
                FollowId(row["follow_id"]), signal_of(row), row["fractions"], Quantity(row["exit_pending"])
            )
            for row in rows
        ]

    async def ask_exits(self, exits: Sequence[Signal]) -> Sequence[tuple[SignalId, Lane]]:
        """Store these signals; return those that are new."""
        statement = (
            insert(signals).on_conflict_do_nothing(index_elements=[signals.c.id]).returning(signals.c.id)
        )
        stored = await self._connection.scalars(statement, [signal_values(signal) for signal in exits])
        new = set(stored)
        return [(signal.id, signal.lane) for signal in exits if signal.id in new]


def stored_attempt(row: RowMapping) -> StoredAttempt:
    """Return the attempt of a row that holds ATTEMPT_COLUMNS."""
    return StoredAttempt(
        key=AttemptKey(
            FollowId(row["follow_id"]), SignalId(row["signal_id"]), Leg(row["leg"]), row["attempt"]
        ),
        account_id=AccountId(row["account_id"]),
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        side=Side(row["side"]),
        reduce_only=row["reduce_only"],
        client_order_id=ClientOrderId(row["client_order_id"]),
        order_state=OrderState(row["order_state"]),
        signed_ms=row["signed_ms"],
        valid_ms=row["valid_ms"],
        order_quantity=Quantity(row["order_quantity"]),
        order_executed=Quantity(row["order_executed"]),
        venue_order_id=row["venue_order_id"],
        looks=row["looks"],
        trade_state=TradeState(row["trade_state"]),
        trade_attempt=row["trade_attempt"],
        trade_quantity=Quantity(row["trade_quantity"]),
        trade_executed=Quantity(row["trade_executed"]),
        trade_booked=Quantity(row["trade_booked"]),
        leverage=row["leverage"],
        hold=Money(row["hold"]),
        hold_left=Money(row["hold_left"]),
        look_at=row["look_at"],
        retry_at=row["retry_at"],
    )


def _position(row: RowMapping) -> Position:
    return Position(
        quantity=row["quantity"],
        cost=Money(row["cost"]),
        margin=Money(row["margin"]),
        realised=Money(row["realised"]),
        fees=Money(row["fees"]),
        funding=Money(row["funding"]),
    )


def _keys(keys: Sequence[AttemptKey]) -> dict[str, object]:
    return {
        "follow": [key.follow_id for key in keys],
        "signal": [key.signal_id for key in keys],
        "leg": [key.leg.value for key in keys],
    }


def _order_values(changes: Sequence[OrderChange]) -> dict[str, object]:
    return _keys([c.key for c in changes]) | {
        "attempt": [c.key.attempt for c in changes],
        "state": [c.state.value for c in changes],
        "venue_order_id": [c.venue_order_id for c in changes],
        "executed": [c.executed for c in changes],
        "average": [c.average_price for c in changes],
        "code": [c.code for c in changes],
        "message": [c.message for c in changes],
        "looks": [min(c.looks, LOOKS_STORED_MAX) for c in changes],
        "look_at": [c.look_at for c in changes],
        "acked": [c.acked for c in changes],
    }


def _trade_values(changes: Sequence[TradeChange]) -> dict[str, object]:
    return _keys([c.key for c in changes]) | {
        "state": [c.state.value for c in changes],
        "executed": [c.executed for c in changes],
        "booked": [c.booked for c in changes],
        "hold_left": [c.hold_left for c in changes],
        "settled": [c.settled for c in changes],
        "retry_at": [c.retry_at for c in changes],
    }


def _position_values(changed: Mapping[PositionKey, Position]) -> dict[str, object]:
    made = list(changed.items())
    return {
        "account": [key[0] for key, _ in made],
        "symbol": [key[1] for key, _ in made],
        "follow": [key[2] for key, _ in made],
        "quantity": [p.quantity for _, p in made],
        "cost": [p.cost for _, p in made],
        "margin": [p.margin for _, p in made],
        "realised": [p.realised for _, p in made],
        "fees": [p.fees for _, p in made],
        "funding": [p.funding for _, p in made],
    }


def _funds_values(changes: Sequence[FundsChange]) -> dict[str, object]:
    return {
        "account": [c.account_id for c in changes],
        "wallet": [c.wallet for c in changes],
        "held": [c.held for c in changes],
        "margin": [c.margin for c in changes],
        "realised": [c.realised for c in changes],
    }


def _fill_values(fills: Sequence[BookedFill]) -> dict[str, object]:
    return _keys([f.key for f in fills]) | {
        "account": [f.account_id for f in fills],
        "symbol": [f.fill.symbol for f in fills],
        "trade": [f.fill.trade_id for f in fills],
        "side": [f.fill.side.value for f in fills],
        "price": [f.fill.price for f in fills],
        "quantity": [f.fill.quantity for f in fills],
        "fee": [f.fill.fee for f in fills],
        "realised": [f.fill.realised_pnl for f in fills],
        "base_fee": [f.fill.base_fee for f in fills],
        "at": [f.fill.at for f in fills],
    }


def ledger_values(entries: Sequence[LedgerEntry]) -> dict[str, object]:
    """Return ledger entries as arrays."""
    return {
        "account": [e.account_id for e in entries],
        "key": [e.entry_key for e in entries],
        "kind": [e.kind for e in entries],
        "amount": [e.amount for e in entries],
        "symbol": [e.symbol for e in entries],
        "at": [e.at for e in entries],
    }


def _decision_values(changes: Sequence[DecisionChange]) -> dict[str, object]:
    return {
        "follow": [c.follow_id for c in changes],
        "signal": [c.signal_id for c in changes],
        "outcome": [c.outcome.value for c in changes],
        "code": [c.code for c in changes],
        "reason": [c.reason for c in changes],
    }
