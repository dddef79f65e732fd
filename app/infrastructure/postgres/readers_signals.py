"""Leaders, signals and decisions as they are served.

A user sees the signals of leaders that they follow or followed, but of those that closed one follow's position only
their own; of the decisions they see their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, exists, func, or_, select, true, tuple_

from app.application.queries import (
    DecisionCount,
    DecisionRow,
    Keyset,
    LeaderPositionRow,
    Page,
    SignalRow,
    WhaleRow,
)
from app.application.readers import DecisionFilter, SignalFilter, Viewer
from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId, SignalId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.signals.signal import SignalSource, SignalState
from app.domain.trading.decision import DecisionOutcome
from app.domain.users.follow import FollowState
from app.domain.whales.whale import WhaleState, WhaleTier
from app.infrastructure.postgres.readers import Query, Reader, followed
from app.infrastructure.postgres.schema import decisions, follows, leader_positions, signals, whales

_FOLLOWERS = (
    select(func.count())
    .where(follows.c.whale_id == whales.c.id, follows.c.state != FollowState.STOPPED.value)
    .correlate(whales)
    .scalar_subquery()
)
_WHALES = select(
    whales.c.id,
    whales.c.name,
    whales.c.venue,
    whales.c.tier,
    whales.c.state,
    whales.c.created_at,
    _FOLLOWERS.label("followers"),
)
_COPIED = (DecisionOutcome.COPIED.value, DecisionOutcome.REDUCED.value)


class PostgresWhaleReader(Reader):
    """WhaleReader."""

    async def whales(
        self, *, limit: int, after: Keyset | None = None, state: WhaleState | None = None
    ) -> Page[WhaleRow]:
        """Return leaders, newest first."""
        query = _WHALES.order_by(whales.c.id.desc())
        if state is not None:
            query = query.where(whales.c.state == state.value)
        if after is not None:
            query = query.where(whales.c.id < after[0])
        return await self.page(query, limit, _whale, lambda row: (row["id"],))

    async def whale(self, whale_id: WhaleId) -> WhaleRow:
        """Return one leader, or raise NotFound."""
        return _whale(await self.one(_WHALES.where(whales.c.id == whale_id), "whale"))

    async def leader_positions(self, whale_id: WhaleId) -> Sequence[LeaderPositionRow]:
        """Return what the leader holds, by symbol."""
        query = (
            select(leader_positions.c.symbol, leader_positions.c.quantity, leader_positions.c.updated_at)
            .where(leader_positions.c.whale_id == whale_id, leader_positions.c.quantity != 0)
            .order_by(leader_positions.c.symbol)
        )
        return [
            LeaderPositionRow(Symbol(row["symbol"]), row["quantity"], row["updated_at"])
            for row in await self.all(query)
        ]


class PostgresSignalReader(Reader):
    """SignalReader."""

    async def signals(
        self, viewer: Viewer, wanted: SignalFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[SignalRow]:
        """Return the signals that the viewer may see, newest first."""
        query = select(signals).where(_visible(viewer)).order_by(signals.c.seq.desc())
        if wanted.whale_id is not None:
            query = query.where(signals.c.whale_id == wanted.whale_id)
        if wanted.symbol is not None:
            query = query.where(signals.c.symbol == wanted.symbol)
        if wanted.state is not None:
            query = query.where(signals.c.state == wanted.state.value)
        if wanted.source is not None:
            query = query.where(signals.c.source == wanted.source.value)
        if after is not None:
            query = query.where(signals.c.seq < after[0])
        return await self.page(query, limit, _signal, lambda row: (row["seq"],))

    async def signal(self, viewer: Viewer, signal_id: SignalId) -> SignalRow:
        """Return one signal that the viewer may see, or raise NotFound."""
        query = select(signals).where(signals.c.id == signal_id, _visible(viewer))
        return _signal(await self.one(query, "signal"))

    async def decision_counts(self, viewer: Viewer, signal_id: SignalId) -> Sequence[DecisionCount]:
        """Return the viewer's decisions on a signal by outcome and code, most frequent first."""
        number = func.count().label("number")
        query = (
            select(decisions.c.outcome, decisions.c.code, number)
            .join(follows, follows.c.id == decisions.c.follow_id)
            .where(decisions.c.signal_id == signal_id, followed(viewer))
            .group_by(decisions.c.outcome, decisions.c.code)
            .order_by(number.desc(), decisions.c.outcome, decisions.c.code)
        )
        return [
            DecisionCount(DecisionOutcome(row["outcome"]), row["code"], row["number"])
            for row in await self.all(query)
        ]

    async def decisions(
        self, viewer: Viewer, wanted: DecisionFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[DecisionRow]:
        """Return the viewer's decisions, those on the newest signals first."""
        order = tuple_(signals.c.seq, decisions.c.follow_id)
        query: Query = (
            select(
                decisions,
                signals.c.seq,
                signals.c.symbol,
                signals.c.action,
                follows.c.user_id,
                follows.c.whale_id,
            )
            .join(follows, follows.c.id == decisions.c.follow_id)
            .join(signals, signals.c.id == decisions.c.signal_id)
            .where(followed(viewer))
            .order_by(signals.c.seq.desc(), decisions.c.follow_id.desc())
        )
        if wanted.signal_id is not None:
            query = query.where(decisions.c.signal_id == wanted.signal_id)
        if wanted.follow_id is not None:
            query = query.where(decisions.c.follow_id == wanted.follow_id)
        if wanted.outcome is not None:
            query = query.where(decisions.c.outcome == wanted.outcome.value)
        if wanted.not_copied:
            query = query.where(decisions.c.outcome.not_in(_COPIED))
        if after is not None:
            query = query.where(order < after)
        return await self.page(query, limit, _decision, lambda row: (row["seq"], row["follow_id"]))


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    if viewer is None:
        return true()
    return exists().where(
        follows.c.whale_id == signals.c.whale_id,
        follows.c.user_id == viewer,
        or_(signals.c.scope.is_(None), signals.c.scope == follows.c.id),
    )


def _whale(row: RowMapping) -> WhaleRow:
    return WhaleRow(
        id=WhaleId(row["id"]),
        name=row["name"],
        venue=Venue(row["venue"]),
        tier=WhaleTier(row["tier"]),
        state=WhaleState(row["state"]),
        followers=row["followers"],
        created_at=row["created_at"],
    )


def _signal(row: RowMapping) -> SignalRow:
    return SignalRow(
        id=row["id"],
        seq=row["seq"],
        source=SignalSource(row["source"]),
        whale_id=WhaleId(row["whale_id"]),
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        action=Action(row["action"]),
        side=Side(row["side"]),
        quantity=row["quantity"],
        fraction=row["fraction"],
        reference_price=row["reference_price"],
        scope=None if row["scope"] is None else FollowId(row["scope"]),
        state=SignalState(row["state"]),
        leader_at=row["leader_at"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        done_at=row["done_at"],
    )


def _decision(row: RowMapping) -> DecisionRow:
    return DecisionRow(
        signal_id=row["signal_id"],
        follow_id=FollowId(row["follow_id"]),
        user_id=UserId(row["user_id"]),
        whale_id=WhaleId(row["whale_id"]),
        symbol=Symbol(row["symbol"]),
        action=Action(row["action"]),
        outcome=DecisionOutcome(row["outcome"]),
        code=row["code"],
        reason=row["reason"],
        inputs=row["inputs"],
        decided_at=row["decided_at"],
    )
