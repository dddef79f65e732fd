"""Reading what an account holds from the library's unified rows: positions, wallets, funding. Pure, as the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.generic.recipe import Recipe, Row
from app.infrastructure.exchanges.generic.rows import (
    SIGNS,
    decimal,
    dictionaries,
    instant,
    market_of,
    plain_number,
    stored,
    text,
    told,
)
from app.infrastructure.exchanges.reading import ZERO, Unreadable, number

_LEVERAGE_MAX: Final = Decimal(1000)


def position_of(row: Row, sizes: Mapping[str, Instrument]) -> VenuePosition | str | None:
    """Read a position: None when it is flat, its unified name when the market is not known here."""
    name, contracts = text(row, "symbol"), decimal(row, "contracts")
    if contracts is None:
        raise Unreadable("a position without a size")
    if contracts == ZERO:
        return None
    instrument = market_of(row, sizes)
    if instrument is None:
        return name or "an unnamed market"
    sign = SIGNS.get(text(row, "side"))
    if sign is None:
        raise Unreadable("a position without a side")
    return VenuePosition(
        symbol=instrument.symbol,
        quantity=stored(sign * abs(contracts) * instrument.contract_size),
        entry_price=decimal(row, "entryPrice") or ZERO,
        unrealised_pnl=Money(decimal(row, "unrealizedPnl") or ZERO),
        leverage=_leverage(row),
    )


def _leverage(row: Row) -> int:
    """Return the leverage as told, else what value and margin make of it: not all exchanges tell it of a position."""
    leverage = decimal(row, "leverage")
    if not leverage:
        value, margin = decimal(row, "notional"), decimal(row, "initialMargin")
        leverage = abs(value) / margin if value and margin and margin > ZERO else Decimal(1)
    return max(1, int(min(leverage, _LEVERAGE_MAX).to_integral_value(ROUND_HALF_UP)))


def balance_of(answer: Row, asset: str, recipe: Recipe) -> VenueBalance:
    """Read the wallet of an asset: zero when the answer does not name it."""
    row = answer.get(asset)
    if row is None:
        return VenueBalance(asset, NO_MONEY, NO_MONEY)
    if not isinstance(row, dict):
        raise Unreadable("a wallet that is none")
    total, free = decimal(row, "total"), decimal(row, "free")
    if recipe.wallet:
        own = told({"info": _of_asset(answer.get("info"), asset)}, recipe.wallet)
        total = number(plain_number(own), "wallet") if own else total
    if total is None or free is None:
        raise Unreadable("a wallet without its amounts")
    return VenueBalance(asset, Money(total), Money(max(ZERO, free)))


def _of_asset(info: object, asset: str) -> object:
    """Return the part of the exchange's own answer that is about the asset; all of it when it names none."""
    for found in dictionaries(info):
        if any(found.get(name) == asset for name in ("asset", "currency", "coin", "ccy", "margin_asset")):
            return found
    return info


def funding_of(row: Row, sizes: Mapping[str, Instrument]) -> FundingPayment:
    """Read a funding payment, negative when it was paid."""
    instrument = market_of(row, sizes)
    amount, at = decimal(row, "amount"), instant(row, "timestamp")
    if amount is None:
        raise Unreadable("a funding payment without an amount")
    name = text(row, "id") or f"{text(row, 'symbol')}:{int(at.timestamp() * 1000)}"
    symbol: Symbol | None = None if instrument is None else instrument.symbol
    return FundingPayment(name, symbol, Money(amount), at)
