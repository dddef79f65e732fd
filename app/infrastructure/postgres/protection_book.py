"""The book of protections in PostgreSQL. Each change names the state that it leaves, so that of two workers one wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.shared.uow import UnitOfWorkFactory
from app.application.trading.protect_ports import Guarded, Looked, StoredProtection
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId, WhaleId
from app.domain.shared.market import MarketKind, Side, Symbol, Venue
from app.domain.shared.money import Price, Quantity, plain, settle_down
from app.domain.shared.protection_terms import of_plain
from app.domain.shared.triggers import TriggerKind
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode
from app.domain.trading.protection import ProtectionState
from app.infrastructure.postgres import protection_sql as sql
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.rows import LOOKS_STORED_MAX
from app.infrastructure.postgres.transaction import transaction


class PostgresProtectionBook:
    """ProtectionBook."""

    def __init__(self, engine: AsyncEngine, uow: UnitOfWorkFactory) -> None:
        self._engine = engine
        self._uow = uow

    async def guarded(self) -> Sequence[Guarded]:
        """Return every position whose terms ask for protection or that still has a live one."""
        async with translated(), self._engine.connect() as connection:
            found = (await connection.execute(sql.GUARDED)).mappings().all()
            if not found:
                return ()
            keys = {
                "follow": [row["follow_id"] for row in found],
                "symbol": [row["symbol"] for row in found],
            }
            rows = (await connection.execute(sql.ROWS, keys)).mappings().all()
            newest = (await connection.execute(sql.NEWEST, keys)).mappings().all()
        stored: dict[tuple[int, str], list[StoredProtection]] = {}
        for row in rows:
            stored.setdefault((row["follow_id"], row["symbol"]), []).append(stored_protection(row))
        last: dict[tuple[int, str], dict[str, int]] = {}
        for row in newest:
            last.setdefault((row["follow_id"], row["symbol"]), {})[row["rung"]] = row["attempt"]
        return [
            _guarded(row, tuple(stored.get(key, ())), last.get(key, {}))
            for row in found
            for key in [(row["follow_id"], row["symbol"])]
        ]

    async def begin(self, rows: Sequence[StoredProtection]) -> frozenset[ClientOrderId]:
        """Store new attempts before they are sent; return those that are ours to send."""
        ours: set[ClientOrderId] = set()
        async with translated(), transaction(self._engine, "protection.begin") as connection:
            for row in sorted(rows, key=lambda row: row.account_id):
                if not await _may_place(connection, row):
                    continue  # it was wanted on a view that is old by now
                if await connection.scalar(sql.BEGIN, _values(row)) is not None:
                    ours.add(row.client_order_id)
        return frozenset(ours)

    async def change(self, row: StoredProtection, was: ProtectionState) -> bool:
        """Store what became of one attempt; False when another changed it first."""
        async with translated(), transaction(self._engine, "protection.change") as connection:
            return await connection.scalar(sql.CHANGE, {**_values(row), "was": was.value}) is not None

    async def trigger(self, row: StoredProtection, was: ProtectionState, at: datetime) -> bool:
        """Store that it triggered, and the exit that it became, in one piece."""
        code = DecisionCode.PROTECTION_TRIGGERED
        values = {
            **_values(row),
            "was": was.value,
            "signal": row.signal_id,
            "follow": row.follow_id,
            "account": row.account_id,
            "at": at,
            "trace": f"protection:{row.rung}:{row.attempt}",
            "code": code.value,
            "reason": DECISION_SENTENCES[code],
            "inputs": orjson.dumps({"rung": row.rung, "trigger": plain(row.trigger)}).decode(),
        }
        async with translated(), transaction(self._engine, "protection.trigger") as connection:
            await connection.execute(sql.LOCK_ACCOUNT, values)
            changed = {**values, "code": row.code}
            if await connection.scalar(sql.CHANGE, changed) is None:
                return False
            for statement in (
                sql.BECOMES_SIGNAL,
                sql.BECOMES_DECISION,
                sql.BECOMES_TRADE,
                sql.BECOMES_ORDER,
            ):
                await connection.execute(statement, values)
        return True

    async def by_client_id(self, client_order_id: str) -> StoredProtection | None:
        """Return our protection of this id, None when it is not one of ours."""
        async with translated(), self._engine.connect() as connection:
            result = await connection.execute(sql.BY_CLIENT_ID, {"client_order_id": client_order_id})
            row = result.mappings().one_or_none()
        return None if row is None else stored_protection(row)

    async def due(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Looked]:
        """Take protections whose fate must be looked up now."""
        values = {"now": now, "limit": limit, "hidden_until": now + hide_for}
        async with translated(), transaction(self._engine, "protection.due") as connection:
            rows = (await connection.execute(sql.DUE, values)).mappings().all()
        return [Looked(stored_protection(row), row["sealed"]) for row in rows]

    async def remember(self, position: Guarded, best: Price | None, bare_since: datetime | None) -> None:
        """Store the best mark since the position was opened, and since when it lacks its stop."""
        values = {
            "follow": position.follow_id,
            "symbol": position.symbol,
            "opened_at": position.opened_at,
            "best": best,
            "bare_since": bare_since,
            "is_long": position.quantity > 0,
        }
        async with translated(), transaction(self._engine, "protection.remember") as connection:
            await connection.execute(sql.REMEMBER, values)

    async def asked(self, exits: Sequence[SignalId]) -> frozenset[SignalId]:
        """Return which of these exits were asked for before."""
        if not exits:
            return frozenset()
        async with translated(), self._engine.connect() as connection:
            found = await connection.execute(sql.ASKED, {"ids": list(exits)})
            return frozenset(SignalId(signal_id) for signal_id in found.scalars())

    async def may_sell(self, follows: Sequence[FollowId], symbol: Symbol) -> Sequence[Looked]:
        """Return the protections of these follows on a market that are not proven over."""
        values = {"follow": list(follows), "symbol": symbol}
        async with translated(), self._engine.connect() as connection:
            rows = (await connection.execute(sql.FOR_MAY_SELL, values)).mappings().all()
        return [Looked(stored_protection(row), row["sealed"]) for row in rows]

    async def reopen(self, row: StoredProtection) -> Sequence[tuple[SignalId, Lane]]:
        """Put back in line what waited for this follow's protections: its exits, and entries of the account's others."""
        values = {"follow": row.follow_id, "account": row.account_id, "symbol": row.symbol}
        async with translated(), transaction(self._engine, "protection.reopen") as connection:
            exits = (await connection.execute(sql.REOPEN, values)).all()
            entries = (await connection.execute(sql.REOPEN_ENTRIES, values)).all()
            return [(SignalId(signal_id), Lane(lane)) for signal_id, lane in [*exits, *entries]]

    async def number(self, row: StoredProtection, at: datetime) -> bool:
        """Store the venue's number of the order that a triggered one became, and let that order be looked up."""
        values = {**_values(row), "account": row.account_id, "at": at}
        async with translated(), transaction(self._engine, "protection.number") as connection:
            await connection.execute(sql.LOCK_ACCOUNT, values)
            if await connection.scalar(sql.NUMBER, values) is None:
                return False
            await connection.execute(sql.NUMBER_ORDER, values)
        return True

    async def leave(self, signal: Signal) -> tuple[SignalId, Lane] | None:
        """Add an exit of one follow; None when it was asked for before."""
        signal.accepted()
        async with self._uow() as work:
            if not await work.signals.add(signal):
                return None
            await work.commit()
        return signal.id, signal.lane

    async def spent(self, signal: Signal) -> datetime | None:
        """Return when an exit was asked for, if it closed what it could and is over."""
        async with translated(), self._engine.connect() as connection:
            values = {"signal": signal.id, "follow": signal.scope}
            found: datetime | None = await connection.scalar(sql.SPENT, values)
            return found


async def _may_place(connection: AsyncConnection, row: StoredProtection) -> bool:
    """Lock the account, as who commits an order or books one does; return whether the row could sell its follow's lot alone."""
    await connection.execute(sql.LOCK_ACCOUNT, {"account": row.account_id})
    is_spot = CAPABILITIES[row.venue].kind is MarketKind.SPOT
    return bool(await connection.scalar(sql.MAY_PLACE, {**_values(row), "is_spot": is_spot}))


def _values(row: StoredProtection) -> dict[str, object]:
    return {
        "follow_id": row.follow_id,
        "symbol": row.symbol,
        "rung": row.rung,
        "attempt": row.attempt,
        "account_id": row.account_id,
        "venue": row.venue.value,
        "client_order_id": row.client_order_id,
        "signal_id": row.signal_id,
        "kind": row.kind.value,
        "side": row.side.value,
        "trigger": row.trigger,
        "quantity": row.quantity,
        "state": row.state.value,
        "protection_id": row.protection_id,
        "order_id": row.order_id,
        "signed_ms": row.signed_ms,
        "valid_ms": row.valid_ms,
        "looks": min(row.looks, LOOKS_STORED_MAX),
        "look_at": row.look_at,
        "code": row.code,
        "message": row.message,
    }


def stored_protection(row: RowMapping) -> StoredProtection:
    """Return the protection of a row that holds all of the table's columns."""
    return StoredProtection(
        follow_id=FollowId(row["follow_id"]),
        symbol=Symbol(row["symbol"]),
        rung=row["rung"],
        attempt=row["attempt"],
        account_id=AccountId(row["account_id"]),
        venue=Venue(row["venue"]),
        client_order_id=ClientOrderId(row["client_order_id"]),
        signal_id=SignalId(row["signal_id"]),
        kind=TriggerKind(row["kind"]),
        side=Side(row["side"]),
        trigger=Price(row["trigger"]),
        quantity=Quantity(row["quantity"]),
        state=ProtectionState(row["state"]),
        signed_ms=row["signed_ms"],
        valid_ms=row["valid_ms"],
        protection_id=row["protection_id"],
        order_id=row["order_id"],
        looks=row["looks"],
        look_at=row["look_at"],
        code=row["code"],
        message=row["message"],
        updated_at=row["updated_at"],
    )


def _guarded(row: RowMapping, rows: tuple[StoredProtection, ...], newest: dict[str, int]) -> Guarded:
    entry = settle_down(row["cost"] / abs(row["quantity"])) if row["quantity"] else None
    return Guarded(
        follow_id=FollowId(row["follow_id"]),
        whale_id=WhaleId(row["whale_id"]),
        account_id=AccountId(row["account_id"]),
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        sealed=row["sealed"],
        hedged=row["hedged"],
        terms=of_plain(row["protection"]),
        quantity=row["quantity"],
        entry=None if entry is None else Price(entry),
        opened_at=row["opened_at"],
        best=None if row["best"] is None else Price(row["best"]),
        bare_since=row["bare_since"],
        leaving=row["leaving"],
        shared=row["shared"],
        rows=rows,
        newest=newest,
    )
