"""What a spot account holds and did: GET /api/v3/account, /api/v3/myTrades and /api/v3/account/commission.

A fee is taken in the coins that an order brought in, or in BNB for its discount.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.shared.execution import FeeRates, Fill, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument, Side, Symbol
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Price, Quantity, settle_up
from app.infrastructure.exchanges.binance.wire.contracts import ONE
from app.infrastructure.exchanges.binance.wire.trades import fill_of
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

QUOTE: Final = "USDT"
"""The quote currency of the markets that we trade here: the one wallet that orders are paid from."""

BALANCES_TEXT: Final = "omitZeroBalances=true"


class _Balance(msgspec.Struct, frozen=True):
    asset: str
    free: str
    locked: str


class _Account(msgspec.Struct, frozen=True):
    balances: list[_Balance]


class _Trade(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    id: Number
    order_id: Number
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: Milliseconds
    is_buyer: bool


class _Rates(msgspec.Struct, frozen=True):
    maker: str
    taker: str
    buyer: str
    seller: str


class _Commission(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    standard_commission: _Rates
    tax_commission: _Rates
    special_commission: _Rates | None = None


_ACCOUNT: Final = msgspec.json.Decoder(_Account)
_TRADES: Final = msgspec.json.Decoder(list[_Trade])
_COMMISSION: Final = msgspec.json.Decoder(_Commission)


def read_balance(body: bytes, asset: str) -> VenueBalance:
    """Return one wallet; what the account does not list is empty, for it was asked to leave zeros out."""
    for row in read(_ACCOUNT, body).balances:
        if row.asset == asset:
            free = size(row.free, "free balance")
            return VenueBalance(asset, Money(free + size(row.locked, "locked balance")), Money(free))
    return VenueBalance(asset, NO_MONEY, NO_MONEY)


def read_holdings(body: bytes, names: Names) -> list[VenuePosition]:
    """Return the coins that have a market of ours, each once; what is locked in orders is held too."""
    ours = frozenset(names.values())
    rows = [
        (Symbol(f"{row.asset}-{QUOTE}"), size(row.free, "free balance") + size(row.locked, "locked balance"))
        for row in read(_ACCOUNT, body).balances
    ]
    return [holding(symbol, Quantity(held)) for symbol, held in rows if held > ZERO and symbol in ours]


def holding(symbol: Symbol, quantity: Quantity) -> VenuePosition:
    """Return a holding as the port tells it."""
    return VenuePosition(symbol, quantity, entry_price=ZERO, unrealised_pnl=NO_MONEY, leverage=1)


def spot_fee(
    symbol: Symbol, side: Side, fee: Money, asset: str, price: Price, rates: Rates
) -> tuple[Money, Quantity]:
    """Return a fee in quote currency, and the part of the coins bought that was kept for it."""
    if side is Side.BUY and asset == symbol.partition("-")[0]:
        if fee < ZERO:
            raise Unreadable("a fee that adds coins")
        return Money(settle_up(fee * price)), Quantity(fee)
    return fee_in_quote(symbol, fee, asset, rates), NO_QUANTITY


def read_fills(instrument: Instrument, body: bytes, rates: Rates) -> list[Fill]:
    """Read executions, oldest first. The venue does not say the client order id here: it is left empty."""
    rows = read(_TRADES, body)
    return [_fill(instrument, row, rates) for row in sorted(rows, key=lambda row: row.id)]


def _fill(instrument: Instrument, row: _Trade, rates: Rates) -> Fill:
    if row.symbol != instrument.venue_symbol:
        raise Unreadable("an execution on another market")
    side = Side.BUY if row.is_buyer else Side.SELL
    price = positive_price(row.price, "price")
    fee, kept = spot_fee(
        instrument.symbol, side, amount(row.commission, "commission"), row.commission_asset, price, rates
    )
    return fill_of(
        instrument.venue,
        instrument.symbol,
        trade_id=row.id,
        order_id=row.order_id,
        client_order_id="",
        side=side.value,
        price=row.price,
        quantity=row.qty,
        fee=fee,
        realised=NO_MONEY,
        at_ms=row.time,
        order_final=False,
        unit=ONE,
        base_fee=kept,
    )


def read_fees(instrument: Instrument, body: bytes) -> FeeRates:
    """Return what the account pays on one market: all commissions together, the dearer side's share included, and no
    discount, for that ends with the account's BNB.
    """
    found = read(_COMMISSION, body)
    if found.symbol != instrument.venue_symbol:
        raise Unreadable("fees of another market")
    parts = [found.standard_commission, found.tax_commission]
    parts += [found.special_commission] if found.special_commission is not None else []
    side = [max(number(row.buyer, "buyer's fee"), number(row.seller, "seller's fee")) for row in parts]
    extra = sum(side, ZERO)
    maker = sum((number(row.maker, "maker fee") for row in parts), extra)
    return FeeRates(maker, sum((number(row.taker, "taker fee") for row in parts), extra))
