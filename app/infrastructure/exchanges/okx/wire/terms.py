"""The two markets beside each other: where they differ is a row here. And contracts as coins: one contract of a swap
stands for `contract_size` coins, one unit of a spot market for one coin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.requests import MarginMode
from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Side, Symbol, Venue
from app.domain.shared.money import Quantity, exact, plain
from app.infrastructure.exchanges.reading import Names, Unreadable, size

QUOTE: Final = "USDT"
_WIDE: Final = Context(prec=80)  # the default 28 digits would round what 18 + 18 times 18 + 18 give


@dataclass(frozen=True, slots=True)
class Terms:
    """One market's words. `trigger_by` is the price that triggers protections: a spot market has no mark price, so
    there it is the last one, which is also what `marks_channel` tells.
    """

    venue: Venue
    kind: MarketKind
    inst_type: str
    trigger_by: str
    marks_channel: str

    @property
    def is_spot(self) -> bool:
        """Whether coins are traded rather than contracts."""
        return self.kind is MarketKind.SPOT


SPOT: Final = Terms(Venue.OKX_SPOT, MarketKind.SPOT, "SPOT", "last", "tickers")
SWAP: Final = Terms(Venue.OKX_SWAP, MarketKind.LINEAR, "SWAP", "mark", "mark-price")
TERMS: Final[Mapping[Venue, Terms]] = MappingProxyType({terms.venue: terms for terms in (SPOT, SWAP)})

SIDE_WORDS: Final[Mapping[Side, str]] = MappingProxyType({Side.BUY: "buy", Side.SELL: "sell"})
SIDES: Final[Mapping[str, Side]] = MappingProxyType({word: side for side, word in SIDE_WORDS.items()})
MARGIN_WORDS: Final[Mapping[MarginMode, str]] = MappingProxyType(
    {MarginMode.CROSS: "cross", MarginMode.ISOLATED: "isolated"}
)


class Contracts(dict[str, Symbol]):
    """Our symbol of each contract by the venue's name, and in `sizes` how many coins one of them is."""

    __slots__ = ("sizes",)

    def __init__(self, names: Mapping[str, Symbol], sizes: Mapping[str, Decimal]) -> None:
        super().__init__(names)
        self.sizes = sizes


@dataclass(frozen=True, slots=True)
class Listed:
    """One market's terms and contracts: what is needed to read its rows."""

    terms: Terms
    names: Names

    def symbol(self, name: str) -> Symbol:
        """Return our symbol of a contract, or raise Unreadable for a stranger."""
        found = self.names.get(name)
        if found is None:
            raise Unreadable("a row of another market")
        return found

    def coins(self, name: str, text: str, what: str) -> Quantity:
        """Read a number of contracts as coins, zero or more; empty counts as none."""
        contracts = size(text or "0", what)
        held = self.names.sizes.get(name) if isinstance(self.names, Contracts) else None
        if held is None:
            raise Unreadable("a contract of unknown size")
        try:
            return Quantity(exact(_WIDE.multiply(contracts, held)))
        except InvalidValue:
            raise Unreadable(f"{what} is no quantity") from None


def listed_one(terms: Terms, instrument: Instrument) -> Listed:
    """Return what is needed to read rows of one instrument, all others being strangers."""
    name = instrument.venue_symbol
    return Listed(terms, Contracts({name: instrument.symbol}, {name: instrument.contract_size}))


def lots(instrument: Instrument, quantity: Decimal) -> str:
    """Write coins as contracts; Unreadable when that cannot be done without a rest."""
    contracts = _WIDE.divide(quantity, instrument.contract_size)
    if _WIDE.multiply(contracts, instrument.contract_size) != quantity:
        raise Unreadable("a quantity that is no number of contracts")
    return plain(contracts)


def position_side(side: Side, *, reduces: bool) -> str:
    """Return which position an order of the hedge mode is about: one that only reduces is about the opposite one."""
    return "long" if (side is Side.BUY) != reduces else "short"


def reduces_only(flag: str, side: Side, position: str) -> bool:
    """Return whether a row's order only reduces: in hedge mode the venue's flag is silent and the sides tell it."""
    if position in {"long", "short"}:
        return position_side(side, reduces=True) == position
    return flag == "true"
