"""What is traded and where: venues, symbols, sides, instruments.

Symbols are our own spelling, `BASE-QUOTE`: `BTC-USDT` for spot and linear perpetuals, `BTC-USD` for inverse ones;
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

    BINANCE_SPOT = "binance-spot"
    BINANCE_USDM = "binance-usdm"
    BINANCE_COINM = "binance-coinm"
    BYBIT_SPOT = "bybit-spot"
    BYBIT_LINEAR = "bybit-linear"
    BYBIT_INVERSE = "bybit-inverse"
    OKX_SPOT = "okx-spot"
    OKX_SWAP = "okx-swap"
    BITGET_SPOT = "bitget-spot"
    BITGET_USDT_FUTURES = "bitget-usdt-futures"
    HYPERLIQUID = "hyperliquid"
    CCXT_GATE = "ccxt-gate"
    CCXT_KUCOINFUTURES = "ccxt-kucoinfutures"
    CCXT_KRAKENFUTURES = "ccxt-krakenfutures"
    CCXT_MEXC = "ccxt-mexc"
    CCXT_BINGX = "ccxt-bingx"
    CCXT_HTX = "ccxt-htx"


class MarketKind(StrEnum):
    """What is traded. SPOT: coins against quote currency. LINEAR: a contract on base coins, settled in quote currency.
    INVERSE: a contract on a fixed amount of quote currency, settled in base coins.
    """

    SPOT = "SPOT"
    LINEAR = "LINEAR"
    INVERSE = "INVERSE"


def counterpart(sym: Symbol, kind: MarketKind) -> Symbol:
    """Return what a market is called at another venue: the same coin against the quote that is usual for the kind.

    A leader's BTC-USD or BTC-USDC is copied as BTC-USDT where contracts are linear or coins are bought.
    """
    return Symbol(f"{sym.partition('-')[0]}-{'USD' if kind is MarketKind.INVERSE else 'USDT'}")


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

    Units: `tick` in quote per base; `step`, `quantity_min` and `quantity_max` in base (in quote where the market is
    inverse: its quantities are face values); `notional_min` in quote. `contract_size` is what one contract of the
    venue stands for in the unit of quantities; `settle` is the asset of fees, profits and margin.
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
    kind: MarketKind = MarketKind.LINEAR
    contract_size: Decimal = Decimal(1)
    settle: str = "USDT"

    def __post_init__(self) -> None:
        if self.tick <= 0 or self.step <= 0 or self.contract_size <= 0:
            raise InvalidValue("Tick, step and contract size must be above zero.", symbol=self.symbol)

    def round_quantity(self, wanted: Decimal) -> Quantity:
        """Round down to the step: a copy may be smaller than asked, never larger."""
        return Quantity(floor_to(wanted, self.step))

    def smallest_order(self, at: Price) -> Quantity:
        """The least quantity that passes both the quantity and the notional filter at price `at`."""
        by_quantity, by_notional = ceil_to(self.quantity_min, self.step), ceil_to(
            self.notional_min / at, self.step
        )
        return Quantity(max(self.step, by_quantity, by_notional))
