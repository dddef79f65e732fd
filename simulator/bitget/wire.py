"""Engine values as the venue writes them: words, ids, numbers as text."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.instrument import SPOT_SUFFIX, Instrument, Kind
from simulator.engine.order import OrderType, PositionSide, Side, Status, TimeInForce

Json = dict[str, object]
FUTURES, SPOT = "USDT-FUTURES", "SPOT"
LINES = {Kind.LINEAR: FUTURES, Kind.SPOT: SPOT}
KINDS = {name.lower(): kind for kind, name in LINES.items()}
SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
SIDE_WORDS = {word: side for side, word in SIDES.items()}
TYPES = {OrderType.MARKET: "market", OrderType.LIMIT: "limit"}
TYPE_WORDS = {word: kind for kind, word in TYPES.items()}
TIMES = {
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.GTX: "post_only",
}
TIME_WORDS = {word: kind for kind, word in TIMES.items()}
STATUSES = {
    Status.NEW: "live",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}
LEGS = {PositionSide.LONG: "long", PositionSide.SHORT: "short", PositionSide.BOTH: "net"}
ORDERS = 1_100_000_000_000_000_000
TRADES = 1_200_000_000_000_000_000
PLANS = 1_300_000_000_000_000_000
BILLS = 1_400_000_000_000_000_000
"""Added to the engine's numbers, so that an id tells what it is of and all have the same length."""


def id_text(base: int, number: int) -> str:
    """Write an engine number as one of the venue's ids."""
    return str(base + number)


def number_of(base: int, text: str) -> int:
    """Return the engine's number of an id, -1 for none of ours."""
    return int(text) - base if text.isascii() and text.isdecimal() and len(text) == 19 else -1


def engine_symbol(kind: Kind, text: str) -> str:
    """Return the engine's name of a market."""
    return text.upper() + (SPOT_SUFFIX if kind is Kind.SPOT else "")


def shown(symbol: str) -> str:
    """Return the venue's name of a market."""
    return symbol.partition(":")[0]


def plain(value: Decimal) -> str:
    """Write a number without exponent and without a negative zero."""
    return f"{value:f}" if value else "0"


def money(value: Decimal) -> str:
    """Write an amount, to eight places."""
    return f"{value:.8f}" if value else "0"


def average(instrument: Instrument, value: Decimal) -> str:
    """Write an average price."""
    return f"{value:.{instrument.price_decimals + 4}f}" if value else ""


def mode_word(*, hedge: bool) -> str:
    """Return the venue's word for the position mode."""
    return "hedge_mode" if hedge else "one_way_mode"


def own_id(client_id: str, venue_id: str) -> str:
    """Return the client's id; the venue makes one up for whom has none."""
    return venue_id if client_id.startswith("sim-") else client_id
