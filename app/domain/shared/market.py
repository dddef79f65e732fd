"""What is traded and where: venues, symbols, sides, instruments.

Symbols are our own spelling, `BASE/QUOTE:SETTLE` shortened to the venue-neutral `BTC-USDT` for linear perpetuals;
each venue's wire code maps it to its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType

from app.domain.shared.errors import InvalidValue
from app.domain.shared.money import Money, Price, Quantity, ceil_to, floor_to

Symbol = NewType("Symbol", str)

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}")


def symbol(text: str) -> Symbol:
    """Return `text` as a symbol such as `BTC-USDT`, or raise InvalidValue (ASCII only, no surprises)."""
    if not _SYMBOL.fullmatch(text):
        raise InvalidValue(
            "A symbol looks like BTC-USDT: base and quote in capitals and digits, joined by a hyphen."
        )
    return Symbol(text)


class Venue(StrEnum):
    """A market of an exchange that we can trade on; the value is what is stored and spoken."""

    BINANCE_USDM = "binance-usdm"
    BYBIT_LINEAR = "bybit-linear"


class Side(StrEnum):
    """The direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The side that undoes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 when the order adds to a long position, -1 when it adds to a short one."""
        return 1 if self is Side.BUY else -1

    @staticmethod
    def of(signed: Decimal) -> Side:
        """The side that a signed quantity (not zero) stands for."""
        return Side.BUY if signed > 0 else Side.SELL


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable market and the venue's filters for it; `venue_symbol` is the venue's own spelling.

    Units: `tick` in quote per base, `step`, `quantity_min` and `quantity_max` in base, `notional_min` in quote.
    """

    venue: Venue
    symbol: Symbol
    venue_symbol: str
    tick: Decimal
    step: Decimal
    quantity_min: Quantity
    quantity_max: Quantity
    notional_min: Money
    leverage_max: int = 125

    def __post_init__(self) -> None:
        if self.tick <= 0 or self.step <= 0:
            raise InvalidValue("Tick and step must be above zero.", symbol=self.symbol)

    def round_quantity(self, wanted: Decimal) -> Quantity:
        """Round down to the step: a copy may be smaller than asked, never larger."""
        return Quantity(floor_to(wanted, self.step))

    def smallest_order(self, at: Price) -> Quantity:
        """The least quantity that passes both the quantity and the notional filter at price `at`."""
        by_quantity, by_notional = ceil_to(self.quantity_min, self.step), ceil_to(
            self.notional_min / at, self.step
        )
        return Quantity(max(self.step, by_quantity, by_notional))
