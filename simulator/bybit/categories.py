"""The venue's categories and names against the engine's kinds and symbols: spot and linear markets share their names here."""

from __future__ import annotations

from simulator.bybit.errors import ApiError
from simulator.bybit.params import Params
from simulator.engine.instrument import INVERSE_SUFFIX, SPOT_SUFFIX, Instrument, Kind, kind_of
from simulator.engine.state import State

WORDS = {Kind.SPOT: "spot", Kind.LINEAR: "linear", Kind.INVERSE: "inverse"}
KINDS = {word: kind for kind, word in WORDS.items()}
_SUFFIXES = {Kind.SPOT: SPOT_SUFFIX, Kind.LINEAR: "", Kind.INVERSE: INVERSE_SUFFIX}


def category_of(params: Params) -> Kind:
    """Return the kind that the mandatory category names; options are not simulated."""
    kind = KINDS.get(params.text("category"))
    if kind is None:
        raise ApiError(10001, "params error: category is not simulated")
    return kind


def perpetual_of(params: Params) -> Kind:
    """Return the category of an endpoint that has none for spot."""
    kind = category_of(params)
    if kind is Kind.SPOT:
        raise ApiError(10001, "params error: category only support linear or inverse")
    return kind


def engine_symbol(kind: Kind, name: str) -> str:
    """Return the engine's symbol of a market that the venue calls `name`."""
    return name + _SUFFIXES[kind]


def venue_name(symbol: str) -> str:
    """Return what the venue calls a market."""
    return symbol.partition(":")[0]


def word_of(symbol: str) -> str:
    """Return the category of a market in the venue's word."""
    return WORDS[kind_of(symbol)]


def market_of(state: State, kind: Kind, params: Params) -> Instrument:
    """Return the market that the mandatory symbol names, or refuse with UNKNOWN_SYMBOL."""
    return state.instrument(engine_symbol(kind, params.text("symbol")))


def optional_market(state: State, kind: Kind, params: Params) -> str | None:
    """Return the engine's symbol that the symbol names, None when it is absent; refuse an unknown one."""
    name = params.optional("symbol")
    return None if name is None else state.instrument(engine_symbol(kind, name)).symbol
