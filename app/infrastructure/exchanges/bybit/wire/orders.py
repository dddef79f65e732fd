"""Orders: their requests as text, their answers as reports and outcomes.

POST /v5/order/create and /v5/order/cancel, GET /v5/order/realtime and /v5/order/history. The venue acknowledges an
order before it matches it: the answer to create holds ids alone, so the first report says OPEN with nothing executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, Outcome, Unknown
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Venue
from app.domain.shared.money import NO_QUANTITY, plain
from app.infrastructure.exchanges.bybit.wire.answer import Answer, Page, cursor_of, name_of, result_of
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.bybit.wire.order_row import SIDES, OrderRow, has_become_order, report_of
from app.infrastructure.exchanges.bybit.wire.refusals import refused_order
from app.infrastructure.exchanges.reading import Names, Unreadable

SIDE_WORDS: Final[Mapping[Side, str]] = MappingProxyType({side: word for word, side in SIDES.items()})
_TYPE_WORDS: Final[Mapping[OrderType, str]] = MappingProxyType(
    {OrderType.MARKET: "Market", OrderType.LIMIT: "Limit"}
)


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str
    order_link_id: str


_ACKNOWLEDGED: Final = msgspec.json.Decoder(Answer[_Ids])
_ORDERS: Final = msgspec.json.Decoder(Answer[Page[OrderRow]])


def place_text(order: PlaceOrder) -> str:
    """Return the JSON of POST /v5/order/create; the timestamp and the window travel in the headers."""
    category = CATEGORIES[order.instrument.venue]
    fields: dict[str, object] = {
        "category": category.word,
        "symbol": order.instrument.venue_symbol,
        "side": SIDE_WORDS[order.side],
        "orderType": _TYPE_WORDS[order.type],
        "qty": plain(order.quantity),
        "orderLinkId": order.client_order_id,
    }
    if order.type is OrderType.LIMIT:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        fields |= {"price": plain(order.price), "timeInForce": order.time_in_force.value}
    if category.is_spot:
        # There is no reduce-only flag at spot, and a market order would buy for so much money, not so many coins.
        if order.type is OrderType.MARKET:
            fields["marketUnit"] = "baseCoin"
    else:
        if order.reduce_only:
            fields["reduceOnly"] = True
        if order.position_mode is PositionMode.HEDGE:
            fields["positionIdx"] = position_index(order.side, reduces=order.reduce_only)
    return msgspec.json.encode(fields).decode()


def position_index(side: Side, *, reduces: bool) -> int:
    """Return the venue's number of the position that an order is about in hedge mode: 1 the long, 2 the short one."""
    return 1 if (side is Side.BUY) != reduces else 2


def cancel_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of POST /v5/order/cancel."""
    return msgspec.json.encode(
        {
            "category": CATEGORIES[instrument.venue].word,
            "symbol": instrument.venue_symbol,
            "orderLinkId": client_order_id,
        }
    ).decode()


def order_text(
    instrument: Instrument, client_order_id: ClientOrderId | None = None, order_id: str | None = None
) -> str:
    """Return the query that names one order, for /v5/order/realtime and /v5/order/history alike."""
    text = f"category={CATEGORIES[instrument.venue].word}&symbol={instrument.venue_symbol}"
    if order_id is not None:
        return f"{text}&orderId={quote(order_id, safe='')}"
    return f"{text}&orderLinkId={quote(client_order_id or '', safe='')}"


def open_orders_text(
    category: Category, instrument: Instrument | None, cursor: str, *, kind: str = "Order"
) -> str:
    """Return the query of GET /v5/order/realtime for what waits; without a market for everything of ours. `kind` is
    the venue's filter: orders in the book, or conditional ones.
    """
    what = f"symbol={instrument.venue_symbol}" if instrument is not None else category.settled
    text = "&".join(
        part
        for part in (f"category={category.word}", what, "openOnly=0", f"orderFilter={kind}", "limit=50")
        if part
    )
    return f"{text}&cursor={cursor}" if cursor else text


def outcome(order: PlaceOrder, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Classify the answer to a POST of `order`; never raises."""
    got = acknowledged(order.client_order_id, status, body, headers, reduces=order.reduce_only)
    if not isinstance(got, tuple):
        return got
    order_id, at_ms = got
    return Accepted(
        OrderReport(
            venue=order.instrument.venue,
            symbol=order.instrument.symbol,
            order_id=order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            executed=NO_QUANTITY,
            average_price=None,
            reduce_only=(
                order.side is Side.SELL if CATEGORIES[order.instrument.venue].is_spot else order.reduce_only
            ),
            at=from_epoch_ms(at_ms or order.signed_ms),
        )
    )


def acknowledged(
    client_order_id: ClientOrderId, status: int, body: bytes, headers: Mapping[str, str], *, reduces: bool
) -> tuple[str, int] | DefiniteNo | Duplicate | Unknown:
    """Return the venue's id and time (0: not said) of what was POSTed under our id, or what came of it instead."""
    refusal = refused_order(status, body, headers, reduce_only=reduces)
    if refusal is not None:
        return refusal
    try:
        found, at_ms = result_of(_ACKNOWLEDGED, body)
        if found.order_link_id != client_order_id:
            return Unknown("the answer is about another client order id")
        return name_of(found.order_id, "the order id"), at_ms
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")


def read_acknowledged(client_order_id: ClientOrderId, body: bytes) -> None:
    """Check that the acknowledgement of a cancellation is about our order; the report must be asked for."""
    found, _ = result_of(_ACKNOWLEDGED, body)
    if found.order_link_id != client_order_id:
        raise Unreadable("the answer is about another client order id")


def find_row(
    instrument: Instrument, body: bytes, *, client_order_id: str | None = None, order_id: str | None = None
) -> OrderRow | None:
    """Return the row that was asked for: None for an empty list, Unreadable when the answer is about another order."""
    page, _ = result_of(_ORDERS, body)
    if not page.rows:
        return None
    for row in page.rows:
        named = row.order_id == order_id if order_id is not None else row.order_link_id == client_order_id
        if named and row.symbol == instrument.venue_symbol:
            return row
    raise Unreadable("the answer is about another order")


def read_order(
    instrument: Instrument,
    body: bytes,
    *,
    client_order_id: ClientOrderId | None = None,
    order_id: str | None = None,
) -> OrderReport | None:
    """Read the answer about one order. A protection is no order until its trigger."""
    row = find_row(instrument, body, client_order_id=client_order_id, order_id=order_id)
    return (
        report_of(row, instrument.symbol, instrument.venue)
        if row is not None and has_become_order(row)
        else None
    )


def read_open_orders(body: bytes, venue: Venue, names: Names) -> tuple[list[OrderReport], str]:
    """Read one page of resting orders and the next one's cursor; markets that we do not trade are left out."""
    rows, cursor = read_page(body)
    reports = [
        report_of(row, names[row.symbol], venue)
        for row in rows
        if row.symbol in names and has_become_order(row)
    ]
    return [report for report in reports if not report.status.is_final], cursor


def read_page(body: bytes) -> tuple[list[OrderRow], str]:
    """Read one page of rows as they are, and the next one's cursor."""
    page, _ = result_of(_ORDERS, body)
    return page.rows, cursor_of(page)
