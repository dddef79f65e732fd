"""A real trader's recorded fills: what is read from a file, in the order in which it happened.

Two formats are read, told apart by their first character: the answer of Hyperliquid's `userFills` request (a JSON
list), and a CSV table with the columns of COLUMNS. Amounts are exact; whatever cannot be read names its place.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

from app.domain.shared.market import Side

COLUMNS: Final = (
    "Coin",
    "Execution Price",
    "Size Tokens",
    "Side",
    "Timestamp IST",
    "Start Position",
    "Order ID",
)
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_CSV_TIME: Final = "%d-%m-%Y %H:%M"
_SIDES: Final[Mapping[str, Side]] = {"B": Side.BUY, "A": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}
_YEARS: Final = (2000, 2200)


class RecordingError(ValueError):
    """A recording cannot be read; the text says where and why, in one line."""


@dataclass(frozen=True, slots=True)
class RecordedFill:
    """One execution. `start_position` is the signed position (coins) before it; `at` may be exact to the minute only."""

    coin: str
    order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    start_position: Decimal
    at: datetime

    @property
    def end_position(self) -> Decimal:
        """The signed position after it."""
        return self.start_position + self.quantity * self.side.sign

    @property
    def is_spot(self) -> bool:
        """Whether it is a spot pair: by index (`@107`) or by name (`PURR/USDC`)."""
        return self.coin.startswith("@") or "/" in self.coin


@dataclass(frozen=True, slots=True)
class Recording:
    """Fills, oldest first. `self_trades` counts the trader's trades with itself, which change nothing and are left out."""

    fills: tuple[RecordedFill, ...]
    self_trades: int = 0


def read_recording(path: Path) -> Recording:
    """Return the fills of a file; raises RecordingError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RecordingError(f"{path.name} is not UTF-8 text.") from None
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}.") from None
    try:
        found = read_json(text) if text.lstrip()[:1] in {"[", "{"} else read_csv(text)
    except RecordingError as error:
        raise RecordingError(f"{path.name}, {error}") from None
    if not found.fills:
        raise RecordingError(f"{path.name} holds no fill.")
    return found


def read_json(text: str) -> Recording:
    """Read the answer of `userFills`, which lists the newest first."""
    try:
        rows = json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        raise RecordingError(f"line {error.lineno}: not JSON: {error.msg}.") from None
    if not isinstance(rows, list):
        raise RecordingError("line 1: a list of fills was expected, as `userFills` answers.")
    found = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise RecordingError(f"item {number}: an object was expected.")
        fields = _Fields(row, f"item {number}")
        found.append(
            RecordedFill(
                coin=fields.text("coin"),
                order_id=fields.text("oid"),
                side=fields.side("side"),
                price=fields.above_zero("px"),
                quantity=fields.above_zero("sz"),
                start_position=fields.number("startPosition"),
                at=fields.moment("time", _epoch_ms),
            )
        )
    found.reverse()
    kept = without_self_trades(found)
    return Recording(in_order(kept), (len(found) - len(kept)) // 2)


def read_csv(text: str) -> Recording:
    """Read the table; rows of the same minute keep the order of the file. Lines are counted from the heading, 1."""
    reader = csv.DictReader(io.StringIO(text), restkey="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise RecordingError(f"line 1: these columns are missing: {', '.join(missing)}.")
    found = []
    for row in reader:
        if not any(value for value in row.values()):
            continue
        fields = _Fields(row, f"line {reader.line_num}")
        found.append(
            RecordedFill(
                coin=fields.text("Coin"),
                order_id=fields.text("Order ID"),
                side=fields.side("Side"),
                price=fields.above_zero("Execution Price"),
                quantity=fields.above_zero("Size Tokens"),
                start_position=fields.number("Start Position"),
                at=fields.moment("Timestamp IST", _csv_time),
            )
        )
    if found and found[0].at > found[-1].at:
        found.reverse()
    return Recording(tuple(sorted(found, key=lambda fill: fill.at)))


def without_self_trades(fills: Sequence[RecordedFill]) -> list[RecordedFill]:
    """Leave out pairs that bought and sold the same at one moment, price and position: the trader met itself."""
    waiting: dict[tuple[object, ...], list[int]] = {}
    dropped: set[int] = set()
    for place, fill in enumerate(fills):
        trade = (fill.at, fill.coin, fill.price, fill.quantity, fill.start_position)
        partners = waiting.get((*trade, fill.side.opposite))
        if partners:
            dropped |= {place, partners.pop()}
        else:
            waiting.setdefault((*trade, fill.side), []).append(place)
    return [fill for place, fill in enumerate(fills) if place not in dropped]


def in_order(fills: Sequence[RecordedFill]) -> tuple[RecordedFill, ...]:
    """Sort by time. Within one moment the record has no order: there each coin's fills follow its position."""
    found: list[RecordedFill] = []
    positions: dict[str, Decimal] = {}
    for _, moment in groupby(sorted(fills, key=lambda fill: fill.at), key=lambda fill: fill.at):
        coins: dict[str, list[RecordedFill]] = {}
        for fill in moment:
            coins.setdefault(fill.coin, []).append(fill)
        for coin, together in coins.items():
            found += _chained(together, positions.get(coin))
            positions[coin] = found[-1].end_position
    return tuple(found)


def _chained(fills: list[RecordedFill], position: Decimal | None) -> Iterator[RecordedFill]:
    """Yield one coin's fills so that each begins, where possible, at the position that the one before it left."""
    left = list(fills)
    if position is None:
        ends = {fill.end_position for fill in left}
        position = next((fill.start_position for fill in left if fill.start_position not in ends), None)
    while left:
        place = next((n for n, fill in enumerate(left) if fill.start_position == position), 0)
        fill = left.pop(place)
        position = fill.end_position
        yield fill


class _Fields:
    """One row's fields; whatever does not fit raises RecordingError with the row's place."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values = values
        self._where = where

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise RecordingError(f"{self._where}: {name} is missing.")
        return value.strip()

    def number(self, name: str) -> Decimal:
        text = self.text(name).replace(",", "")
        try:
            number = Decimal(text)
        except ArithmeticError:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 20:
            raise RecordingError(f"{self._where}: {name} is no usable number: {text[:40]!r}.")
        return number

    def above_zero(self, name: str) -> Decimal:
        number = self.number(name)
        if number <= 0:
            raise RecordingError(f"{self._where}: {name} must be above zero, not {number}.")
        return number

    def side(self, name: str) -> Side:
        text = self.text(name)
        if text.upper() not in _SIDES:
            raise RecordingError(f"{self._where}: {name} must be B or A, BUY or SELL, not {text[:40]!r}.")
        return _SIDES[text.upper()]

    def moment(self, name: str, read: Callable[[str], datetime]) -> datetime:
        text = self.text(name)
        try:
            moment = read(text).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            moment = None
        if moment is None or not _YEARS[0] <= moment.year < _YEARS[1]:
            raise RecordingError(f"{self._where}: {name} is no usable time: {text[:40]!r}.")
        return moment


def _epoch_ms(text: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))


def _csv_time(text: str) -> datetime:
    return datetime.strptime(text, _CSV_TIME).replace(tzinfo=_INDIA)
