"""What happens to trades, in the past tense. A batch speaks once for many followers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.ids import FollowId, SignalId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRefused(Event):
    """The venue refused the orders of these follows for one signal."""

    name: ClassVar[str] = "orders.refused"
    signal_id: SignalId
    follow_ids: tuple[FollowId, ...]
