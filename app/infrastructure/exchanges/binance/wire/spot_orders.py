"""Orders at spot: POST, GET and DELETE /api/v3/order, GET /api/v3/openOrders, and GET /api/v3/myTrades.

The market knows no reduce-only: an exit is a sale, and every sale only reduces. A cancellation's reply bears an id of its own beside the order's
original one. Protections are STOP_LOSS and TAKE_PROFIT orders, which lock what they would sell; they trigger by the LAST
price, for a spot market has no other, and keep their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import OrderReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import plain, settle_down
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.binance.wire.codes import SPOT_CODES
from app.infrastructure.exchanges.binance.wire.contracts import ONE
from app.infrastructure.exchanges.binance.wire.orders import CONDITIONAL, limit_text, report_of
from app.infrastructure.exchanges.binance.wire.protections import order_status, protection_of
from app.infrastructure.exchanges.binance.wire.refusals import refused_order
from app.infrastructure.exchanges.binance.wire.signing import encoded
from app.infrastructure.exchanges.reading import ZERO, Milliseconds, Names, Number, Unreadable, number, read

_VENUE: Final = Venue.BINANCE_SPOT
SPOT_KINDS: Final[Mapping[str, TriggerKind]] = MappingProxyType({kind.value: kind for kind in TriggerKind})


class _Order(msgspec.Struct, frozen=True, rename="camel"):
    order_id: Number
    symbol: str
    status: str
    client_order_id: str
    side: str
    type: str
    orig_qty: str
    executed_qty: str
    cummulative_quote_qty: str
    orig_client_order_id: str = ""
    update_time: Milliseconds | None = None
    transact_time: Milliseconds | None = None
    stop_price: str = "0"


class _Acknowledged(msgspec.Struct, frozen=True, rename="camel"):
    order_id: Number
    symbol: str
    client_order_id: str
    transact_time: Milliseconds


_ORDER: Final = msgspec.json.Decoder(_Order)
_ORDERS: Final = msgspec.json.Decoder(list[_Order])
_ACKNOWLEDGED: Final = msgspec.json.Decoder(_Acknowledged)


def place_text(order: PlaceOrder) -> str:
    """Return the form of POST /api/v3/order, unsigned; its timestamp and window are the order's own.

    `FULL` makes the reply carry the execution.
    """
    return (
        f"symbol={order.instrument.venue_symbol}&side={order.side.value}&type={order.type.value}"
        f"&quantity={plain(order.quantity)}&newClientOrderId={encoded(order.client_order_id)}&newOrderRespType=FULL"
        f"{limit_text(order)}&recvWindow={order.valid_ms}&timestamp={order.signed_ms}"
    )


def protect_text(protection: PlaceProtection) -> str:
    """Return the form of POST /api/v3/order for a protection, unsigned, with its own timestamp and window."""
    return (
        f"symbol={protection.instrument.venue_symbol}&side={protection.side.value}&type={protection.kind.value}"
        f"&quantity={plain(protection.quantity)}&stopPrice={plain(protection.trigger)}"
        f"&newClientOrderId={encoded(protection.client_order_id)}&newOrderRespType=ACK"
        f"&recvWindow={protection.valid_ms}&timestamp={protection.signed_ms}"
    )


def outcome(order: PlaceOrder, status: int, body: bytes, retry_header: str | None) -> Outcome:
    """Classify the reply to a POST of `order`; never raises."""
    if not 200 <= status < 300:
        return refused_order(status, body, retry_header, SPOT_CODES)
    try:
        found = read(_ORDER, body)
        if found.client_order_id != order.client_order_id:
            return Unknown("the reply is about another client order id")
        if found.symbol != order.instrument.venue_symbol or found.side != order.side.value:
            return Unknown("the reply is about another order")
        return Accepted(_report(found, order.instrument.symbol))
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable order: {error}")


def protect_outcome(
    protection: PlaceProtection, status: int, body: bytes, retry_header: str | None
) -> ProtectionOutcome:
    """Classify the reply to a POST of `protection`, which is a bare acknowledgement; never raises."""
    if not 200 <= status < 300:
        return refused_order(status, body, retry_header, SPOT_CODES)
    try:
        found = read(_ACKNOWLEDGED, body)
        if (found.client_order_id, found.symbol) != (
            protection.client_order_id,
            protection.instrument.venue_symbol,
        ):
            return Unknown("the reply is about another protection")
        return Protected(
            protection_of(
                _VENUE,
                protection.instrument.symbol,
                {},
                name=found.symbol,
                protection_id=found.order_id,
                client_order_id=found.client_order_id,
                side=protection.side.value,
                kind=protection.kind,
                trigger=plain(protection.trigger),
                quantity=plain(protection.quantity),
                status=ProtectionStatus.RESTING,
                order_id=None,
                at_ms=found.transact_time,
            )
        )
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable protection: {error}")


def _named(instrument: Instrument, name: str, body: bytes, *, ours: bool) -> _Order:
    found = read(_ORDER, body)
    told = (found.orig_client_order_id or found.client_order_id) if ours else str(found.order_id)
    if told != name or found.symbol != instrument.venue_symbol:
        raise Unreadable("the reply is about another order")
    return found


def read_order(instrument: Instrument, name: str, body: bytes, *, ours: bool = True) -> OrderReport:
    """Read the reply about the order with the client order id `name` (the venue's id, unless `ours`); Unreadable when it
    is about another.
    """
    return _report(_named(instrument, name, body, ours=ours), instrument.symbol)


def read_protection(instrument: Instrument, client_order_id: ClientOrderId, body: bytes) -> ProtectionReport:
    """Read the reply about one protection; Unreadable when it is about another order."""
    return _protection(_named(instrument, client_order_id, body, ours=True), instrument.symbol)


def read_orders(body: bytes, names: Names) -> list[OrderReport]:
    """Read resting orders; those on markets that we do not trade, and those that wait for a price, are left out."""
    return [
        _report(row, names[row.symbol])
        for row in read(_ORDERS, body)
        if row.symbol in names and row.type not in CONDITIONAL
    ]


def read_open(body: bytes, names: Names) -> list[ProtectionReport]:
    """Read waiting protections; other orders, and those on markets that we do not trade, are left out."""
    return [
        _protection(row, names[row.symbol])
        for row in read(_ORDERS, body)
        if row.symbol in names and row.type in SPOT_KINDS
    ]


def average_of(quote: str, executed: str) -> Decimal:
    """Return the mean price, zero when nothing was executed or the venue does not tell (a negative sum)."""
    done, paid = number(executed, "executed quantity"), number(quote, "executed worth")
    return settle_down(paid / done) if done > ZERO and paid > ZERO else ZERO


def _time(row: _Order) -> int:
    at = row.update_time if row.update_time is not None else row.transact_time
    if at is None:
        raise Unreadable("an order without a time")
    return at


def _report(row: _Order, symbol: Symbol) -> OrderReport:
    return report_of(
        _VENUE,
        symbol,
        order_id=row.order_id,
        client_order_id=row.orig_client_order_id or row.client_order_id,
        side=row.side,
        status=row.status,
        quantity=row.orig_qty,
        executed=row.executed_qty,
        average=average_of(row.cummulative_quote_qty, row.executed_qty),
        reduce_only=row.side == Side.SELL.value,
        position_side="BOTH",
        at_ms=_time(row),
        unit=ONE,
    )


def _protection(row: _Order, symbol: Symbol) -> ProtectionReport:
    status = order_status(row.status, row.executed_qty)
    return protection_of(
        _VENUE,
        symbol,
        {},
        name=row.symbol,
        protection_id=row.order_id,
        client_order_id=row.orig_client_order_id or row.client_order_id,
        side=row.side,
        kind=SPOT_KINDS.get(row.type),
        trigger=row.stop_price,
        quantity=row.orig_qty,
        status=status,
        order_id=str(row.order_id) if status is ProtectionStatus.TRIGGERED else None,
        at_ms=_time(row),
    )
