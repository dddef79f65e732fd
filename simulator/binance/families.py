"""The venue's three markets: what each calls its instruments, what a contract is, and how it words a refusal.

COIN-M counts in contracts of a fixed face value (100 USD for BTC, 10 USD for other coins) and names its perpetuals
`BTCUSD_PERP`; the engine counts face value. USD-M and spot count coins, and share the spelling `BTCUSDT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from simulator.binance.errors import REFUSALS, SPOT_REFUSALS
from simulator.engine.account import Permissions
from simulator.engine.instrument import INVERSE_SUFFIX, SPOT_SUFFIX, Instrument, Kind, kind_of
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State

PERPETUAL = "_PERP"
ONE = Decimal(1)


def venue_name(symbol: str) -> str:
    """Return what the venue calls an engine symbol."""
    kind = kind_of(symbol)
    if kind is Kind.INVERSE:
        return symbol.removesuffix(INVERSE_SUFFIX) + PERPETUAL
    return symbol.removesuffix(SPOT_SUFFIX)


def contract_size(instrument: Instrument) -> Decimal:
    """Return what one contract stands for, in the engine's unit of quantity."""
    if instrument.kind is not Kind.INVERSE:
        return ONE
    return Decimal(100 if instrument.base == "BTC" else 10)


@dataclass(frozen=True, slots=True)
class Family:
    """One market behind its own paths. `keeps_conditionals` says that conditional orders are orders of its order endpoint,
    and not the Algo Service's; `limits` sets its counters apart from those of contracts, which both share one limit.
    """

    kind: Kind
    root: str
    refusals: Mapping[Reason, tuple[int, str]]
    allows: Callable[[Permissions], bool]
    keeps_conditionals: bool = True
    limits: str = ""

    def instrument(self, state: State, name: str) -> Instrument:
        """Return the instrument that the venue calls `name` here, or refuse with UNKNOWN_SYMBOL."""
        symbol = name
        if self.kind is Kind.SPOT:
            symbol = name + SPOT_SUFFIX
        elif self.kind is Kind.INVERSE and name.endswith(PERPETUAL):
            symbol = name.removesuffix(PERPETUAL) + INVERSE_SUFFIX
        found = state.instruments.get(symbol)
        if found is None or found.kind is not self.kind or venue_name(symbol) != name:
            raise Refusal(Reason.UNKNOWN_SYMBOL, name)
        return found

    def has(self, symbol: str) -> bool:
        """Say whether an engine symbol is of this market."""
        return kind_of(symbol) is self.kind


USDM = Family(Kind.LINEAR, "/fapi/v1", REFUSALS, lambda may: may.futures, keeps_conditionals=False)
COINM = Family(Kind.INVERSE, "/dapi/v1", REFUSALS, lambda may: may.futures, keeps_conditionals=False)
SPOT = Family(Kind.SPOT, "/api/v3", SPOT_REFUSALS, lambda may: may.spot, limits="api")
