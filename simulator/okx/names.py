"""The venue's names of markets and the sizes of its contracts: `BTC-USDT-SWAP` is the engine's `BTCUSDT`, counted in
hundredths of a coin; `BTC-USDT` is its `BTCUSDT:SPOT`, counted in coins.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.instrument import Instrument, Kind
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State
from simulator.okx.errors import wrong
from simulator.okx.params import Params

SWAP, SPOT = "SWAP", "SPOT"
KINDS = {SWAP: Kind.LINEAR, SPOT: Kind.SPOT}
OTHERS = frozenset({"MARGIN", "FUTURES", "OPTION", "ANY"})
"""Instrument types that the venue has and this dialect lists nothing of."""

ONE = Decimal(1)
_SIZES = {"BTC": Decimal("0.01"), "ETH": Decimal("0.1")}


def inst_id(instrument: Instrument) -> str:
    """Return the venue's name of a market."""
    pair = f"{instrument.base}-{instrument.quote}"
    return pair if instrument.kind is Kind.SPOT else f"{pair}-SWAP"


def inst_type(instrument: Instrument) -> str:
    """Return the venue's word for a market's kind."""
    return SPOT if instrument.kind is Kind.SPOT else SWAP


def contract_size(instrument: Instrument) -> Decimal:
    """Return how many coins one contract is."""
    return ONE if instrument.kind is Kind.SPOT else _SIZES.get(instrument.base, ONE)


def contracts(instrument: Instrument, coins: Decimal) -> str:
    """Write coins as contracts."""
    return plain((coins / contract_size(instrument)).normalize())


def plain(value: Decimal) -> str:
    """Write a number without exponent and without a negative zero."""
    return f"{value:f}" if value else "0"


def instrument_of(state: State, name: str) -> Instrument:
    """Return the market of a venue's name, or refuse with UNKNOWN_SYMBOL."""
    base, _, rest = name.partition("-")
    quote, _, swap = rest.partition("-")
    if swap not in ("", "SWAP"):
        raise Refusal(Reason.UNKNOWN_SYMBOL, name)
    found = state.instrument(f"{base}{quote}" + ("" if swap else ":SPOT"))
    if inst_id(found) != name:
        raise Refusal(Reason.UNKNOWN_SYMBOL, name)
    return found


def listed(state: State, params: Params) -> list[Instrument]:
    """Return the markets of `instType`, all known ones without it; one when `instId` names it."""
    word = params.optional("instType")
    if word is not None and word not in KINDS and word not in OTHERS:
        raise wrong("instType")
    kinds = [kind for name, kind in KINDS.items() if word in (None, "ANY", name)]
    found = [instrument for kind in kinds for instrument in state.listed(kind)]
    name = params.optional("instId")
    if name is None:
        return found
    one = instrument_of(state, name)
    return [instrument for instrument in found if instrument is one]
