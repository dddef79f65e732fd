"""Triggers: orders that wait for the mark price, reduce only, and then take what is there. They keep their id when they
become orders, so the protection and its order have one id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.outcomes import Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Symbol
from app.domain.shared.money import Price
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.hyperliquid.wire.answer import Status, answered
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of, id_of
from app.infrastructure.exchanges.hyperliquid.wire.orders import SIDES, VENUE, OrderRow, status_of
from app.infrastructure.exchanges.hyperliquid.wire.prices import trigger_price
from app.infrastructure.exchanges.hyperliquid.wire.refusals import refused_order
from app.infrastructure.exchanges.reading import Unreadable, positive_price, size

_STATUSES: Final[Mapping[OrderStatus, ProtectionStatus]] = MappingProxyType(
    {
        OrderStatus.OPEN: ProtectionStatus.RESTING,
        OrderStatus.FILLED: ProtectionStatus.TRIGGERED,
        OrderStatus.CANCELED: ProtectionStatus.CANCELED,
        OrderStatus.EXPIRED: ProtectionStatus.TRIGGERED,
        OrderStatus.REJECTED: ProtectionStatus.REJECTED,
    }
)
_KINDS: Final = (("Stop", TriggerKind.STOP_LOSS), ("Take Profit", TriggerKind.TAKE_PROFIT))


def outcome(
    protection: PlaceProtection, status: int, body: bytes, headers: Mapping[str, str]
) -> ProtectionOutcome:
    """Classify the answer to the POST of a protection; never raises."""
    refusal = refused_order(status, body, headers)
    if refusal is not None:
        return refusal
    try:
        found = answered(body)
        if not isinstance(found, Status) or found.resting is None:
            return Unknown("an acknowledgement without a waiting trigger")
        resting = found.resting
        if resting.cloid is not None and resting.cloid.lower() != cloid_of(protection.client_order_id):
            return Unknown("the answer is about another client order id")
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")
    return Protected(
        ProtectionReport(
            venue=VENUE,
            symbol=protection.instrument.symbol,
            protection_id=str(resting.oid),
            client_order_id=protection.client_order_id,
            side=protection.side,
            kind=protection.kind,
            trigger=Price(
                trigger_price(protection.instrument, protection.kind, protection.side, protection.trigger)
            ),
            quantity=protection.quantity,
            status=ProtectionStatus.RESTING,
            order_id=None,
            at=from_epoch_ms(protection.signed_ms),
        )
    )


def is_protection(row: OrderRow) -> bool:
    """Return whether an order is a trigger that can only reduce; a triggered one keeps its type."""
    return row.reduce_only and any(row.order_type.startswith(word) for word, _ in _KINDS)


def status_after(word: str) -> ProtectionStatus:
    """Return how a trigger stands, given the venue's word for it; Unreadable for one that says nothing."""
    return ProtectionStatus.TRIGGERED if word == "triggered" else _STATUSES[status_of(word)]


def report_of(
    row: OrderRow, symbol: Symbol, status: str, at: datetime, client_id: str = ""
) -> ProtectionReport:
    """Build a report, or raise Unreadable; `client_id` is who it was asked for by."""
    kind = next((kind for word, kind in _KINDS if row.order_type.startswith(word)), None)
    side = SIDES.get(row.side)
    if kind is None or side is None:
        raise Unreadable("a trigger of unknown type or side")
    state = status_after(status)
    return ProtectionReport(
        venue=VENUE,
        symbol=symbol,
        protection_id=str(row.oid),
        client_order_id=client_id or id_of(row.cloid),
        side=side,
        kind=kind,
        trigger=positive_price(row.trigger_px, "trigger price"),
        quantity=size(row.orig_sz, "quantity"),
        status=state,
        order_id=str(row.oid) if state is ProtectionStatus.TRIGGERED else None,
        at=at,
    )


def resting_report(row: OrderRow, symbol: Symbol) -> ProtectionReport:
    """Build the report of a trigger that waits."""
    return report_of(row, symbol, "open", from_epoch_ms(row.timestamp))
