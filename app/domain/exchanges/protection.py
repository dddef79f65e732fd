"""Protection that rests at the exchange: a stop-loss or a take-profit that becomes a reducing market order at its trigger.

It holds while we are away. Its words are kept apart from those of orders: a protection is waiting, and only what it
becomes at its trigger is an order that fills.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from app.domain.exchanges.outcomes import DefiniteNo, Duplicate, NotSent, Unknown
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind


@dataclass(frozen=True, slots=True)
class PlaceProtection:
    """One protection to place. `side` is that of the order it becomes (SELL protects a long position), `quantity` what
    that order reduces by. The fence is that of PlaceOrder: `signed_ms` and `valid_ms` are committed and never renewed.
    """

    instrument: Instrument
    side: Side
    kind: TriggerKind
    trigger: Price
    quantity: Quantity
    client_order_id: ClientOrderId
    signed_ms: int
    valid_ms: int
    position_mode: PositionMode = PositionMode.ONE_WAY
    margin_mode: MarginMode = MarginMode.CROSS


@dataclass(frozen=True, slots=True)
class ProtectionReport:
    """What a venue says of one protection. `protection_id` is the venue's id of it, `order_id` that of the order it
    became, where the venue tells; at some venues the two are the same.
    """

    venue: Venue
    symbol: Symbol
    protection_id: str
    client_order_id: str
    side: Side
    kind: TriggerKind
    trigger: Price
    quantity: Quantity
    status: ProtectionStatus
    order_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Protected:
    """The venue has the protection; `report` is its first word on it."""

    report: ProtectionReport


ProtectionOutcome: TypeAlias = Protected | DefiniteNo | Duplicate | Unknown | NotSent
