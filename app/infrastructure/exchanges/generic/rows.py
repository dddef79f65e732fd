"""Reading the library's unified rows: what is in a field, and what an order and an execution are.

Pure. A row that lacks what is needed, or contradicts itself, is `Unreadable`: the library fills gaps and makes a row of
any answer, so nothing of a row is taken for granted. No float is read: the library is told to keep numbers as text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from types import MappingProxyType
from typing import Final

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity, exact
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.generic.recipe import Recipe, Row
from app.infrastructure.exchanges.reading import ZERO, Unreadable, number

SIGNS: Final[Mapping[str, int]] = MappingProxyType({"long": 1, "short": -1})
"""The library's words for the side of a position."""

_SIDES: Final[Mapping[str, Side]] = MappingProxyType({"buy": Side.BUY, "sell": Side.SELL})
_ENDED: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "closed": OrderStatus.CANCELED,
        "canceled": OrderStatus.CANCELED,
        "expired": OrderStatus.EXPIRED,
        "rejected": OrderStatus.REJECTED,
    }
)
"""What the library's words for an ended order mean where it was not filled whole: `closed` says only that it ended."""

_LIVE: Final = frozenset({"open", "canceling"})
_MARKETS: Final = ("contract_code", "contract", "instId", "instrument", "symbol")
"""Fields in which exchanges name the market of a row."""

_POSITION_SIDES: Final = ("positionSide", "posSide", "position_side")
_CLOSING: Final[Mapping[str, Side]] = MappingProxyType({"long": Side.SELL, "short": Side.BUY})
_MEXC_CLOSES: Final = frozenset({"2", "4"})
"""Closing a short and a long; 1 and 3 open them. Only MEXC numbers its sides: its contract API, order submission."""

_CLIENT_IDS: Final = (
    "clientOrderId", "clientOid", "cliOrdId", "client_order_id", "clOrdId", "orderLinkId", "externalOid",
)  # fmt: skip
"""Fields in which exchanges tell the client order id of a row: the library overlooks some of them."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_ATOM: Final = Decimal(1).scaleb(-18)
_DIGITS_MAX: Final = 18
_WIDE: Final = Context(prec=120)  # two numbers of 18 + 18 digits multiply without rounding
_ID_MAX: Final = 128
_TIME_MAX: Final = 253_402_300_799_999


def text(row: Row, name: str) -> str:
    """Return a field as text, empty when there is none or it is neither text nor a whole number; never raises."""
    return _as_text(row.get(name))


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def dictionaries(info: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects within an exchange's own answer, the outer before the inner."""
    waiting: deque[object] = deque([info])
    while waiting:
        here = waiting.popleft()
        if isinstance(here, dict):
            yield here
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def told(row: Row, names: tuple[str, ...]) -> str:
    """Return the first of the fields that the exchange's own answer holds, as it is spelled there; empty for none."""
    for found in dictionaries(row.get("info")):
        for name in names:
            if value := _as_text(found.get(name)):
                return value
    return ""


def plain_number(value: str) -> str:
    """Write a number without exponent, and without the digits beyond 18 that a double leaves behind.

    Raises Unreadable for what is no number, is too large, or would vanish.
    """
    if not _NUMBER.fullmatch(value):
        raise Unreadable("a value that is no number")
    found = Decimal(value)
    if not found:
        return "0"
    if found.adjusted() >= _DIGITS_MAX:
        raise Unreadable("a number out of bounds")
    exponent = found.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DIGITS_MAX:
        found = found.quantize(_ATOM, rounding=ROUND_HALF_EVEN, context=_WIDE)
        if not found:
            raise Unreadable("a number out of bounds")
    return format(found, "f")


def decimal(row: Row, name: str) -> Decimal | None:
    """Return a number; None when the field is absent or empty. Raises Unreadable for anything else, floats above all."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Unreadable(f"{name} is no number")
    return number(plain_number(str(value)), name)


def stored(value: Decimal) -> Decimal:
    """Return a computed value as it can be stored, without exponent, or raise Unreadable."""
    try:
        found = exact(value)
    except InvalidValue:
        raise Unreadable("a value that cannot be stored") from None
    return Decimal(format(found, "f"))


def instant(row: Row, *names: str) -> datetime:
    """Return the time in the first of the fields that holds one, as epoch milliseconds; Unreadable without."""
    value = next((found for name in names if (found := text(row, name))), "")
    if not value.isascii() or not value.isdecimal() or len(value) > 15 or not 0 < int(value) <= _TIME_MAX:
        raise Unreadable("a row without its time")
    return from_epoch_ms(int(value))


def identity(row: Row, name: str) -> str:
    """Return an id that the exchange gave, or raise Unreadable."""
    return _id(text(row, name), name)


def _id(value: str, name: str) -> str:
    if not value or len(value) > _ID_MAX or not value.isascii() or not value.isprintable() or " " in value:
        raise Unreadable(f"{name} is no id")
    return value


def client_id(row: Row) -> str:
    """Return the client order id as the exchange spells it, empty when neither the library nor the exchange names one.

    Raises Unreadable for one that is none.
    """
    if row.get("clientOrderId") not in (None, ""):
        return identity(row, "clientOrderId")
    own = told(row, _CLIENT_IDS)
    return _id(own, "the client order id") if own else ""


def market_of(row: Row, sizes: Mapping[str, Instrument]) -> Instrument | None:
    """Return the market of a row; None for one that is not served. `sizes` are the markets by their unified names.

    The library guesses the name of a market that it does not know for sure; then the exchange's own name decides.
    """
    found = sizes.get(text(row, "symbol"))
    if found is not None:
        return found
    own = told(row, _MARKETS)
    return next((entry for entry in sizes.values() if own and entry.venue_symbol == own), None)


def _expect(row: Row, instrument: Instrument, unified: str) -> None:
    if market_of(row, {unified: instrument}) is None:
        raise Unreadable("a row about another market")


def _coins(contracts: Decimal, instrument: Instrument) -> Quantity:
    return Quantity(stored(_WIDE.multiply(contracts, instrument.contract_size)))


def report_of(row: Row, instrument: Instrument, recipe: Recipe, *, unified: str) -> OrderReport:
    """Read an order on `instrument`, which the library calls `unified`; raises Unreadable."""
    _expect(row, instrument, unified)
    side, amount = _SIDES.get(text(row, "side")), decimal(row, "amount")
    if side is None or amount is None or amount <= ZERO:
        raise Unreadable("an order without side or quantity")
    status, filled = _progress(row, amount)
    average = decimal(row, "average")
    if average is not None and average < ZERO:
        raise Unreadable("an average price below zero")
    return OrderReport(
        venue=instrument.venue,
        symbol=instrument.symbol,
        order_id=identity(row, "id"),
        client_order_id=recipe.heard(client_id(row)),
        side=side,
        status=status,
        quantity=_coins(amount, instrument),
        executed=_coins(filled, instrument),
        average_price=Price(average) if average and filled else None,
        reduce_only=row.get("reduceOnly") is True or _closes(row, side),
        at=instant(row, "lastUpdateTimestamp", "lastTradeTimestamp", "timestamp"),
    )


def _closes(row: Row, side: Side) -> bool:
    """Return whether the exchange's own words make it an exit, though the library's row does not call it one: orders
    for one side of a hedged account carry no such flag.
    """
    closing = _CLOSING.get(told(row, _POSITION_SIDES).lower())
    return side is closing or told(row, ("offset",)) == "close" or told(row, ("side",)) in _MEXC_CLOSES


def _progress(row: Row, amount: Decimal) -> tuple[OrderStatus, Decimal]:
    """Return what the word and the executed contracts say together.

    An order that ended without saying how much was executed is no news: zero would deny executions. Only a rejected one
    has none.
    """
    word, filled = text(row, "status"), decimal(row, "filled")
    if word not in _LIVE and word not in _ENDED:
        raise Unreadable("an order without a known status")
    if filled is None:
        if word not in _LIVE and word != "rejected":
            raise Unreadable("an order that ended without its executed quantity")
        filled = ZERO
    if not ZERO <= filled <= amount:
        raise Unreadable("an executed quantity out of bounds")
    if filled == amount:
        return OrderStatus.FILLED, filled
    if word in _LIVE:
        return (OrderStatus.PARTIAL if filled else OrderStatus.OPEN), filled
    ended = _ENDED[word]
    # What was executed in part was not rejected.
    return (OrderStatus.CANCELED if filled and ended is OrderStatus.REJECTED else ended), filled


def fill_of(row: Row, instrument: Instrument, recipe: Recipe, marks: Rates, *, unified: str) -> Fill:
    """Read an execution on `instrument`, which the library calls `unified`; `marks` convert fees in other coins.

    Raises Unreadable: what has no ids, side, price, quantity or time never becomes an execution.
    """
    _expect(row, instrument, unified)
    side, amount, price = _SIDES.get(text(row, "side")), decimal(row, "amount"), decimal(row, "price")
    if side is None or amount is None or amount <= ZERO:
        raise Unreadable("an execution without side or quantity")
    if price is None or price <= ZERO:
        raise Unreadable("an execution without a price")
    quantity = _coins(amount, instrument)
    profit = told(row, recipe.profit)
    return Fill(
        venue=instrument.venue,
        symbol=instrument.symbol,
        trade_id=identity(row, "id"),
        order_id=identity(row, "order"),
        client_order_id=recipe.heard(client_id(row) or told(row, recipe.executed_id)),
        side=side,
        price=Price(price),
        quantity=quantity,
        fee=_fee(row, instrument, marks),
        realised_pnl=Money(number(plain_number(profit), "profit")) if profit else NO_MONEY,
        at=instant(row, "timestamp"),
    )


def _fee(row: Row, instrument: Instrument, marks: Rates) -> Money:
    """Return what was paid in all, in quote currency; none where the exchange names none."""
    several, single = row.get("fees"), row.get("fee")
    if several is not None and not isinstance(several, list):
        raise Unreadable("fees that are none")
    paid = NO_MONEY
    for part in several or ([] if single is None else [single]):
        if not isinstance(part, dict):
            raise Unreadable("a fee that is none")
        cost = decimal(part, "cost")
        if cost:
            asset = text(part, "currency") or instrument.symbol.rpartition("-")[2]
            paid = Money(paid + fee_in_quote(instrument.symbol, Money(cost), asset, marks))
    return Money(stored(paid))
