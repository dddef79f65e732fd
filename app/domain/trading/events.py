"""What happens to trades and positions, in the past tense. Batches speak once for many followers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.ids import FollowId, SignalId
from app.domain.shared.market import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersInDoubt(Event):
    """The venue's word on these attempts is missing; evidence is being gathered."""

    name: ClassVar[str] = "orders.in_doubt"
    client_order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesKnown(Event):
    """Orders of these follows came to an end on a market: deferred decisions can be taken now."""

    name: ClassVar[str] = "outcomes.known"
    symbol: Symbol
    follow_ids: tuple[FollowId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsChanged(Event):
    """Fills were booked into the positions of these follows."""

    name: ClassVar[str] = "positions.changed"
    symbol: Symbol
    follow_ids: tuple[FollowId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRefused(Event):
    """The venue refused the orders of these follows for one signal."""

    name: ClassVar[str] = "orders.refused"
    signal_id: SignalId
    follow_ids: tuple[FollowId, ...]
