"""Positions and the portfolio as they are shown, and what is sent to close a position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.application.queries import PositionRow
from app.application.users.portfolio import AccountSheet, MarkedPosition
from app.domain.shared.market import Venue
from app.domain.signals.signal import SignalState
from app.presentation.api.fields import (
    BodyId,
    Incoming,
    Moment,
    Number,
    Outgoing,
    Positive,
    SymbolText,
    example,
)

_POSITION: Final[dict[str, Any]] = {
    "follow_id": 11,
    "whale_id": 3,
    "account_id": 7,
    "venue": "binance-usdm",
    "symbol": "BTC-USDT",
    "quantity": "0.004",
    "average_entry": "64251.2",
    "margin": "25.70048",
    "realised": "0",
    "fees": "0.1285024",
    "funding": "-0.01",
    "opened_at": "2026-03-01T12:00:00.400000Z",
    "updated_at": "2026-03-01T12:00:00.400000Z",
}
_MARKED: Final[dict[str, Any]] = {**_POSITION, "mark": "64300", "unrealised": "0.1952"}
_SHEET: Final[dict[str, Any]] = {
    "account_id": 7,
    "venue": "binance-usdm",
    "label": "main account",
    "wallet": "1000",
    "free": "974.29952",
    "held": "0",
    "margin": "25.70048",
    "high_water": "1000",
    "realised_today": "-0.1385024",
    "realised": "0",
    "fees": "0.1285024",
    "funding": "-0.01",
    "unrealised": "0.1952",
    "synced_at": "2026-03-01T12:00:01Z",
    "positions": [_MARKED],
}
_CLOSED: Final[dict[str, Any]] = {
    "signal_id": "0a4b5c6d-7e8f-8012-b456-7890abcdef12",
    "follow_id": 11,
    "symbol": "BTC-USDT",
    "fraction": "1",
    "state": "PENDING",
}


class PositionOut(Outgoing):
    """What one follow holds on one market; `quantity` is signed base units, the rest quote currency."""

    model_config = example(**_POSITION)

    follow_id: int
    whale_id: int
    account_id: int
    venue: Venue
    symbol: str
    quantity: Number
    average_entry: Number | None
    margin: Number
    realised: Number
    fees: Number
    funding: Number
    opened_at: Moment | None
    updated_at: Moment


class PositionPage(Outgoing):
    """Positions, newest follow first, then by symbol."""

    model_config = example(items=[_POSITION], next="11.BTC-USDT")

    items: list[PositionOut]
    next: str | None


class MarkedPositionOut(PositionOut):
    """A position at the venue's mark price; both figures are null while the mark is not known."""

    model_config = example(**_MARKED)

    mark: Number | None
    unrealised: Number | None


class AccountSheetOut(Outgoing):
    """One account in quote currency. `free` is the wallet less margin in use and holds for orders on their way.

    `realised`, `fees` and `funding` are totals; `realised_today` is net of fees and funding, since midnight UTC.
    """

    model_config = example(**_SHEET)

    account_id: int
    venue: Venue
    label: str
    wallet: Number
    free: Number
    held: Number
    margin: Number
    high_water: Number
    realised_today: Number
    realised: Number
    fees: Number
    funding: Number
    unrealised: Number | None
    synced_at: Moment | None
    positions: list[MarkedPositionOut]


class Portfolio(Outgoing):
    """The caller's accounts, oldest first."""

    model_config = example(accounts=[_SHEET])

    accounts: list[AccountSheetOut]


class Closing(Incoming):
    """Which position to close, and how much of it."""

    model_config = example(follow_id=11, symbol="BTC-USDT", fraction="1")

    follow_id: BodyId
    symbol: SymbolText
    fraction: Positive = Decimal(1)


class ClosedPosition(Outgoing):
    """The signal that closes the position; follow it under /v1/signals."""

    model_config = example(**_CLOSED)

    signal_id: UUID
    follow_id: int
    symbol: str
    fraction: Number
    state: SignalState


def position_out(row: PositionRow) -> PositionOut:
    """Return a position as it is shown."""
    return PositionOut(**_fields(row))


def sheet_out(sheet: AccountSheet) -> AccountSheetOut:
    """Return one account of the portfolio as it is shown."""
    funds = sheet.funds
    return AccountSheetOut(
        account_id=funds.account_id,
        venue=funds.venue,
        label=funds.label,
        wallet=funds.wallet,
        free=sheet.free,
        held=funds.held,
        margin=funds.margin,
        high_water=funds.high_water,
        realised_today=funds.realised_today,
        realised=funds.realised,
        fees=funds.fees,
        funding=funds.funding,
        unrealised=sheet.unrealised,
        synced_at=funds.synced_at,
        positions=[_marked(each) for each in sheet.positions],
    )


def _marked(each: MarkedPosition) -> MarkedPositionOut:
    return MarkedPositionOut(**_fields(each.row), mark=each.mark, unrealised=each.unrealised)


def _fields(row: PositionRow) -> dict[str, Any]:
    held = row.position
    return {
        "follow_id": row.follow_id,
        "whale_id": row.whale_id,
        "account_id": row.account_id,
        "venue": row.venue,
        "symbol": row.symbol,
        "quantity": held.quantity,
        "average_entry": held.average_entry,
        "margin": held.margin,
        "realised": held.realised,
        "fees": held.fees,
        "funding": held.funding,
        "opened_at": row.opened_at,
        "updated_at": row.updated_at,
    }
