"""Orders and executions: their requests as text, their replies as reports, fills and outcomes.

POST, GET and DELETE /fapi/v1/order, GET /fapi/v1/openOrders, GET /fapi/v1/userTrades. A reply counts as an order only
when it bears the venue's id and agrees with what was asked: anything else proves nothing and creates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.requests import OrderType, PlaceOrder
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity, plain
from app.infrastructure.exchanges.binance.wire.refusals import refused_order
from app.infrastructure.exchanges.binance.wire.signing import encoded
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    amount,
    number,
    positive_price,
    read,
    size,
)

VENUE: Final = Venue.BINANCE_USDM
SIDES: Final[Mapping[str, Side]] = MappingProxyType({side.value: side for side in Side})
STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "NEW": OrderStatus.OPEN,
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


class _Trade(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    id: Number
    order_id: Number
    side: str
    price: str
    qty: str
    realized_pnl: str
    commission: str
    commission_asset: str
    time: Milliseconds


_ORDER: Final = msgspec.json.Decoder(_Order)
_ORDERS: Final = msgspec.json.Decoder(list[_Order])
_TRADES: Final = msgspec.json.Decoder(list[_Trade])


def place_text(order: PlaceOrder) -> str:
    """Return the form of POST /fapi/v1/order, unsigned; its timestamp and window are the order's own.

    `RESULT` makes the reply of a market order carry its execution.
    """
    market = order.instrument.venue_symbol
    text = (
        f"symbol={market}&side={order.side.value}&type={order.type.value}&quantity={plain(order.quantity)}"
        f"&newClientOrderId={encoded(order.client_order_id)}&newOrderRespType=RESULT"
    )
    if order.type is OrderType.LIMIT:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        text += f"&price={plain(order.price)}&timeInForce={order.time_in_force.value}"
    if order.reduce_only:
        text += "&reduceOnly=true"
    return f"{text}&recvWindow={order.valid_ms}&timestamp={order.signed_ms}"


def order_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the query that names one order, to look it up or to cancel it."""
    return f"symbol={instrument.venue_symbol}&origClientOrderId={encoded(client_order_id)}"


def open_orders_text(instrument: Instrument | None) -> str:
    """Return the query of GET /fapi/v1/openOrders."""
    return f"symbol={instrument.venue_symbol}" if instrument is not None else ""


def fills_text(
    instrument: Instrument, *, order_id: str | None, from_id: int | None, window: tuple[int, int] | None
) -> str:
    """Return the query of GET /fapi/v1/userTrades; `window` is (first, last) epoch ms, at most seven days apart.

    The venue takes `fromId` alone, never beside a time.
    """
    text = f"symbol={instrument.venue_symbol}&limit=1000"
    if order_id is not None:
        text += f"&orderId={encoded(order_id)}"
    if from_id is not None:
        return f"{text}&fromId={from_id}"
    return f"{text}&startTime={window[0]}&endTime={window[1]}" if window is not None else text


def outcome(order: PlaceOrder, status: int, body: bytes, retry_header: str | None) -> Outcome:
    """Classify the reply to a POST of `order`; never raises."""
    if not 200 <= status < 300:
        return refused_order(status, body, retry_header)
    try:
        found = read(_ORDER, body)
        if found.client_order_id != order.client_order_id:
            return Unknown("the reply is about another client order id")
        if found.symbol != order.instrument.venue_symbol or found.side != order.side.value:
            return Unknown("the reply is about another order")
        return Accepted(_report(found, order.instrument.symbol))
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable order: {error}")


def read_order(instrument: Instrument, client_order_id: ClientOrderId, body: bytes) -> OrderReport:
    """Read the reply about one order; Unreadable when it is about another one."""
    found = read(_ORDER, body)
    if found.client_order_id != client_order_id or found.symbol != instrument.venue_symbol:
        raise Unreadable("the reply is about another order")
    return _report(found, instrument.symbol)


def read_orders(body: bytes, names: Names) -> list[OrderReport]:
    """Read resting orders; those on contracts that we do not trade are left out."""
    return [_report(row, names[row.symbol]) for row in read(_ORDERS, body) if row.symbol in names]


def _report(row: _Order, symbol: Symbol) -> OrderReport:
    return report_of(
        symbol,
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        side=row.side,
        status=row.status,
        quantity=row.orig_qty,
        executed=row.executed_qty,
        average=row.avg_price,
        reduce_only=row.reduce_only,
        at_ms=row.update_time,
    )


def report_of(
    symbol: Symbol, *, order_id: int, client_order_id: str, side: str, status: str, quantity: str, executed: str,
    average: str, reduce_only: bool, at_ms: int,
) -> OrderReport:  # fmt: skip
    """Build a report from the venue's texts, or raise Unreadable when they contradict each other."""
    known_side, known_status = SIDES.get(side), STATUSES.get(status)
    if known_side is None or known_status is None:
        raise Unreadable("an order of unknown side or status")
    whole, done = size(quantity, "quantity"), size(executed, "executed quantity")
    if done > whole:
        raise Unreadable("an order executed beyond its quantity")
    if done == ZERO and known_status in {OrderStatus.PARTIAL, OrderStatus.FILLED}:
        raise Unreadable("an execution without a quantity")
    mean = number(average, "average price")
    return OrderReport(
        venue=VENUE,
        symbol=symbol,
        order_id=str(order_id),
        client_order_id=client_order_id,
        side=known_side,
        status=known_status,
        quantity=whole,
        executed=done,
        average_price=Price(mean) if done and mean > ZERO else None,
        reduce_only=reduce_only,
        at=from_epoch_ms(at_ms),
    )


def read_fills(instrument: Instrument, body: bytes, rates: Rates) -> list[Fill]:
    """Read executions, oldest first. The venue does not say the client order id here: it is left empty."""
    rows = read(_TRADES, body)
    return [_fill(instrument, row, rates) for row in sorted(rows, key=lambda row: row.id)]


def last_trade_id(fills: Sequence[Fill]) -> int:
    """Return the newest trade id of a page that is not empty."""
    return int(fills[-1].trade_id)


def _fill(instrument: Instrument, row: _Trade, rates: Rates) -> Fill:
    if row.symbol != instrument.venue_symbol:
        raise Unreadable("an execution on another market")
    return fill_of(
        instrument.symbol,
        trade_id=row.id,
        order_id=row.order_id,
        client_order_id="",
        side=row.side,
        price=row.price,
        quantity=row.qty,
        fee=fee_in_quote(
            instrument.symbol, amount(row.commission, "commission"), row.commission_asset, rates
        ),
        realised=row.realized_pnl,
        at_ms=row.time,
        order_final=False,
    )


def fill_of(
    symbol: Symbol, *, trade_id: int, order_id: int, client_order_id: str, side: str, price: str, quantity: str,
    fee: Money, realised: str, at_ms: int, order_final: bool,
) -> Fill:  # fmt: skip
    """Build a fill; Unreadable unless it has a side, a price above zero and a quantity above zero."""
    known_side = SIDES.get(side)
    done: Quantity = size(quantity, "quantity")
    if known_side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    return Fill(
        venue=VENUE,
        symbol=symbol,
        trade_id=str(trade_id),
        order_id=str(order_id),
        client_order_id=client_order_id,
        side=known_side,
        price=positive_price(price, "price"),
        quantity=done,
        fee=fee,
        realised_pnl=amount(realised, "realised profit"),
        at=from_epoch_ms(at_ms),
        order_final=order_final,
    )
