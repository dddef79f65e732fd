"""Orders as the venue shows them: by query or by stream, of either product line, as one row with varying names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import Price, Quantity, settle_down
from app.infrastructure.exchanges.bitget.wire.answer import PAGE_ROWS, Answer, data_of, milliseconds, name_of
from app.infrastructure.exchanges.bitget.wire.products import HEDGE_WORD, SIDES, Product
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, number, size

STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "init": OrderStatus.OPEN,
        "new": OrderStatus.OPEN,
        "live": OrderStatus.OPEN,
        "partially_filled": OrderStatus.PARTIAL,
        "filled": OrderStatus.FILLED,
        "canceled": OrderStatus.CANCELED,
        "cancelled": OrderStatus.CANCELED,  # both spellings are in use
        "reject": OrderStatus.REJECTED,
        "rejected": OrderStatus.REJECTED,
    }
)


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order. Details say `state` and lists `status`; the stream says `instId` for the market and keeps `baseVolume`
    for its latest execution, `accBaseVolume` being the sum.
    """

    order_id: str
    side: str
    size: str
    client_oid: str | None = ""
    client_o_id: str | None = ""
    symbol: str = ""
    inst_id: str = ""
    status: str = ""
    state: str = ""
    order_type: str = ""
    base_volume: str | None = None
    acc_base_volume: str | None = None
    quote_volume: str | None = None
    price_avg: str | None = None
    reduce_only: str | None = None
    trade_side: str | None = None
    pos_mode: str | None = None
    c_time: str = ""
    u_time: str | None = ""

    @property
    def ours(self) -> str:
        """Our id of it, empty when it has none; the stream's documentation spells the field in two ways."""
        return self.client_oid or self.client_o_id or ""

    @property
    def market(self) -> str:
        """The venue's name of the market."""
        return (self.symbol or self.inst_id).upper()


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    entrusted_list: list[OrderRow] | None = None


_DETAIL: Final = msgspec.json.Decoder(Answer[OrderRow | None])
_ROWS: Final = msgspec.json.Decoder(Answer[list[OrderRow] | None])
_PAGE: Final = msgspec.json.Decoder(Answer[_Page | None])


def closing_side(side: Side, trade_side: str | None, pos_mode: str | None) -> tuple[Side, bool]:
    """Return which way coins move, and whether a position is closed: in hedge mode `side` names the position."""
    closes = pos_mode == HEDGE_WORD and "close" in (trade_side or "")
    return (side.opposite if closes else side), closes


def report_of(product: Product, row: OrderRow, symbol: Symbol) -> OrderReport:
    """Build a report, or raise Unreadable when the row contradicts itself."""
    side, status = SIDES.get(row.side), STATUSES.get(row.status or row.state)
    if side is None or status is None:
        raise Unreadable("an order of unknown side or status")
    done = size((row.acc_base_volume or row.base_volume) or "0", "executed quantity")
    whole = size(row.size, "quantity")
    if product.is_spot and row.order_type == "market" and side is Side.BUY:
        whole = (
            done  # its size is an amount of quote currency: coins are known only as far as they were bought
        )
    if done > whole:
        raise Unreadable("an order executed beyond its quantity")
    if done == ZERO and status in {OrderStatus.PARTIAL, OrderStatus.FILLED}:
        raise Unreadable("an execution without a quantity")
    reduces = (row.reduce_only or "").upper() == "YES"
    direction, closes = closing_side(side, "close" if reduces else row.trade_side, row.pos_mode)
    return OrderReport(
        venue=product.venue,
        symbol=symbol,
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.ours,
        side=direction,
        status=status,
        quantity=whole,
        executed=done,
        average_price=_average(product, row, done),
        # Selling coins is all that reduces at spot.
        reduce_only=direction is Side.SELL if product.is_spot else closes or reduces,
        at=from_epoch_ms(milliseconds(row.u_time or row.c_time, "the time of the order")),
    )


def _average(product: Product, row: OrderRow, done: Quantity) -> Price | None:
    # Lists of resting spot orders hold the limit price as `priceAvg`: what was paid tells the mean.
    paid = number(row.quote_volume or "0", "paid amount") if product.is_spot else ZERO
    mean: Decimal = number(row.price_avg or "0", "average price")
    if done and paid > ZERO:
        mean = settle_down(paid / done)
    return Price(mean) if done and mean > ZERO else None


def read_order(
    product: Product, instrument: Instrument, body: bytes, *, client_order_id: str = "", order_id: str = ""
) -> OrderReport | None:
    """Read the answer about one order: None when it holds none, Unreadable when it is about another one."""
    if product.is_spot:
        found, _ = data_of(_ROWS, body)
        rows = found or []
    else:
        detail, _ = data_of(_DETAIL, body)
        rows = [detail] if detail is not None else []
    if not rows:
        return None
    for row in rows:
        named = row.order_id == order_id if order_id else row.ours == client_order_id
        if named and row.market == instrument.venue_symbol:
            return report_of(product, row, instrument.symbol)
    raise Unreadable("the answer is about another order")


def read_open_orders(product: Product, body: bytes, names: Names) -> tuple[list[OrderReport], str]:
    """Read one page of resting orders and the id before which the next one begins (empty: there is none).

    Markets that we do not trade are left out.
    """
    if product.is_spot:
        found, _ = data_of(_ROWS, body)
        rows = found or []
    else:
        page, _ = data_of(_PAGE, body)
        rows = (page.entrusted_list if page is not None else None) or []
    reports = [report_of(product, row, names[row.market]) for row in rows if row.market in names]
    following = name_of(rows[-1].order_id, "the order id") if len(rows) >= PAGE_ROWS else ""
    return [report for report in reports if not report.status.is_final], following
