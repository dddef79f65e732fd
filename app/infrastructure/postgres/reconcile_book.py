"""The book of reconciling in PostgreSQL: our side of an account, its marks, and exits that were not ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.trading.drift import AccountToCompare
from app.application.trading.protect_ports import StoredProtection
from app.application.trading.reconcile_ports import (
    ACCEPTED,
    AccountState,
    DriftCause,
    Known,
    Mark,
    OutsideExit,
    ReconcileSession,
)
from app.domain.shared.clock import Clock, epoch_ms
from app.domain.shared.events import Event
from app.domain.shared.execution import Fill
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId
from app.domain.shared.market import Symbol
from app.domain.shared.money import Money
from app.domain.trading.decision import DECISION_SENTENCES
from app.domain.trading.divergence import Lot
from app.infrastructure.postgres import reconcile_sql as sql
from app.infrastructure.postgres.execution_session import PostgresExecutionSession
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.outbox import append_events
from app.infrastructure.postgres.protection_book import stored_protection
from app.infrastructure.postgres.readers_drift import PostgresDriftBook
from app.infrastructure.postgres.transaction import transaction
from app.infrastructure.postgres.wallet_sql import SYNC_WALLET


class PostgresReconcileSession(PostgresExecutionSession):
    """ReconcileSession."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self._adopting = connection
        self._adopted_at = now

    async def lots(self, account: AccountId, symbol: Symbol) -> tuple[Lot, ...]:
        """Lock the account and return its lots on a market."""
        await self._adopting.execute(sql.LOCK_ACCOUNT, {"account": account})
        rows = await self._adopting.execute(sql.LOTS, {"account": account, "symbol": symbol})
        return tuple(Lot(FollowId(row.follow_id), row.quantity) for row in rows)

    async def adopt(self, exits: Sequence[OutsideExit]) -> None:
        """Store each with signal, decision, trade and order."""
        values = {
            "follow": [each.follow_id for each in exits],
            "signal": [each.signal_id for each in exits],
            "account": [each.account_id for each in exits],
            "venue": [each.venue.value for each in exits],
            "symbol": [each.symbol for each in exits],
            "side": [each.side.value for each in exits],
            "quantity": [each.quantity for each in exits],
            "price": [each.price for each in exits],
            "cid": [each.client_order_id for each in exits],
            "order": [each.venue_order_id for each in exits],
            "code": [each.code.value for each in exits],
            "reason": [DECISION_SENTENCES[each.code] for each in exits],
            "notes": [json.dumps(dict(each.notes)) for each in exits],
            "at_ms": [epoch_ms(each.at) for each in exits],
            "now": self._adopted_at,
        }
        await self._adopting.execute(sql.ADOPT, values)

    async def in_doubt(self, account: AccountId, symbol: Symbol) -> Sequence[str]:
        """Return the client order ids on a market whose end is not known and booked."""
        rows = await self._adopting.execute(sql.IN_DOUBT, {"account": account, "symbol": symbol})
        return rows.scalars().all()

    async def forget(self, account: AccountId, symbol: Symbol) -> None:
        """Remove a market's mark."""
        await self._adopting.execute(sql.UNMARK, {"account": account, "what": [symbol]})


class PostgresReconcileBook:
    """ReconcileBook."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def accounts(self) -> Sequence[AccountToCompare]:
        """Return the accounts that can be compared."""
        return await PostgresDriftBook(self._engine).accounts()

    async def state(self, account: AccountId) -> AccountState:
        """Return our books of an account, all of one snapshot."""
        async with translated(), self._engine.connect() as connection:
            snapshot = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            values = {"account": account}
            held = (await snapshot.execute(sql.LOTS, {**values, "symbol": None})).all()
            busy = (await snapshot.execute(sql.BUSY, values)).scalars().all()
            funds = (await snapshot.execute(sql.FUNDS, values)).one()
            marks = (await snapshot.execute(sql.MARKS, values)).mappings().all()
        lots: dict[Symbol, list[Lot]] = {}
        opened: dict[Symbol, datetime] = {}
        for row in held:
            lots.setdefault(Symbol(row.symbol), []).append(Lot(FollowId(row.follow_id), row.quantity))
            opened.setdefault(Symbol(row.symbol), row.opened_at)
        return AccountState(
            lots={symbol: tuple(each) for symbol, each in lots.items()},
            opened=opened,
            busy=frozenset(Symbol(symbol) for symbol in busy),
            settled=funds.settled,
            wallet=Money(funds.wallet),
            coins_cost=Money(funds.coins_cost),
            marks={row["what"]: _mark(row) for row in marks},
        )

    async def known(self, account: AccountId, symbol: Symbol, fills: Sequence[Fill]) -> Known:
        """Return what we know of these fills of a market."""
        values = {
            "account": account,
            "symbol": symbol,
            "trades": sorted({fill.trade_id for fill in fills}),
        }
        orders = {
            "account": account,
            "symbol": symbol,
            "orders": sorted({fill.order_id for fill in fills}),
        }
        async with translated(), self._engine.connect() as connection:
            booked = (await connection.execute(sql.BOOKED, values)).all()
            ours = (await connection.execute(sql.ORDERS, orders)).all()
        return Known(
            booked={row.trade_id: row.moved for row in booked},
            orders={row.venue_order_id: ClientOrderId(row.client_order_id) for row in ours},
        )

    async def ours(self, account: AccountId, client_order_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these ids name an order or a protection of ours."""
        values = {"account": account, "cids": list(client_order_ids)}
        async with translated(), self._engine.connect() as connection:
            return frozenset((await connection.execute(sql.OURS, values)).scalars())

    async def accepted_until(self, account: AccountId, symbol: Symbol) -> datetime | None:
        """Return when an operator last accepted the venue's word on a market."""
        values = {"account": account, "symbol": symbol, "mark": ACCEPTED}
        async with translated(), self._engine.connect() as connection:
            found: datetime | None = await connection.scalar(sql.ACCEPTED_UNTIL, values)
        return found

    async def protections(self, account: AccountId, symbol: Symbol) -> Sequence[StoredProtection]:
        """Return the protections of a market that are not over."""
        values = {"account": account, "symbol": symbol}
        async with translated(), self._engine.connect() as connection:
            rows = (await connection.execute(sql.PROTECTIONS, values)).mappings().all()
        return [stored_protection(row) for row in rows]

    def session(self) -> AbstractAsyncContextManager[ReconcileSession]:
        """Begin a transaction; leaving it without an error commits."""
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ReconcileSession]:
        async with translated(), transaction(self._engine, "reconcile.exit") as connection:
            yield PostgresReconcileSession(connection, self._clock.now())

    async def mark(self, account: AccountId, mark: Mark, events: Sequence[Event]) -> None:
        """Remember a difference in place of what was remembered of the same, and tell of it."""
        values = {
            "account": account,
            "what": mark.what,
            "kind": mark.cause.value,
            "ours": mark.ours,
            "theirs": mark.theirs,
            "looks": mark.looks,
            "frozen": mark.frozen,
            "since": mark.since,
            "looked_at": mark.looked_at,
        }
        async with translated(), transaction(self._engine, "reconcile.mark") as connection:
            await connection.execute(sql.MARK, values)
            if events:
                await append_events(connection, events)

    async def unmark(self, account: AccountId, what: Sequence[str]) -> None:
        """Forget differences that are gone."""
        async with translated(), transaction(self._engine, "reconcile.unmark") as connection:
            await connection.execute(sql.UNMARK, {"account": account, "what": list(what)})

    async def adjust_wallet(
        self, account: AccountId, seen: Money, wallet: Money, at: datetime, *, beside_coins: bool
    ) -> bool:
        """Set the wallet to the venue's word. It is no result of trading: the high-water mark moves with it."""
        async with translated(), transaction(self._engine, "reconcile.wallet") as connection:
            was = (await connection.execute(sql.LOCK_ACCOUNT, {"account": account})).one()
            if was.wallet != seen or await connection.scalar(sql.OUT, {"account": account}):
                return False
            values = {
                "account": account,
                "wallet": wallet,
                "at": at,
                "key": f"sync:{at.isoformat()}",
                "counts_coins": beside_coins,
            }
            await connection.execute(SYNC_WALLET, values)
            kept = {"account": account, "high_water": was.high_water, "was": was.wallet}
            await connection.execute(sql.KEEP_HIGH_WATER, kept)
        return True


def _mark(row: RowMapping) -> Mark:
    return Mark(
        what=row["what"],
        cause=DriftCause(row["kind"]),
        ours=row["ours"],
        theirs=row["theirs"],
        looks=row["looks"],
        frozen=row["frozen"],
        since=row["since"],
        looked_at=row["looked_at"],
    )
