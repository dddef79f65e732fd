"""Every table, constraint and index: the one place where the shape of stored data is said.

Rules. Money, prices and quantities are NUMERIC(38,18), exact both ways; each is checked against NaN, since in
PostgreSQL NaN is greater than every number and would pass `> 0`. Hot tables (funds, decisions, trades, orders, fills,
positions) have keys that start with the follow or account and carry no foreign keys: a trigger for each row would cost
a third of the write, and a key that starts with the signal makes set-based updates scan the whole signal. Their rows
are written only by statements in this package. Names of constraints follow one convention, so that migrations can
name them.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    Numeric,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

AMOUNT: Final = Numeric(38, 18)
HOT: Final = {"fillfactor": "60"}
_NOW: Final = text("now()")
_ZERO: Final = text("0")
_ONE: Final = text("1")


def _number(name: str, *, floor: str) -> CheckConstraint:
    """Refuse NaN and what lies below the floor (`>= 0`, `> 0` or `> '-Infinity'`)."""
    return CheckConstraint(f"{name} {floor} AND {name} < 'Infinity'", name=name)


def _amounts(*names: str) -> tuple[CheckConstraint, ...]:
    return tuple(_number(name, floor=">= 0") for name in names)


def _signed(*names: str) -> tuple[CheckConstraint, ...]:
    return tuple(_number(name, floor="> '-Infinity'") for name in names)


def _above_zero(*names: str) -> tuple[CheckConstraint, ...]:
    return tuple(_number(name, floor="> 0") for name in names)


def _zero() -> Column[Decimal]:
    return Column(AMOUNT, nullable=False, server_default=_ZERO)


def _when() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=_NOW)


class UserColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    name: Named[str] = Column(Text)
    role: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    version: Named[int] = Column(BigInteger, server_default=_ONE)
    created_at = _when()


class TokenColumns(TypedColumns):
    token_hash = Column(LargeBinary, primary_key=True)
    user_id: Named[int] = Column(BigInteger, ForeignKey("users.id"), index=True)
    label: Named[str] = Column(Text)
    created_at = _when()
    revoked_at: Named[datetime | None] = Column(DateTime(timezone=True))


class AccountColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Named[int] = Column(BigInteger, ForeignKey("users.id"), index=True)
    venue: Named[str] = Column(Text)
    label: Named[str] = Column(Text)
    sealed: Named[bytes] = Column(LargeBinary)
    key_state: Named[str] = Column(Text)
    key_reason: Named[str] = Column(Text, server_default="")
    hedged: Named[bool] = Column(server_default=text("false"))
    version: Named[int] = Column(BigInteger, server_default=_ONE)
    created_at = _when()


class FundsColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    wallet = _zero()
    held = _zero()
    margin = _zero()
    high_water = _zero()
    realised_today = _zero()
    realised_day: Named[date | None]
    risk_version: Named[int] = Column(BigInteger, server_default=_ZERO)
    synced_at: Named[datetime | None] = Column(DateTime(timezone=True))


class LedgerColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    entry_key = Column(Text, primary_key=True)
    kind: Named[str] = Column(Text)
    amount: Named[Decimal] = Column(AMOUNT)
    symbol: Named[str | None] = Column(Text)
    at: Named[datetime] = Column(DateTime(timezone=True))


class AccountMarketColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    leverage: Named[int] = Column(SmallInteger)


class WhaleColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    name: Named[str] = Column(Text)
    venue: Named[str] = Column(Text)
    account_id: Named[int] = Column(BigInteger, ForeignKey("accounts.id"), unique=True)
    tier: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    watched_since: Named[datetime | None] = Column(DateTime(timezone=True))
    version: Named[int] = Column(BigInteger, server_default=_ONE)
    created_at = _when()


class LeaderPositionColumns(TypedColumns):
    whale_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    quantity = _zero()
    updated_at = _when()


class LeaderFillColumns(TypedColumns):
    whale_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    trade_id = Column(Text, primary_key=True)
    order_id: Named[str] = Column(Text)
    side: Named[str] = Column(Text)
    price: Named[Decimal] = Column(AMOUNT)
    quantity: Named[Decimal] = Column(AMOUNT)
    at: Named[datetime] = Column(DateTime(timezone=True))
    signal_id: Named[UUID | None] = Column(Uuid)


class FollowColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Named[int] = Column(BigInteger, ForeignKey("users.id"), index=True)
    whale_id: Named[int] = Column(BigInteger, ForeignKey("whales.id"))
    account_id: Named[int] = Column(BigInteger, ForeignKey("accounts.id"))
    mode: Named[str] = Column(Text)
    value: Named[Decimal] = Column(AMOUNT)
    leverage_max: Named[int] = Column(SmallInteger)
    order_notional_max: Named[Decimal | None] = Column(AMOUNT)
    drift_max: Named[Decimal] = Column(AMOUNT)
    sides: Named[list[str]] = Column(ARRAY(Text))
    symbols_allowed: Named[list[str]] = Column(ARRAY(Text))
    symbols_denied: Named[list[str]] = Column(ARRAY(Text))
    tiny: Named[str] = Column(Text)
    tiny_factor_max: Named[Decimal] = Column(AMOUNT)
    protection: Named[dict[str, Any]] = Column(JSONB, server_default=text("'{}'"))
    state: Named[str] = Column(Text)
    version: Named[int] = Column(BigInteger, server_default=_ONE)
    created_at = _when()


class LimitsColumns(TypedColumns):
    user_id = Column(BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False)
    order_notional_max: Named[Decimal | None] = Column(AMOUNT)
    symbol_notional_max: Named[Decimal | None] = Column(AMOUNT)
    total_notional_max: Named[Decimal | None] = Column(AMOUNT)
    daily_loss_max: Named[Decimal | None] = Column(AMOUNT)
    drawdown_max: Named[Decimal | None] = Column(AMOUNT)
    leverage_max: Named[int | None] = Column(SmallInteger)
    positions_max: Named[int | None] = Column(SmallInteger)


class HaltColumns(TypedColumns):
    scope = Column(Text, primary_key=True)
    target = Column(Text, primary_key=True)
    reason: Named[str] = Column(Text)
    at = _when()


class SignalColumns(TypedColumns):
    id = Column(Uuid, primary_key=True)
    seq = Column(BigInteger, Identity(always=True), nullable=False, unique=True)
    source: Named[str] = Column(Text)
    whale_id: Named[int] = Column(BigInteger, ForeignKey("whales.id"))
    venue: Named[str] = Column(Text)
    symbol: Named[str] = Column(Text)
    action: Named[str] = Column(Text)
    is_exit: Named[bool]
    side: Named[str] = Column(Text)
    quantity: Named[Decimal] = Column(AMOUNT)
    fraction: Named[Decimal] = Column(AMOUNT)
    reference_price: Named[Decimal] = Column(AMOUNT)
    leader_equity: Named[Decimal | None] = Column(AMOUNT)
    leader_leverage: Named[int | None] = Column(SmallInteger)
    priority: Named[int] = Column(SmallInteger)
    lane: Named[str] = Column(Text)
    leader_at: Named[datetime] = Column(DateTime(timezone=True))
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    expires_at: Named[datetime | None] = Column(DateTime(timezone=True))
    scope: Named[int | None] = Column(BigInteger)
    flip: Named[bool]
    trace_id: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    owner: Named[str | None] = Column(Text)
    lease_until: Named[datetime | None] = Column(DateTime(timezone=True))
    done_at: Named[datetime | None] = Column(DateTime(timezone=True))
    version: Named[int] = Column(BigInteger, server_default=_ONE)


class DecisionColumns(TypedColumns):
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    signal_id = Column(Uuid, primary_key=True)
    outcome: Named[str] = Column(Text)
    code: Named[str] = Column(Text)
    reason: Named[str] = Column(Text)
    inputs: Named[dict[str, str]] = Column(JSONB)
    decided_at = _when()


class TradeColumns(TypedColumns):
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    signal_id = Column(Uuid, primary_key=True)
    leg = Column(Text, primary_key=True)
    account_id: Named[int] = Column(BigInteger)
    venue: Named[str] = Column(Text)
    symbol: Named[str] = Column(Text)
    side: Named[str] = Column(Text)
    reduce_only: Named[bool]
    quantity: Named[Decimal] = Column(AMOUNT)
    leverage: Named[int] = Column(SmallInteger)
    reference_price: Named[Decimal] = Column(AMOUNT)
    hold: Named[Decimal] = Column(AMOUNT)
    hold_left: Named[Decimal] = Column(AMOUNT)
    state: Named[str] = Column(Text)
    attempt: Named[int] = Column(SmallInteger)
    executed = _zero()
    booked = _zero()
    settled: Named[bool] = Column(server_default=text("false"))
    retry_at: Named[datetime | None] = Column(DateTime(timezone=True))
    created_at = _when()
    updated_at = _when()
    version: Named[int] = Column(BigInteger, server_default=_ONE)


class OrderColumns(TypedColumns):
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    signal_id = Column(Uuid, primary_key=True)
    leg = Column(Text, primary_key=True)
    attempt = Column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Named[int] = Column(BigInteger)
    client_order_id: Named[str] = Column(Text, unique=True)
    state: Named[str] = Column(Text)
    signed_ms: Named[int] = Column(BigInteger)
    valid_ms: Named[int] = Column(BigInteger)
    quantity: Named[Decimal] = Column(AMOUNT)
    venue_order_id: Named[str | None] = Column(Text)
    executed = _zero()
    average_price: Named[Decimal | None] = Column(AMOUNT)
    code: Named[str | None] = Column(Text)
    message: Named[str | None] = Column(Text)
    acked_at: Named[datetime | None] = Column(DateTime(timezone=True))
    looks: Named[int] = Column(SmallInteger, server_default=_ZERO)
    look_at: Named[datetime | None] = Column(DateTime(timezone=True))
    created_at = _when()


class FillColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    trade_id = Column(Text, primary_key=True)
    follow_id: Named[int] = Column(BigInteger)
    signal_id: Named[UUID] = Column(Uuid)
    leg: Named[str] = Column(Text)
    side: Named[str] = Column(Text)
    price: Named[Decimal] = Column(AMOUNT)
    quantity: Named[Decimal] = Column(AMOUNT)
    fee: Named[Decimal] = Column(AMOUNT)
    realised: Named[Decimal] = Column(AMOUNT)
    base_fee = _zero()
    at: Named[datetime] = Column(DateTime(timezone=True))
    booked_at = _when()


class PositionColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    quantity = _zero()
    cost = _zero()
    margin = _zero()
    realised = _zero()
    fees = _zero()
    funding = _zero()
    opened_at: Named[datetime | None] = Column(DateTime(timezone=True))
    updated_at = _when()
    version: Named[int] = Column(BigInteger, server_default=_ONE)


class ProtectionColumns(TypedColumns):
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    rung = Column(Text, primary_key=True)
    attempt = Column(Integer, primary_key=True, autoincrement=False)
    account_id: Named[int] = Column(BigInteger)
    venue: Named[str] = Column(Text)
    client_order_id: Named[str] = Column(Text, unique=True)
    signal_id: Named[UUID] = Column(Uuid)
    kind: Named[str] = Column(Text)
    side: Named[str] = Column(Text)
    trigger: Named[Decimal] = Column(AMOUNT)
    quantity: Named[Decimal] = Column(AMOUNT)
    state: Named[str] = Column(Text)
    protection_id: Named[str | None] = Column(Text)
    order_id: Named[str | None] = Column(Text)
    signed_ms: Named[int] = Column(BigInteger)
    valid_ms: Named[int] = Column(BigInteger)
    looks: Named[int] = Column(SmallInteger, server_default=_ZERO)
    look_at: Named[datetime | None] = Column(DateTime(timezone=True))
    code: Named[str | None] = Column(Text)
    message: Named[str | None] = Column(Text)
    created_at = _when()
    updated_at = _when()
    version: Named[int] = Column(BigInteger, server_default=_ONE)


class ProtectionMarkColumns(TypedColumns):
    follow_id = Column(BigInteger, primary_key=True, autoincrement=False)
    symbol = Column(Text, primary_key=True)
    opened_at: Named[datetime] = Column(DateTime(timezone=True))
    best: Named[Decimal] = Column(AMOUNT)
    bare_since: Named[datetime | None] = Column(DateTime(timezone=True))


class DriftMarkColumns(TypedColumns):
    account_id = Column(BigInteger, primary_key=True, autoincrement=False)
    what = Column(Text, primary_key=True)
    kind: Named[str] = Column(Text)
    ours: Named[Decimal] = Column(AMOUNT)
    theirs: Named[Decimal] = Column(AMOUNT)
    looks: Named[int] = Column(SmallInteger)
    frozen: Named[bool]
    since: Named[datetime] = Column(DateTime(timezone=True))
    looked_at: Named[datetime] = Column(DateTime(timezone=True))


class OutboxColumns(TypedColumns):
    id = Column(BigInteger, Identity(always=True), primary_key=True)
    name: Named[str] = Column(Text)
    payload: Named[dict[str, Any]] = Column(JSONB)
    trace_id: Named[str] = Column(Text, server_default="")
    created_at = _when()
    available_at = _when()
    attempts: Named[int] = Column(SmallInteger, server_default=_ZERO)
    parked: Named[bool] = Column(server_default=text("false"))
    error: Named[str | None] = Column(Text)


class InboxColumns(TypedColumns):
    handler = Column(Text, primary_key=True)
    event_id = Column(BigInteger, primary_key=True, autoincrement=False)
    handled_at = _when()


class LeaseColumns(TypedColumns):
    name = Column(Text, primary_key=True)
    owner: Named[str] = Column(Text)
    epoch: Named[int] = Column(BigInteger)
    until: Named[datetime] = Column(DateTime(timezone=True))


users = Table("users", metadata, UserColumns)
tokens = Table("api_tokens", metadata, TokenColumns)
accounts = Table("accounts", metadata, AccountColumns, Index(None, "venue", "id"))
funds = Table(
    "funds",
    metadata,
    FundsColumns,
    *_signed("wallet", "high_water", "realised_today"),
    *_amounts("held", "margin"),
    postgresql_with=HOT,
)
ledger = Table("ledger_entries", metadata, LedgerColumns, *_signed("amount"))
account_markets = Table("account_markets", metadata, AccountMarketColumns)
whales = Table("whales", metadata, WhaleColumns)
leader_positions = Table("leader_positions", metadata, LeaderPositionColumns, *_signed("quantity"))
leader_fills = Table(
    "leader_fills",
    metadata,
    LeaderFillColumns,
    *_above_zero("price", "quantity"),
    Index("ix_leader_fills_newest", "whale_id", "symbol", "at"),
)
follows = Table(
    "follows",
    metadata,
    FollowColumns,
    *_above_zero("value", "order_notional_max", "drift_max", "tiny_factor_max"),
    Index("ix_follows_whale", "whale_id", "id"),
    Index(
        "uq_follows_live", "account_id", "whale_id", unique=True, postgresql_where=text("state <> 'STOPPED'")
    ),
)
limits = Table(
    "user_limits",
    metadata,
    LimitsColumns,
    *_amounts(
        "order_notional_max", "symbol_notional_max", "total_notional_max", "daily_loss_max", "drawdown_max"
    ),
)
halts = Table("halts", metadata, HaltColumns)
signals = Table(
    "signals",
    metadata,
    SignalColumns,
    *_above_zero("quantity", "fraction", "reference_price"),
    *_signed("leader_equity"),
    Index(
        "ix_signals_unfinished",
        text("is_exit DESC"),
        "priority",
        "seq",
        postgresql_where=text("state IN ('PENDING', 'DISPATCHING')"),
    ),
    Index(
        "ix_signals_line",
        "whale_id",
        "symbol",
        "seq",
        postgresql_where=text("state IN ('PENDING', 'DISPATCHING')"),
    ),
    Index("ix_signals_whale", "whale_id", "seq"),
)
decisions = Table(
    "decisions",
    metadata,
    DecisionColumns,
    Index("ix_decisions_signal", "signal_id"),
    Index("ix_decisions_deferred", "follow_id", postgresql_where=text("outcome = 'DEFERRED'")),
    postgresql_with=HOT,
)
trades = Table(
    "trades",
    metadata,
    TradeColumns,
    *_above_zero("quantity", "reference_price"),
    *_amounts("hold", "hold_left", "executed", "booked"),
    CheckConstraint("hold_left <= hold", name="hold_kept"),
    Index("ix_trades_open", "account_id", "symbol", postgresql_where=text("NOT settled")),
    Index("ix_trades_waiting", "retry_at", postgresql_where=text("state = 'WAITING'")),
    postgresql_with=HOT,
)
orders = Table(
    "orders",
    metadata,
    OrderColumns,
    *_above_zero("quantity", "average_price"),
    *_amounts("executed"),
    Index(
        "ix_orders_in_doubt",
        "look_at",
        postgresql_where=text("state IN ('SUBMITTING', 'UNKNOWN', 'ABSENT', 'OPEN', 'PARTIAL')"),
    ),
    postgresql_with=HOT,
)
fills = Table(
    "fills",
    metadata,
    FillColumns,
    *_above_zero("price", "quantity"),
    *_signed("fee", "realised"),
    *_amounts("base_fee"),
    Index("ix_fills_follow", "follow_id", "signal_id"),
)
positions = Table(
    "positions",
    metadata,
    PositionColumns,
    *_signed("quantity", "realised", "fees", "funding"),
    *_amounts("cost", "margin"),
    Index("ix_positions_follow", "follow_id", "symbol"),
    Index("ix_positions_held", "account_id", "follow_id", postgresql_where=text("quantity <> 0")),
    postgresql_with=HOT,
)
protections = Table(
    "protections",
    metadata,
    ProtectionColumns,
    *_above_zero("trigger", "quantity"),
    Index(
        "ix_protections_live",
        "look_at",
        postgresql_where=text("state IN ('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING', 'ABSENT')"),
    ),
    Index("ix_protections_account", "account_id", "symbol"),
    Index(
        "ix_protections_out",
        "account_id",
        "symbol",
        postgresql_where=text("state IN ('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING')"),
    ),
    postgresql_with=HOT,
)
protection_marks = Table("protection_marks", metadata, ProtectionMarkColumns, *_above_zero("best"))
drift_marks = Table("drift_marks", metadata, DriftMarkColumns, *_signed("ours", "theirs"))
outbox = Table(
    "outbox",
    metadata,
    OutboxColumns,
    Index("ix_outbox_ready", "available_at", "id", postgresql_where=text("NOT parked")),
)
inbox = Table("inbox", metadata, InboxColumns)
leases = Table("leases", metadata, LeaseColumns)
