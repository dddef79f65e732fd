"""The stream of an account: its messages as plain facts. Which of them belong together is the joining's business.

Channels orderUpdates, userFills, openOrders, clearinghouseState, and `user`, on which userEvents are told. The first
message of userFills is a snapshot of the past: what it holds is fetched by REST and is no news.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, VenueBalance, VenuePosition
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.hyperliquid.wire import orders, protections
from app.infrastructure.exchanges.hyperliquid.wire.accounts import StateRow, wallet_facts
from app.infrastructure.exchanges.hyperliquid.wire.answer import ROWS_MAX
from app.infrastructure.exchanges.hyperliquid.wire.fills import FillRow, fill_of
from app.infrastructure.exchanges.reading import Milliseconds, Names, Unreadable, read


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order is now this; `word` is the venue's word for how it stands."""

    report: OrderReport
    word: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """All orders that rest and all triggers that wait now are these."""

    orders: tuple[OrderReport, ...]
    protections: tuple[ProtectionReport, ...]


@dataclass(frozen=True, slots=True)
class Wallet:
    """The account is now this."""

    balance: VenueBalance
    positions: tuple[VenuePosition, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """Funding was settled; how much, the venue's list tells."""

    at: datetime


Fact: TypeAlias = OrderChanged | Fill | Waiting | Wallet | FundingPaid


class _Message(msgspec.Struct, frozen=True):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Fills(msgspec.Struct, frozen=True, rename="camel"):
    fills: Annotated[list[FillRow], msgspec.Meta(max_length=ROWS_MAX)]
    is_snapshot: bool = False


class _Open(msgspec.Struct, frozen=True):
    orders: Annotated[list[orders.OrderRow], msgspec.Meta(max_length=ROWS_MAX)]
    dex: str = ""


class _State(msgspec.Struct, frozen=True, rename="camel"):
    clearinghouse_state: StateRow
    dex: str = ""


class _Payment(msgspec.Struct, frozen=True):
    time: Milliseconds


class _Event(msgspec.Struct, frozen=True):
    funding: _Payment | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)
_UPDATES: Final = msgspec.json.Decoder(Annotated[list[orders.UpdatedRow], msgspec.Meta(max_length=ROWS_MAX)])
_FILLS: Final = msgspec.json.Decoder(_Fills)
_OPEN: Final = msgspec.json.Decoder(_Open)
_STATE: Final = msgspec.json.Decoder(_State)
_EVENT: Final = msgspec.json.Decoder(_Event)


def read_facts(body: bytes, names: Names, rates: Rates) -> list[Fact]:
    """Read one message; nothing from one of a kind, or about markets, that does not concern us."""
    message = read(_MESSAGE, body)
    data = bytes(message.data)
    if message.channel == "orderUpdates":
        return [_changed(row, names) for row in read(_UPDATES, data) if row.order.coin in names]
    if message.channel == "userFills":
        told = read(_FILLS, data)
        rows = () if told.is_snapshot else told.fills
        return [fill_of(row, names[row.coin], rates) for row in rows if row.coin in names]
    if message.channel == "openOrders":
        listed = read(_OPEN, data)
        return [] if listed.dex else [_waiting(listed.orders, names)]
    if message.channel == "clearinghouseState":
        state = read(_STATE, data)
        return [] if state.dex else [_wallet(state.clearinghouse_state, names)]
    if message.channel == "user":
        event = read(_EVENT, data)
        return [] if event.funding is None else [FundingPaid(from_epoch_ms(event.funding.time))]
    if message.channel == "error":
        raise Unreadable("the venue says that something is wrong with what it was asked")
    return []


def _changed(row: orders.UpdatedRow, names: Names) -> OrderChanged:
    at = from_epoch_ms(row.status_timestamp)
    return OrderChanged(orders.report_of(row.order, names[row.order.coin], row.status, at), row.status)


def _waiting(rows: list[orders.OrderRow], names: Names) -> Waiting:
    ours = [row for row in rows if row.coin in names]
    return Waiting(
        orders=tuple(orders.resting_report(row, names[row.coin]) for row in ours if not row.is_trigger),
        protections=tuple(
            protections.resting_report(row, names[row.coin])
            for row in ours
            if row.is_trigger and protections.is_protection(row)
        ),
    )


def _wallet(state: StateRow, names: Names) -> Wallet:
    balance, positions, at = wallet_facts(state, names)
    return Wallet(balance, tuple(positions), at)
