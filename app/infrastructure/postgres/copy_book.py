"""The hot path's two statements: who still needs a decision, and the reservation of a whole chunk.

The reservation locks the accounts in order (so that two signals never deadlock); then one statement holds funds only
where they suffice, where nobody reserved since the snapshot and nothing stopped new risk (the gate of entries), and stores
trade, first attempt and decision of exactly those accounts. What it does not return must not be sent. A lot too small to be sold counts as
closed: what is bought beside it is opened now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.ports import Candidate, Prepared, Window
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits, tightest
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.market import MarketKind, Side, Symbol, Venue
from app.domain.shared.money import Money, Quantity, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy
from app.domain.signals.signal import Signal
from app.domain.trading.copying import Follower
from app.domain.trading.decision import Decision
from app.domain.trading.leaders_order import LaterTrade, opened_later
from app.infrastructure.postgres import copy_sql as sql
from app.infrastructure.postgres.engine import retrying
from app.infrastructure.postgres.transaction import transaction


class PostgresCopyBook:
    """The copy book in PostgreSQL. `platform` are the operator's limits, which no user can widen."""

    def __init__(self, engine: AsyncEngine, platform: Limits) -> None:
        self._engine = engine
        self._platform = platform

    async def snapshot(
        self, signal: Signal, now: datetime, symbols: Mapping[Venue, Sequence[Symbol]]
    ) -> Sequence[Candidate]:
        """Return every follow that still needs a decision on the signal."""
        values = {
            "whale": signal.whale_id,
            "venues": [venue.value for venue, names in symbols.items() for _ in names],
            "symbols": [name for names in symbols.values() for name in names],
            "signal": signal.id,
            "scope": signal.scope,
            "today": now.date(),
            "enters": not signal.is_exit,
            "side": signal.side.value,
        }
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sql.SNAPSHOT, values)).mappings().all()
        return [_candidate(row, self._platform) for row in rows]

    async def whale_paused(self, signal: Signal) -> bool:
        """Return whether entries of the signal's whale are stopped."""
        async with self._engine.connect() as connection:
            state = await connection.scalar(
                text("SELECT state FROM whales WHERE id = :id"), {"id": signal.whale_id}
            )
        return bool(state != "ACTIVE")

    async def commit(
        self,
        signal: Signal,
        owner: str,
        prepared: Sequence[Prepared],
        decisions: Sequence[Decision],
        window: Window | None,
    ) -> frozenset[FollowId]:
        """Hold, store and decide a chunk; return the follows whose order is now ours to send."""

        async def attempt() -> frozenset[FollowId]:
            async with transaction(self._engine, "copy") as connection:
                if not await connection.scalar(sql.CLAIM_HELD, {"signal": signal.id, "owner": owner}):
                    raise ConcurrencyConflict(
                        "Another worker holds the signal by now.", signal_id=str(signal.id)
                    )
                if decisions:
                    await connection.execute(sql.DECIDE, _decision_values(signal, decisions))
                if not prepared or window is None:
                    return frozenset()
                # A statement of its own: the next one then sees what the accounts' last holder committed.
                locks = {
                    "account": [p.order.account_id for p in prepared],
                    "enters": not signal.is_exit,
                }
                await connection.execute(sql.LOCK_ACCOUNTS, locks)
                rows = await connection.execute(sql.COMMIT, commit_values(signal, prepared, window))
                return frozenset(FollowId(follow_id) for follow_id in rows.scalars())

        return await retrying(attempt)


def commit_values(signal: Signal, prepared: Sequence[Prepared], window: Window) -> dict[str, object]:
    """Return a chunk as the values of COMMIT."""
    orders = [item.order for item in prepared]
    made = [item.decision for item in prepared]
    return {
        "signal": signal.id,
        "leg": signal.leg.value,
        "venue": prepared[0].instrument.venue.value,
        "symbol": prepared[0].instrument.symbol,
        "price": signal.reference_price,
        "step": prepared[0].instrument.step,
        "is_entry": not signal.is_exit,
        "is_spot": prepared[0].instrument.kind is MarketKind.SPOT,
        "signed_ms": window.signed_ms,
        "valid_ms": window.valid_ms,
        "look_at": window.look_at,
        "follow": [order.follow_id for order in orders],
        "account": [order.account_id for order in orders],
        "side": [order.side.value for order in orders],
        "quantity": [order.quantity for order in orders],
        "leverage": [order.leverage for order in orders],
        "hold": [order.hold for order in orders],
        "version": [item.risk_version for item in prepared],
        "cid": [item.client_order_id for item in prepared],
        "first": [item.first_quantity for item in prepared],
        "exit_pending": [item.exit_pending for item in prepared],
        "held": [item.held for item in prepared],
        "outcome": [item.outcome.value for item in made],
        "code": [item.code for item in made],
        "reason": [item.reason for item in made],
        "inputs": [orjson.dumps(dict(item.inputs)).decode() for item in made],
    }


def _decision_values(signal: Signal, decisions: Sequence[Decision]) -> dict[str, object]:
    return {
        "signal": signal.id,
        "follow": [item.follow_id for item in decisions],
        "outcome": [item.outcome.value for item in decisions],
        "code": [item.code for item in decisions],
        "reason": [item.reason for item in decisions],
        "inputs": [orjson.dumps(dict(item.inputs)).decode() for item in decisions],
    }


def _candidate(row: RowMapping, platform: Limits) -> Candidate:
    own = Limits(
        order_notional_max=row["own_order"],
        symbol_notional_max=row["own_symbol"],
        total_notional_max=row["own_total"],
        daily_loss_max=row["own_daily"],
        drawdown_max=row["own_drawdown"],
        leverage_max=row["own_leverage"],
        positions_max=row["own_positions"],
    )
    limits = tightest((platform, own))
    return Candidate(
        venue=Venue(row["venue"]),
        follower=_follower(row, limits),
        exposure=Exposure(
            wallet=Money(row["wallet"]),
            free=Money(row["free"]),
            high_water=Money(row["high_water"]),
            realised_today=Money(row["realised_today"]),
            symbol_notional=Money(row["symbol_cost"] + row["symbol_coming"]),
            total_notional=Money(row["total_cost"] + row["total_coming"]),
            positions=row["positions"],
            other_quantity=row["other_quantity"],
            entries_halted=row["halted"],
        ),
        limits=limits,
        sealed=row["sealed"],
        hedged=row["hedged"],
        risk_version=row["risk_version"],
    )


def _follower(row: RowMapping, limits: Limits) -> Follower:
    return Follower(
        follow_id=FollowId(row["follow_id"]),
        account_id=AccountId(row["account_id"]),
        terms=CopyTerms(
            mode=CopyMode(row["mode"]),
            value=row["value"],
            leverage_max=row["leverage_max"],
            order_notional_max=(
                None if row["order_notional_max"] is None else Money(row["order_notional_max"])
            ),
            drift_max=Ratio(row["drift_max"]),
            sides=frozenset(Side(side) for side in row["sides"]),
            symbols_allowed=frozenset(Symbol(name) for name in row["symbols_allowed"]),
            symbols_denied=frozenset(Symbol(name) for name in row["symbols_denied"]),
            tiny=TinyPolicy(row["tiny"]),
            tiny_factor_max=Ratio(row["tiny_factor_max"]),
        ),
        active=row["follow_state"] == "ACTIVE",
        paused=row["follow_state"] == "PAUSED",
        user_active=row["user_state"] == "ACTIVE",
        key_usable=row["key_state"] == "VERIFIED",
        wallet=Money(row["wallet"]),
        held=row["lot"] + row["unbooked"],
        entry_open=row["entry_open"],
        entry_absent=row["entry_absent"],
        market_frozen=row["market_frozen"],
        protection_may_sell=row["protection_may_sell"],
        other_may_oversell=row["other_may_oversell"],
        exit_open=row["exit_open"],
        exit_pending=Quantity(row["exit_pending"]),
        leverage_set=row["leverage_set"],
        leverage_limit=limits.leverage_max,
        opened_later=opened_later(_later(row)),
    )


def _later(row: RowMapping) -> Iterator[LaterTrade]:
    columns = (row["later_sides"], row["later_exits"], row["later_executed"], row["later_fractions"])
    for side, is_exit, executed, fraction in zip(*(column or () for column in columns), strict=True):
        yield LaterTrade(Side(side), is_exit, Quantity(executed), fraction)
