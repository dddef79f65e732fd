"""Stop-loss and take-profit that rest at the venue: conditional market orders with a client id of our own.

On contracts they watch the mark price and may only reduce; at spot they watch the last traded price (there is no
mark) and lock the coins they would sell. A protection keeps its id when its trigger makes an order of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import plain
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.bybit.wire.answer import milliseconds, name_of
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.bybit.wire.order_row import (
    SIDES,
    OrderRow,
    is_conditional,
    was_triggered,
)
from app.infrastructure.exchanges.bybit.wire.orders import (
    SIDE_WORDS,
    acknowledged,
    find_row,
    position_index,
    read_page,
)
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, number, positive_price, size

_RISES, _FALLS = 1, 2
_KINDS: Final[Mapping[str, TriggerKind]] = MappingProxyType(
    {
        "TakeProfit": TriggerKind.TAKE_PROFIT,
        "PartialTakeProfit": TriggerKind.TAKE_PROFIT,
        "StopLoss": TriggerKind.STOP_LOSS,
        "PartialStopLoss": TriggerKind.STOP_LOSS,
    }
)
_ENDED_WITH_POSITION: Final = frozenset({"CancelByReduceOnly", "CancelByTpSlTsClear", "CancelBySettle"})
"""The venue cancelled it because there was nothing left to protect: enum cancelType of the documentation."""


def protect_text(protection: PlaceProtection) -> str:
    """Return the JSON of POST /v5/order/create for a protection."""
    category = CATEGORIES[protection.instrument.venue]
    fields: dict[str, object] = {
        "category": category.word,
        "symbol": protection.instrument.venue_symbol,
        "side": SIDE_WORDS[protection.side],
        "orderType": "Market",
        "qty": plain(protection.quantity),
        "orderLinkId": protection.client_order_id,
        "triggerPrice": plain(protection.trigger),
    }
    if category.is_spot:
        fields |= {"orderFilter": category.protections, "marketUnit": "baseCoin"}
    else:
        fields |= {
            "triggerDirection": _RISES if protection.kind.rises(protection.side) else _FALLS,
            "triggerBy": "MarkPrice",
            "reduceOnly": True,
            "closeOnTrigger": True,
        }
        if protection.position_mode is PositionMode.HEDGE:
            fields["positionIdx"] = position_index(protection.side, reduces=True)
    return msgspec.json.encode(fields).decode()


def cancel_protection_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of POST /v5/order/cancel for a protection; at spot the venue looks where it is told to."""
    category = CATEGORIES[instrument.venue]
    fields = {
        "category": category.word,
        "symbol": instrument.venue_symbol,
        "orderLinkId": client_order_id,
    }
    if category.is_spot:
        fields["orderFilter"] = category.protections
    return msgspec.json.encode(fields).decode()


def protection_outcome(
    protection: PlaceProtection, status: int, body: bytes, headers: Mapping[str, str]
) -> ProtectionOutcome:
    """Classify the answer to a POST of `protection`; never raises."""
    got = acknowledged(protection.client_order_id, status, body, headers, reduces=True)
    if not isinstance(got, tuple):
        return got
    protection_id, at_ms = got
    return Protected(
        ProtectionReport(
            venue=protection.instrument.venue,
            symbol=protection.instrument.symbol,
            protection_id=protection_id,
            client_order_id=protection.client_order_id,
            side=protection.side,
            kind=protection.kind,
            trigger=protection.trigger,
            quantity=protection.quantity,
            status=ProtectionStatus.RESTING,
            order_id=None,
            at=from_epoch_ms(at_ms or protection.signed_ms),
        )
    )


def read_protection(
    instrument: Instrument, client_order_id: ClientOrderId, body: bytes
) -> ProtectionReport | None:
    """Read the answer about one protection; None when it is about none, or about an ordinary order."""
    row = find_row(instrument, body, client_order_id=client_order_id)
    if row is None or not is_conditional(row):
        return None
    return protection_of(row, instrument.symbol, instrument.venue)


def read_open_protections(
    body: bytes, category: Category, names: Names
) -> tuple[list[ProtectionReport], str]:
    """Read one page of waiting protections and the next one's cursor. Conditional orders that open positions are none,
    and one of the owner's whose trigger moves (a trailing stop) is none of ours.
    """
    rows, cursor = read_page(body)
    found: list[ProtectionReport] = []
    for row in rows:
        if row.symbol not in names or not protects(row, category):
            continue
        try:
            report = protection_of(row, names[row.symbol], category.venue)
        except Unreadable:
            if row.order_link_id:
                raise
            continue
        if not report.status.is_final:
            found.append(report)
    return found, cursor


def protects(row: OrderRow, category: Category) -> bool:
    """Return whether a row is a protection: conditional and, on contracts, only able to reduce."""
    return is_conditional(row) and (category.is_spot or row.reduce_only or row.close_on_trigger)


def protection_of(row: OrderRow, symbol: Symbol, venue: Venue) -> ProtectionReport:
    """Build a report, or raise Unreadable when the row contradicts itself."""
    side = SIDES.get(row.side)
    if side is None:
        raise Unreadable("a protection without a side")
    status, order_id = _status(row), name_of(row.order_id, "the order id")
    return ProtectionReport(
        venue=venue,
        symbol=symbol,
        protection_id=order_id,
        client_order_id=row.order_link_id,
        side=side,
        kind=_kind(row, side),
        trigger=positive_price(row.trigger_price or "", "trigger"),
        quantity=size(row.qty, "quantity"),
        status=status,
        order_id=order_id if status is ProtectionStatus.TRIGGERED else None,
        at=from_epoch_ms(milliseconds(row.updated_time, "the time of the order")),
    )


def _status(row: OrderRow) -> ProtectionStatus:
    if row.order_status == "Untriggered":
        return ProtectionStatus.RESTING
    if was_triggered(row):
        return ProtectionStatus.TRIGGERED
    if row.order_status == "Rejected":
        return ProtectionStatus.REJECTED
    if row.order_status in {"Cancelled", "Deactivated"}:
        gone = row.cancel_type in _ENDED_WITH_POSITION
        return ProtectionStatus.EXPIRED if gone else ProtectionStatus.CANCELED
    raise Unreadable("a protection of unknown status")


def _kind(row: OrderRow, side: Side) -> TriggerKind:
    """Return what it is by its direction; where the venue does not tell that (spot), by the price that it was placed
    at.
    """
    named = _KINDS.get(row.stop_order_type or "")
    if named is not None:
        return named
    if row.trigger_direction in {_RISES, _FALLS}:
        rises = row.trigger_direction == _RISES
    else:
        then = number(row.base_price or row.last_price_on_created or "0", "the price when it was placed")
        if then <= ZERO:
            raise Unreadable("a protection without a direction")
        rises = positive_price(row.trigger_price or "", "trigger") > then
    return TriggerKind.STOP_LOSS if TriggerKind.STOP_LOSS.rises(side) == rises else TriggerKind.TAKE_PROFIT
