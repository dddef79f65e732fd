"""Executions: GET /api/v2/{mix/order,spot/trade}/fills and the stream's `fill` channel.

What was paid as a fee is negative at this venue. A spot purchase pays its fee in the coins bought, unless it is deducted
from another coin.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, FillCause
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Price, Quantity, settle_up
from app.infrastructure.exchanges.bitget.wire.answer import PAGE_ROWS, Answer, data_of, milliseconds, name_of
from app.infrastructure.exchanges.bitget.wire.products import HEDGE_WORD, SIDES, Product
from app.infrastructure.exchanges.bitget.wire.reports import closing_side
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import ZERO, Unreadable, amount, positive_price, size

_FORCED: Final = {"_long": Side.SELL, "_short": Side.BUY}
"""A forced close names the position that it ends (`burst_close_long`), whatever its side says."""


class FeeRow(msgspec.Struct, frozen=True, rename="camel"):
    """One part of a fee."""

    fee_coin: str = ""
    total_fee: str | None = "0"


class FillRow(msgspec.Struct, frozen=True, rename="camel"):
    """An execution; futures say `price` and `baseVolume`, spot `priceAvg` and `size`."""

    order_id: str
    trade_id: str
    symbol: str
    side: str
    c_time: str
    client_oid: str | None = ""
    price: str = ""
    price_avg: str = ""
    base_volume: str = ""
    size: str = ""
    profit: str | None = ""
    trade_side: str | None = ""
    pos_mode: str | None = ""
    fee_detail: FeeRow | list[FeeRow] | None = None

    @property
    def market(self) -> str:
        """The venue's name of the market."""
        return self.symbol.upper()


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    fill_list: list[FillRow] | None = None


_ROWS: Final = msgspec.json.Decoder(Answer[list[FillRow] | None])
_PAGE: Final = msgspec.json.Decoder(Answer[_Page | None])


def fills_text(
    product: Product,
    instrument: Instrument,
    order_id: str | None,
    window: tuple[int, int] | None,
    before: str,
) -> str:
    """Return the query of a page of executions that are older than the trade `before`; `window` is (first, last) ms."""
    text = f"symbol={instrument.venue_symbol}{product.scope}&limit=100"
    if order_id is not None:
        text += f"&orderId={quote(order_id, safe='')}"
    if window is not None:
        text += f"&startTime={window[0]}&endTime={window[1]}"
    return f"{text}&idLessThan={before}" if before else text


def read_fills(product: Product, instrument: Instrument, body: bytes, rates: Rates) -> tuple[list[Fill], str]:
    """Read one page of executions, newest first, and the trade before which the next one begins (empty: none)."""
    if product.is_spot:
        found, _ = data_of(_ROWS, body)
        rows = found or []
    else:
        page, _ = data_of(_PAGE, body)
        rows = (page.fill_list if page is not None else None) or []
    if any(row.market != instrument.venue_symbol for row in rows):
        raise Unreadable("an execution on another market")
    fills = [fill_of(product, row, instrument.symbol, rates) for row in rows]
    return fills, fills[-1].trade_id if len(rows) >= PAGE_ROWS else ""


def fill_of(product: Product, row: FillRow, symbol: Symbol, rates: Rates) -> Fill:
    """Build a fill; Unreadable unless it has ids, a side, a price above zero and a quantity above zero."""
    named = SIDES.get(row.side.lower())
    done = size(row.base_volume or row.size, "executed quantity")
    if named is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    side, _ = closing_side(named, row.trade_side, row.pos_mode)
    leg = named  # in hedge mode the side names the position
    for ending, forced in _FORCED.items():
        if (row.trade_side or "").endswith(ending):
            side, leg = forced, forced.opposite
    paid = positive_price(row.price or row.price_avg, "price")
    fee, kept = _fee(product, row, symbol, side, paid, rates)
    return Fill(
        venue=product.venue,
        symbol=symbol,
        trade_id=name_of(row.trade_id, "the trade id"),
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.client_oid or "",
        side=side,
        price=paid,
        quantity=done,
        fee=fee,
        realised_pnl=amount(row.profit, "profit") if row.profit else NO_MONEY,
        at=from_epoch_ms(milliseconds(row.c_time, "the time of the execution")),
        base_fee=kept,
        cause=cause_of(row.trade_side or ""),
        position_side=leg if row.pos_mode == HEDGE_WORD else None,
    )


def cause_of(trade_side: str) -> FillCause:
    """Return why an execution happened: `burst_*` is the venue's liquidation, `reduce_*` its auto-deleveraging (the
    one-way words `burst_close_*` and `adl_*` too). `reduce_only` is an order's own word.
    """
    if trade_side.startswith("burst_"):
        return FillCause.LIQUIDATION
    forced = trade_side.startswith(("reduce_close_", "reduce_buy_", "reduce_sell_", "adl_"))
    return FillCause.DELEVERAGING if forced else FillCause.TRADE


def _fee(
    product: Product, row: FillRow, symbol: Symbol, side: Side, paid: Price, rates: Rates
) -> tuple[Money, Quantity]:
    base, _, quote_asset = symbol.rpartition("-")
    detail = row.fee_detail
    parts = detail if isinstance(detail, list) else [detail] if detail is not None else []
    fee, kept = NO_MONEY, NO_QUANTITY
    for part in parts:
        cost = Money(-amount(part.total_fee or "0", "fee"))
        if product.is_spot and part.fee_coin == base:
            fee = Money(fee + settle_up(cost * paid))
            if side is Side.BUY and cost > ZERO:
                kept = Quantity(kept + cost)
        else:
            fee = Money(fee + fee_in_quote(symbol, cost, part.fee_coin or quote_asset, rates))
    return fee, kept
