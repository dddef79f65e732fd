"""The execution book: opens sessions, and finds work that was left behind by a crash, a lost reply or a wait.

Whatever it hands out is hidden from other workers for a while by moving the row's own time forward: no lock is
held while the venue is asked, and a worker that dies gives its work back by doing nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.execution_ports import (
    AttemptKey,
    Doubt,
    ExecutionSession,
    LedgerEntry,
    Resend,
    WaitingTrade,
)
from app.application.trading.ports import Window
from app.domain.risk.assess import standing_denial
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits, tightest
from app.domain.shared.clock import Clock
from app.domain.shared.ids import AccountId, ClientOrderId, SignalId
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY, ZERO, Money, Quantity
from app.domain.signals.priority import Lane
from app.domain.trading.decision import DecisionCode
from app.infrastructure.postgres import copy_sql, execution_sql
from app.infrastructure.postgres import recovery_sql as sql
from app.infrastructure.postgres.execution_session import PostgresExecutionSession, stored_attempt
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.transaction import transaction
from app.infrastructure.postgres.wallet_sql import (
    BOOK_FUNDING,
    BOOK_TRANSFER,
    LEVERAGE,
    MAY_SYNC,
    SYNC_WALLET,
)

NO_LIMITS: Final = Limits()


class PostgresExecutionBook:
    """The execution book in PostgreSQL. `platform` are the operator's limits, which no user can widen."""

    def __init__(self, engine: AsyncEngine, clock: Clock, platform: Limits = NO_LIMITS) -> None:
        self._engine = engine
        self._platform = platform
        self._clock = clock

    def session(self) -> AbstractAsyncContextManager[ExecutionSession]:
        """Begin a transaction; leaving it without an error commits."""
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ExecutionSession]:
        async with translated(), transaction(self._engine, "execution") as connection:
            yield PostgresExecutionSession(connection, self._clock.now())

    async def doubts(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Doubt]:
        """Take attempts whose fate must be looked up now."""
        values = {"now": now, "limit": limit, "hidden_until": now + hide_for}
        async with transaction(self._engine, "doubts") as connection:
            return [_doubt(row) for row in (await connection.execute(sql.DOUBTS, values)).mappings()]

    async def unbooked(self, now: datetime, older_than: timedelta, limit: int) -> Sequence[Doubt]:
        """Return attempts whose executions were reported and whose fills are still missing."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sql.UNBOOKED, {"before": now - older_than, "limit": limit})
            return [_doubt(row) for row in rows.mappings()]

    async def waiting(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[WaitingTrade]:
        """Take trades of which nothing is out and that may be sent now."""
        values = {"now": now, "limit": limit, "hidden_until": now + hide_for, "today": now.date()}
        async with transaction(self._engine, "waiting") as connection:
            rows = (await connection.execute(sql.WAITING, values)).mappings()
            return [_waiting(row, self._platform) for row in rows]

    async def resubmit(self, ready: Sequence[Resend], window: Window) -> frozenset[ClientOrderId]:
        """Store new attempts and return those that are now ours to send."""
        keys = [item.waiting.attempt.key for item in ready]
        values = {
            "follow": [key.follow_id for key in keys],
            "signal": [key.signal_id for key in keys],
            "leg": [key.leg.value for key in keys],
            "attempt": [key.attempt + 1 for key in keys],
            "cid": [item.client_order_id for item in ready],
            "quantity": [item.quantity for item in ready],
            "signed_ms": window.signed_ms,
            "valid_ms": window.valid_ms,
            "look_at": window.look_at,
        }
        accounts = {
            "account": [item.waiting.attempt.account_id for item in ready],
            "enters": not all(item.waiting.attempt.reduce_only for item in ready),
        }
        async with translated(), transaction(self._engine, "resubmit") as connection:
            await connection.execute(copy_sql.LOCK_ACCOUNTS, accounts)
            rows = await connection.execute(sql.RESUBMIT, values)
            return frozenset(ClientOrderId(cid) for cid in rows.scalars())

    async def abandon(self, trades: Sequence[tuple[AttemptKey, str, str]]) -> None:
        """Give trades up for good."""
        values = {
            "follow": [key.follow_id for key, _, _ in trades],
            "signal": [key.signal_id for key, _, _ in trades],
            "leg": [key.leg.value for key, _, _ in trades],
            "code": [code for _, code, _ in trades],
            "reason": [reason for _, _, reason in trades],
        }
        keys = {name: values[name] for name in ("follow", "signal", "leg")}
        async with translated(), transaction(self._engine, "abandon") as connection:
            await connection.execute(execution_sql.LOCK_ACCOUNTS_OF_TRADES, keys)
            await connection.execute(sql.ABANDON, values)

    async def deferred(self, limit: int) -> Sequence[tuple[SignalId, Lane]]:
        """Put finished signals whose deferred decisions can be taken now back in line."""
        async with transaction(self._engine, "deferred") as connection:
            rows = await connection.execute(sql.DEFERRED, {"limit": limit})
            return [(SignalId(signal_id), Lane(lane)) for signal_id, lane in rows]

    async def known_order_ids(self, account: AccountId, symbol: Symbol, since: datetime) -> frozenset[str]:
        """Return the venue's ids of all orders that we know on an account's market."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sql.KNOWN, {"account": account, "symbol": symbol, "since": since})
            return frozenset(rows.scalars())

    async def held(self, account: AccountId, symbol: Symbol) -> Decimal | None:
        """Return what all follows together hold on an account's market; None while an entry may be executing there."""
        async with self._engine.connect() as connection:
            held: Decimal | None = await connection.scalar(sql.HELD, {"account": account, "symbol": symbol})
        return held

    async def sync_wallet(
        self, account: AccountId, wallet: Money, at: datetime, *, beside_coins: bool = False
    ) -> None:
        """Set the wallet to the venue's word; the difference becomes a ledger entry.

        While a trade of the account is not settled the word is taken the first time alone: it may count money that the
        trade's fills will move once more.
        """
        values = {
            "account": account,
            "wallet": wallet,
            "at": at,
            "key": f"sync:{at.isoformat()}",
            "counts_coins": beside_coins,
        }
        async with transaction(self._engine, "wallet") as connection:
            if await connection.scalar(MAY_SYNC, values):
                await connection.execute(SYNC_WALLET, values)

    async def book_funding(self, entries: Sequence[LedgerEntry]) -> None:
        """Book funding payments, each once, into wallet and position."""
        async with transaction(self._engine, "funding") as connection:
            for entry in entries:
                values = {
                    "account": entry.account_id,
                    "key": entry.entry_key,
                    "amount": entry.amount,
                    "symbol": entry.symbol,
                    "at": entry.at,
                    "today": self._clock.now().date(),
                }
                await connection.execute(BOOK_FUNDING, values)

    async def holds_positions(self, account: AccountId) -> bool:
        """Return whether the account holds anything."""
        statement = text(
            "SELECT EXISTS (SELECT FROM positions WHERE account_id = :account AND quantity <> 0)"
        )
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(statement, {"account": account}))

    async def book_transfer(self, entry: LedgerEntry) -> None:
        """Book a deposit or withdrawal, once."""
        values = {
            "account": entry.account_id,
            "key": entry.entry_key,
            "kind": entry.kind,
            "amount": entry.amount,
            "at": entry.at,
        }
        async with transaction(self._engine, "transfer") as connection:
            await connection.execute(BOOK_TRANSFER, values)

    async def leverage_is(self, told: Sequence[tuple[AccountId, Symbol, int]]) -> None:
        """Remember what the venue was told."""
        newest = sorted({(account, symbol): leverage for account, symbol, leverage in told}.items())
        values = {
            "account": [account for (account, _), _ in newest],
            "symbol": [symbol for (_, symbol), _ in newest],
            "leverage": [leverage for _, leverage in newest],
        }
        async with transaction(self._engine, "leverage") as connection:
            await connection.execute(LEVERAGE, values)


def _doubt(row: RowMapping) -> Doubt:
    return Doubt(
        attempt=stored_attempt(row),
        sealed=row["sealed"],
        signal_expires_at=row["expires_at"],
        superseded=row["superseded"],
        shared=row["shared"],
    )


def _waiting(row: RowMapping, platform: Limits) -> WaitingTrade:
    attempt = stored_attempt(row)
    denied = None
    if not attempt.reduce_only:
        own = Limits(daily_loss_max=row["own_daily"], drawdown_max=row["own_drawdown"])
        account = Exposure(
            wallet=Money(row["wallet"]),
            free=Money(row["free"]),
            high_water=Money(row["high_water"]),
            realised_today=Money(row["realised_today"]),
            symbol_notional=NO_MONEY,
            total_notional=NO_MONEY,
            positions=0,
            other_quantity=ZERO,
            entries_halted=row["halted"],
        )
        denied = standing_denial(account, tightest((platform, own)))
    return WaitingTrade(
        attempt=attempt,
        sealed=row["sealed"],
        signal_expires_at=row["expires_at"],
        superseded=row["superseded"],
        closable=Quantity(row["closable"]),
        hedged=row["hedged"],
        stopped=None if row["stopped"] is None else DecisionCode(row["stopped"]),
        denied=denied,
    )
