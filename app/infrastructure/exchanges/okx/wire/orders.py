"""Orders: their requests as text, their answers as reports and outcomes.

POST /api/v5/trade/order and /cancel-order, GET /trade/order and /orders-pending. The venue acknowledges an order with
ids alone, so the first report says OPEN with nothing executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FillCause, OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import NO_QUANTITY, Price, plain
from app.infrastructure.exchanges.okx.wire.answer import Answer, milliseconds, name_of, only_row, rows_of
from app.infrastructure.exchanges.okx.wire.refusals import refused_order
from app.infrastructure.exchanges.okx.wire.terms import (
    MARGIN_WORDS,
    SIDE_WORDS,
    SIDES,
    Listed,
    Terms,
    lots,
    position_side,
    reduces_only,
)
from app.infrastructure.exchanges.reading import ZERO, Unreadable, number

PAGE: Final = 100
_BASE, _QUOTE = "base_ccy", "quote_ccy"
STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "live": OrderStatus.OPEN,
        "partially_filled": OrderStatus.PARTIAL,
        "filled": OrderStatus.FILLED,
        "canceled": OrderStatus.CANCELED,  # with executions too: there is no other word for that here
        "mmp_canceled": OrderStatus.CANCELED,
    }
)
CAUSES: Final[Mapping[str, FillCause]] = MappingProxyType(
    {
        "full_liquidation": FillCause.LIQUIDATION,
        "partial_liquidation": FillCause.LIQUIDATION,
        "adl": FillCause.DELEVERAGING,
    }
)
"""The `category` of an order that the venue itself put in."""


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order as queries and the stream show it; `sz` and the executed size in contracts."""

    inst_id: str
    ord_id: str
    side: str
    state: str
    sz: str
    acc_fill_sz: str
    u_time: str
    cl_ord_id: str = ""
    algo_cl_ord_id: str = ""
    avg_px: str = ""
    ord_type: str = ""
    pos_side: str = ""
    reduce_only: str = ""
    tgt_ccy: str = ""
    inst_type: str = ""
    category: str = ""


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    ord_id: str
    cl_ord_id: str
    ts: str = ""


_ACKNOWLEDGED: Final = msgspec.json.Decoder(Answer[_Ids])
_ORDERS: Final = msgspec.json.Decoder(Answer[OrderRow])


def order_type(order: PlaceOrder) -> str:
    """Return the venue's word for how the order meets the market."""
    if order.type is OrderType.MARKET:
        return "market"
    return "ioc" if order.time_in_force is TimeInForce.IOC else "limit"


def place_text(order: PlaceOrder, terms: Terms) -> str:
    """Return the JSON of POST /trade/order. A spot market has no reduce-only orders; its market buys count in coins."""
    instrument = order.instrument
    fields: dict[str, object] = {
        "instId": instrument.venue_symbol,
        "tdMode": "cash" if terms.is_spot else MARGIN_WORDS[order.margin_mode],
        "side": SIDE_WORDS[order.side],
        "ordType": order_type(order),
        "sz": lots(instrument, order.quantity),
        "clOrdId": order.client_order_id,
    }
    if order.type is OrderType.LIMIT:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        fields["px"] = plain(order.price)
    elif terms.is_spot:
        # Without the second the venue would cut what the wallet cannot pay instead of refusing it.
        fields |= {"tgtCcy": _BASE, "banAmend": True}
    if not terms.is_spot:
        if order.position_mode is PositionMode.HEDGE:
            fields["posSide"] = position_side(order.side, reduces=order.reduce_only)
        elif order.reduce_only:
            fields["reduceOnly"] = True
    return msgspec.json.encode(fields).decode()


def cancel_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of POST /trade/cancel-order."""
    return msgspec.json.encode({"instId": instrument.venue_symbol, "clOrdId": client_order_id}).decode()


def order_path(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the path of GET /trade/order by our id."""
    return f"/api/v5/trade/order?instId={instrument.venue_symbol}&clOrdId={quote(client_order_id, safe='')}"


def order_path_by_venue_id(instrument: Instrument, order_id: str) -> str:
    """Return the path of GET /trade/order by the venue's id."""
    return f"/api/v5/trade/order?instId={instrument.venue_symbol}&ordId={quote(order_id, safe='')}"


def open_orders_path(terms: Terms, instrument: Instrument | None, after: str) -> str:
    """Return the path of GET /trade/orders-pending: a page of 100, of orders older than the one named."""
    text = f"/api/v5/trade/orders-pending?instType={terms.inst_type}"
    if instrument is not None:
        text += f"&instId={instrument.venue_symbol}"
    return text + f"&limit={PAGE}" + (f"&after={after}" if after else "")


def outcome(order: PlaceOrder, terms: Terms, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Classify the answer to a POST of `order`; never raises."""
    refusal = refused_order(status, body, headers)
    if refusal is not None:
        return refusal
    try:
        found = only_row(_ACKNOWLEDGED, body)
        if found.cl_ord_id != order.client_order_id:
            return Unknown("the answer is about another client order id")
        order_id = name_of(found.ord_id, "the order id")
        at_ms = milliseconds(found.ts, "the time of the answer") if found.ts else order.signed_ms
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")
    return Accepted(
        OrderReport(
            venue=terms.venue,
            symbol=order.instrument.symbol,
            order_id=order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            executed=NO_QUANTITY,
            average_price=None,
            reduce_only=order.side is Side.SELL if terms.is_spot else order.reduce_only,
            at=from_epoch_ms(at_ms),
        )
    )


def read_acknowledged(client_order_id: ClientOrderId, body: bytes) -> None:
    """Check that the acknowledgement of a cancellation is about our order; the report must be asked for."""
    if only_row(_ACKNOWLEDGED, body).cl_ord_id != client_order_id:
        raise Unreadable("the answer is about another client order id")


def read_order(
    listed: Listed, body: bytes, *, client_order_id: str = "", order_id: str = ""
) -> OrderReport | None:
    """Read the answer about one order: None for no row, Unreadable when it is about another one."""
    rows = rows_of(_ORDERS, body)
    if not rows:
        return None
    for row in rows:
        if row.cl_ord_id == client_order_id if client_order_id else row.ord_id == order_id:
            return report_of(row, listed)
    raise Unreadable("the answer is about another order")


def read_open_orders(listed: Listed, body: bytes) -> tuple[list[OrderReport], str]:
    """Read one page of resting orders and the id to page on from, empty after the last page. Contracts that we do not
    trade are left out.
    """
    rows = rows_of(_ORDERS, body)
    reports = [report_of(row, listed) for row in rows if row.inst_id in listed.names]
    following = name_of(rows[-1].ord_id, "the order id") if len(rows) >= PAGE else ""
    return [report for report in reports if not report.status.is_final], following


def _in_quote(row: OrderRow, listed: Listed) -> bool:
    # A market buy at spot counts in quote currency unless it says otherwise.
    market_buy = listed.terms.is_spot and row.ord_type == "market" and row.side == SIDE_WORDS[Side.BUY]
    return listed.terms.is_spot and (row.tgt_ccy == _QUOTE or (market_buy and row.tgt_ccy != _BASE))


def report_of(row: OrderRow, listed: Listed) -> OrderReport:
    """Build a report, or raise Unreadable when the row contradicts itself. Of an order that counts in quote currency
    only what was executed is known in coins.
    """
    side, status = SIDES.get(row.side), STATUSES.get(row.state)
    if side is None or status is None:
        raise Unreadable("an order of unknown side or status")
    done = listed.coins(row.inst_id, row.acc_fill_sz, "executed quantity")
    whole = done if _in_quote(row, listed) else listed.coins(row.inst_id, row.sz, "quantity")
    if done > whole:
        raise Unreadable("an order executed beyond its quantity")
    if done == ZERO and status in {OrderStatus.PARTIAL, OrderStatus.FILLED}:
        raise Unreadable("an execution without a quantity")
    mean = number(row.avg_px or "0", "average price")
    spot_sale = listed.terms.is_spot and side is Side.SELL  # coins can only be sold as far as they are held
    return OrderReport(
        venue=listed.terms.venue,
        symbol=listed.symbol(row.inst_id),
        order_id=name_of(row.ord_id, "the order id"),
        client_order_id=row.cl_ord_id or row.algo_cl_ord_id,  # what a protection became bears its id
        side=side,
        status=status,
        quantity=whole,
        executed=done,
        average_price=Price(mean) if done and mean > ZERO else None,
        reduce_only=spot_sale or reduces_only(row.reduce_only, side, row.pos_side),
        at=from_epoch_ms(milliseconds(row.u_time, "the time of the order")),
        cause=CAUSES.get(row.category, FillCause.TRADE),
    )
