"""Executions on contracts: GET /fapi/v1/userTrades and /dapi/v1/userTrades.

The fee of a COIN-M execution is in its coin, that of a USD-M one in USDT or, discounted, in BNB.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Quantity, settle_up
from app.infrastructure.exchanges.binance.wire.orders import SIDES, cause_of
from app.infrastructure.exchanges.binance.wire.signing import encoded
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Number,
    Unreadable,
    amount,
    positive_price,
    read,
    size,
)


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
    position_side: str = "BOTH"


_LEGS: Final = MappingProxyType({"LONG": Side.BUY, "SHORT": Side.SELL})
_TRADES: Final = msgspec.json.Decoder(list[_Trade])


def fills_text(
    instrument: Instrument,
    *,
    order_id: str | None,
    from_id: int | None,
    window: tuple[int, int] | None,
    page: int,
) -> str:
    """Return the query of GET userTrades and myTrades; `window` is (first, last) epoch ms.

    The venue takes `fromId` alone, never beside a time.
    """
    text = f"symbol={instrument.venue_symbol}&limit={page}"
    if order_id is not None:
        text += f"&orderId={encoded(order_id)}"
    if from_id is not None:
        return f"{text}&fromId={from_id}"
    return f"{text}&startTime={window[0]}&endTime={window[1]}" if window is not None else text


def read_fills(instrument: Instrument, body: bytes, rates: Rates) -> list[Fill]:
    """Read executions, oldest first. The venue does not say the client order id here: it is left empty."""
    rows = read(_TRADES, body)
    return [_fill(instrument, row, rates) for row in sorted(rows, key=lambda row: row.id)]


def last_trade_id(fills: Sequence[Fill]) -> int:
    """Return the newest trade id of a page that is not empty."""
    return int(fills[-1].trade_id)


def fee_in_settle(symbol: Symbol, venue: Venue, fee: Money, asset: str, rates: Rates) -> Money:
    """Return a fee in the currency that the market settles in: its coin at COIN-M, its quote currency at USD-M.

    A fee in another asset is converted at the marks; without them it counts as nothing, as in `fee_in_quote`.
    """
    if venue is not Venue.BINANCE_COINM:
        return fee_in_quote(symbol, fee, asset, rates)
    coin = symbol.partition("-")[0]
    if asset == coin or not fee:
        return fee
    mark = rates.get(symbol)
    worth = fee_in_quote(symbol, fee, asset, rates)
    return NO_MONEY if mark is None else Money(settle_up(worth / mark))


def _fill(instrument: Instrument, row: _Trade, rates: Rates) -> Fill:
    if row.symbol != instrument.venue_symbol:
        raise Unreadable("an execution on another market")
    fee = amount(row.commission, "commission")
    return fill_of(
        instrument.venue,
        instrument.symbol,
        trade_id=row.id,
        order_id=row.order_id,
        client_order_id="",
        side=row.side,
        price=row.price,
        quantity=row.qty,
        fee=fee_in_settle(instrument.symbol, instrument.venue, fee, row.commission_asset, rates),
        realised=amount(row.realized_pnl, "realised profit"),
        at_ms=row.time,
        order_final=False,
        unit=instrument.contract_size,
        position_side=_LEGS.get(row.position_side),
    )


def fill_of(
    venue: Venue, symbol: Symbol, *, trade_id: int, order_id: int, client_order_id: str, side: str, price: str,
    quantity: str, fee: Money, realised: Money, at_ms: int, order_final: bool, unit: Decimal,
    base_fee: Quantity = NO_QUANTITY, position_side: Side | None = None,
) -> Fill:  # fmt: skip
    """Build a fill; Unreadable unless it has a side, a price above zero and a quantity above zero."""
    known_side = SIDES.get(side)
    done = size(quantity, "quantity")
    if known_side is None or done == ZERO:
        raise Unreadable("an execution without side or quantity")
    return Fill(
        venue=venue,
        symbol=symbol,
        trade_id=str(trade_id),
        order_id=str(order_id),
        client_order_id=client_order_id,
        side=known_side,
        price=positive_price(price, "price"),
        quantity=Quantity(done * unit),
        fee=fee,
        realised_pnl=realised,
        at=from_epoch_ms(at_ms),
        order_final=order_final,
        base_fee=base_fee,
        cause=cause_of(client_order_id),
        position_side=position_side,
    )
