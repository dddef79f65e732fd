"""Orders on contracts: their requests as text, their replies as reports and outcomes.

POST, GET and DELETE /fapi/v1/order and /dapi/v1/order, GET openOrders of both. A reply counts as an order only when it
bears the venue's id and agrees with what was asked: anything else proves nothing and creates nothing. COIN-M states
quantities in contracts; here they are face values in USD, converted at this border.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FillCause, OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Price, Quantity, plain
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES
from app.infrastructure.exchanges.binance.wire.contracts import size_of
from app.infrastructure.exchanges.binance.wire.refusals import refused_order
from app.infrastructure.exchanges.binance.wire.signing import encoded
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    number,
    read,
    size,
)

SIDES: Final[Mapping[str, Side]] = MappingProxyType({side.value: side for side in Side})
STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "NEW": OrderStatus.OPEN,
        "PENDING_NEW": OrderStatus.OPEN,
        "NEW_INSURANCE": OrderStatus.OPEN,  # the venue's own liquidation orders
        "NEW_ADL": OrderStatus.OPEN,
        "PARTIALLY_FILLED": OrderStatus.PARTIAL,
        "FILLED": OrderStatus.FILLED,
        "CANCELED": OrderStatus.CANCELED,
        "EXPIRED": OrderStatus.EXPIRED,
        "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,  # self-trade prevention
        "REJECTED": OrderStatus.REJECTED,
    }
)
CONDITIONAL: Final = frozenset(
    {
        "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT",
        "TAKE_PROFIT_LIMIT",
    }
)  # fmt: skip
"""Types of orders that wait for a price, at contracts and at spot: they are protections, not resting orders."""


class _Order(msgspec.Struct, frozen=True, rename="camel"):
    order_id: Number
    symbol: str
    status: str
    client_order_id: str
    side: str
    orig_qty: str
    executed_qty: str
    update_time: Milliseconds
    avg_price: str = "0"
    reduce_only: bool = False
    position_side: str = "BOTH"
    type: str = ""


_ORDER: Final = msgspec.json.Decoder(_Order)
_ORDERS: Final = msgspec.json.Decoder(list[_Order])


def direction_text(side: Side, mode: PositionMode, *, reduce_only: bool) -> str:
    """Return what tells the position that an order is about. In hedge mode that is its side (the venue refuses the flag
    there), else the flag.
    """
    if mode is PositionMode.ONE_WAY:
        return "&reduceOnly=true" if reduce_only else ""
    return f"&positionSide={'LONG' if (side is Side.BUY) != reduce_only else 'SHORT'}"


def reduces(flag: bool, position_side: str, side: Side) -> bool:
    """Return whether an order only reduces: by its flag, or by selling of the long and buying of the short side."""
    return (
        flag
        or (position_side == "LONG" and side is Side.SELL)
        or (position_side == "SHORT" and side is Side.BUY)
    )


def contracts_text(instrument: Instrument, quantity: Quantity) -> str:
    """Write a quantity as the venue counts it."""
    return plain(quantity / instrument.contract_size)


def place_text(order: PlaceOrder) -> str:
    """Return the form of POST order, unsigned; its timestamp and window are the order's own.

    `RESULT` makes the reply of a market order carry its execution. The margin mode is the market's setting here.
    """
    text = (
        f"symbol={order.instrument.venue_symbol}&side={order.side.value}&type={order.type.value}"
        f"&quantity={contracts_text(order.instrument, order.quantity)}"
        f"&newClientOrderId={encoded(order.client_order_id)}&newOrderRespType=RESULT"
    )
    text += limit_text(order) + direction_text(order.side, order.position_mode, reduce_only=order.reduce_only)
    return f"{text}&recvWindow={order.valid_ms}&timestamp={order.signed_ms}"


def limit_text(order: PlaceOrder) -> str:
    """Return the price part of an order; Unreadable when a limit order has no price."""
    if order.type is not OrderType.LIMIT:
        return ""
    if order.price is None:
        raise Unreadable("a limit order without a price")
    return f"&price={plain(order.price)}&timeInForce={order.time_in_force.value}"


def order_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the query that names one order, to look it up or to cancel it."""
    return f"symbol={instrument.venue_symbol}&origClientOrderId={encoded(client_order_id)}"


def venue_order_text(instrument: Instrument, order_id: str) -> str:
    """Return the query that names one order by the venue's id."""
    return f"symbol={instrument.venue_symbol}&orderId={encoded(order_id)}"


def open_orders_text(instrument: Instrument | None) -> str:
    """Return the query of GET openOrders."""
    return f"symbol={instrument.venue_symbol}" if instrument is not None else ""


def outcome(order: PlaceOrder, status: int, body: bytes, retry_header: str | None) -> Outcome:
    """Classify the reply to a POST of `order`; never raises."""
    if not 200 <= status < 300:
        return refused_order(status, body, retry_header, CONTRACT_CODES)
    try:
        found = read(_ORDER, body)
        if found.client_order_id != order.client_order_id:
            return Unknown("the reply is about another client order id")
        if found.symbol != order.instrument.venue_symbol or found.side != order.side.value:
            return Unknown("the reply is about another order")
        return Accepted(
            _report(found, order.instrument.symbol, order.instrument.venue, order.instrument.contract_size)
        )
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable order: {error}")


def read_order(instrument: Instrument, name: str, body: bytes, *, ours: bool = True) -> OrderReport:
    """Read the reply about the order with the client order id `name` (the venue's id, unless `ours`); Unreadable when it
    is about another.
    """
    found = read(_ORDER, body)
    told = found.client_order_id if ours else str(found.order_id)
    if told != name or found.symbol != instrument.venue_symbol:
        raise Unreadable("the reply is about another order")
    return _report(found, instrument.symbol, instrument.venue, instrument.contract_size)


def read_orders(body: bytes, names: Names, venue: Venue) -> list[OrderReport]:
    """Read resting orders; those on contracts that we do not trade, and those that wait for a price, are left out."""
    return [
        _report(row, names[row.symbol], venue, size_of(names, row.symbol))
        for row in read(_ORDERS, body)
        if row.symbol in names and row.type not in CONDITIONAL
    ]


def cause_of(client_order_id: str) -> FillCause:
    """Return why an order exists, by the ids that the venue gives to its own (the user stream's ORDER_TRADE_UPDATE)."""
    if client_order_id.startswith("autoclose-"):
        return FillCause.LIQUIDATION
    return FillCause.DELEVERAGING if client_order_id.startswith("adl_autoclose") else FillCause.TRADE


def _report(row: _Order, symbol: Symbol, venue: Venue, unit: Decimal) -> OrderReport:
    return report_of(
        venue,
        symbol,
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        side=row.side,
        status=row.status,
        quantity=row.orig_qty,
        executed=row.executed_qty,
        average=number(row.avg_price, "average price"),
        reduce_only=row.reduce_only,
        position_side=row.position_side,
        at_ms=row.update_time,
        unit=unit,
    )


def report_of(
    venue: Venue, symbol: Symbol, *, order_id: int, client_order_id: str, side: str, status: str, quantity: str,
    executed: str, average: Decimal, reduce_only: bool, position_side: str, at_ms: int, unit: Decimal,
) -> OrderReport:  # fmt: skip
    """Build a report from the venue's texts, or raise Unreadable when they contradict each other; `unit` is the size of
    a contract.
    """
    known_side, known_status = SIDES.get(side), STATUSES.get(status)
    if known_side is None or known_status is None:
        raise Unreadable("an order of unknown side or status")
    whole, done = size(quantity, "quantity"), size(executed, "executed quantity")
    if done > whole:
        raise Unreadable("an order executed beyond its quantity")
    if done == ZERO and known_status in {OrderStatus.PARTIAL, OrderStatus.FILLED}:
        raise Unreadable("an execution without a quantity")
    return OrderReport(
        venue=venue,
        symbol=symbol,
        order_id=str(order_id),
        client_order_id=client_order_id,
        side=known_side,
        status=known_status,
        quantity=Quantity(whole * unit),
        executed=Quantity(done * unit),
        average_price=Price(average) if done and average > ZERO else None,
        reduce_only=reduces(reduce_only, position_side, known_side),
        at=from_epoch_ms(at_ms),
        cause=cause_of(client_order_id),
    )
