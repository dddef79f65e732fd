"""Executions: GET /api/v5/trade/fills (three days) and /trade/fills-history, and those that the stream's orders tell."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Price, Quantity, settle_up
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.okx.wire.answer import Answer, milliseconds, name_of, rows_of
from app.infrastructure.exchanges.okx.wire.orders import PAGE, OrderRow
from app.infrastructure.exchanges.okx.wire.terms import SIDES, Listed, Terms
from app.infrastructure.exchanges.reading import ZERO, Unreadable, amount, number, positive_price

RECENT: Final = "/api/v5/trade/fills"
HISTORY: Final = "/api/v5/trade/fills-history"


class FillRow(msgspec.Struct, frozen=True, rename="camel"):
    """An execution; `fill_sz` in contracts, `fee` negative when the account paid."""

    inst_id: str
    ord_id: str
    trade_id: str
    side: str
    fill_px: str
    fill_sz: str
    bill_id: str
    ts: str
    cl_ord_id: str = ""
    fee: str = ""
    fee_ccy: str = ""
    fill_pnl: str = ""
    fill_time: str = ""
    pos_side: str = ""


class StreamedOrder(OrderRow, frozen=True, rename="camel"):
    """An order with its last execution, if there is one. Older messages tell only the fees and profits of all of them."""

    trade_id: str = ""
    fill_px: str = ""
    fill_sz: str = ""
    fill_time: str = ""
    fill_fee: str = ""
    fill_fee_ccy: str = ""
    fill_pnl: str = ""
    fee: str = ""
    fee_ccy: str = ""
    pnl: str = ""


_LEGS: Final = MappingProxyType({"long": Side.BUY, "short": Side.SELL})
_FILLS: Final = msgspec.json.Decoder(Answer[FillRow])


def fills_path(
    path: str,
    terms: Terms,
    instrument: Instrument,
    *,
    order_id: str | None,
    since_ms: int | None,
    after: str,
) -> str:
    """Return a page's path, newest first: executions of an order, or since a time, older than the bill named."""
    text = f"{path}?instType={terms.inst_type}&instId={instrument.venue_symbol}&limit={PAGE}"
    if order_id is not None:
        text += f"&ordId={quote(order_id, safe='')}"
    if since_ms is not None:
        text += f"&begin={since_ms}"
    return text + (f"&after={after}" if after else "")


def read_fills(listed: Listed, body: bytes, rates: Rates) -> tuple[list[Fill], str]:
    """Read one page, and the bill to page on from, empty after the last page."""
    rows = rows_of(_FILLS, body)
    fills = [_fill_of(row, listed, rates) for row in rows]
    return fills, name_of(rows[-1].bill_id, "the bill") if len(rows) >= PAGE else ""


def _paid(
    symbol: Symbol, fee: Money, asset: str, price: Price, rates: Rates, *, is_spot: bool
) -> tuple[Money, Quantity]:
    """Return the fee in quote currency, and how much of the coins bought was kept for it."""
    base, _, quote_asset = symbol.rpartition("-")
    if is_spot and asset == base:
        kept = Quantity(Decimal(fee)) if fee > ZERO else NO_QUANTITY
        return Money(settle_up(fee * price)), kept
    return fee_in_quote(symbol, fee, asset or quote_asset, rates), NO_QUANTITY


def _fill_of(row: FillRow, listed: Listed, rates: Rates) -> Fill:
    symbol, side = listed.symbol(row.inst_id), SIDES.get(row.side)
    done = listed.coins(row.inst_id, row.fill_sz, "executed quantity")
    if side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    price = positive_price(row.fill_px, "price")
    charged = Money(number(row.fee or "0", "fee").copy_negate())
    fee, kept = _paid(symbol, charged, row.fee_ccy, price, rates, is_spot=listed.terms.is_spot)
    return Fill(
        venue=listed.terms.venue,
        symbol=symbol,
        trade_id=name_of(row.trade_id, "the trade id"),
        order_id=name_of(row.ord_id, "the order id"),
        client_order_id=row.cl_ord_id,
        side=side,
        price=price,
        quantity=done,
        fee=fee,
        realised_pnl=amount(row.fill_pnl, "realised profit") if row.fill_pnl else NO_MONEY,
        at=from_epoch_ms(milliseconds(row.fill_time or row.ts, "the time of the execution")),
        base_fee=kept,
        position_side=_LEGS.get(row.pos_side),
    )


def streamed_fill(row: StreamedOrder, report: OrderReport, listed: Listed, rates: Rates) -> Fill | None:
    """Return the execution that changed a streamed order, None when it was something else."""
    done = listed.coins(row.inst_id, row.fill_sz, "executed quantity")
    if not row.trade_id or done == ZERO:
        return None
    if done > report.executed:
        raise Unreadable("an execution beyond what the order executed")
    alone = done == report.executed
    if not row.fill_fee and not alone:
        raise Unreadable("an execution without its own fee")
    price = positive_price(row.fill_px, "price")
    charged = Money(number(row.fill_fee or row.fee or "0", "fee").copy_negate())
    asset = row.fill_fee_ccy if row.fill_fee else row.fee_ccy
    fee, kept = _paid(report.symbol, charged, asset, price, rates, is_spot=listed.terms.is_spot)
    profit = row.fill_pnl or (row.pnl if alone else "")
    return Fill(
        venue=report.venue,
        symbol=report.symbol,
        trade_id=name_of(row.trade_id, "the trade id"),
        order_id=report.order_id,
        client_order_id=report.client_order_id,
        side=report.side,
        price=price,
        quantity=done,
        fee=fee,
        realised_pnl=amount(profit, "realised profit") if profit else NO_MONEY,
        at=from_epoch_ms(milliseconds(row.fill_time, "the time of the execution")),
        order_final=report.status.is_final,
        base_fee=kept,
        cause=report.cause,
    )
