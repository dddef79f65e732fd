"""Names: the venue's coins and our symbols, and the two names that the venue has for each of its markets.

The contracts are quoted in dollars by oracles that follow USDT markets, and margined in USDC: coin BTC is our BTC-USDT.
A thousand coins of one kind are `kPEPE` there and 1000PEPE-USDT here, and back without loss, for a coin that itself
begins with 1000 is left out. In answers a market is named by its coin, in actions by its number in the listing, which
never changes: `Instrument.venue_symbol` holds both as `BTC#0`.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.shared.market import Instrument, Symbol, symbol
from app.infrastructure.exchanges.reading import Unreadable

_COIN: Final = re.compile(r"k?[A-Z0-9]{1,15}")
_THOUSAND: Final = "1000"
_MARKET: Final = re.compile(r"(k?[A-Z0-9]{1,15})#([0-9]{1,6})")


def symbol_of(coin: str) -> Symbol:
    """Return our symbol of a coin; Unreadable for a market of another kind (spot, or another deployer's)."""
    if not _COIN.fullmatch(coin) or coin.startswith(_THOUSAND):
        raise Unreadable("a coin that is not traded here")
    return symbol(f"{_THOUSAND if coin.startswith('k') else ''}{coin.removeprefix('k')}-USDT")


def venue_symbol(coin: str, number: int) -> str:
    """Return both names of a market in one."""
    return f"{coin}#{number}"


def coin_of(instrument: Instrument) -> str:
    """Return the coin of a market."""
    return _parts(instrument)[0]


def asset_of(instrument: Instrument) -> int:
    """Return the number of a market in the venue's listing."""
    return int(_parts(instrument)[1])


def _parts(instrument: Instrument) -> tuple[str, str]:
    found = _MARKET.fullmatch(instrument.venue_symbol)
    if found is None:
        raise Unreadable("a market of another venue")
    return found[1], found[2]
