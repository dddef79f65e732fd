"""The private streams: their messages as events and plain facts. What a wallet held before, the feed remembers.

`/private` tells orders with their executions, and balances with positions; `/business` tells protections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from app.domain.exchanges.ports import OrderUpdate, ProtectionUpdate
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import VenuePosition
from app.domain.shared.money import Money
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.okx.wire.accounts import PositionRow, position_of
from app.infrastructure.exchanges.okx.wire.answer import milliseconds
from app.infrastructure.exchanges.okx.wire.fills import StreamedOrder, streamed_fill
from app.infrastructure.exchanges.okx.wire.orders import report_of
from app.infrastructure.exchanges.okx.wire.protections import AlgoRow
from app.infrastructure.exchanges.okx.wire.protections import report_of as protection_of
from app.infrastructure.exchanges.okx.wire.socket import LEAVES, PONG
from app.infrastructure.exchanges.okx.wire.terms import Listed, Terms
from app.infrastructure.exchanges.reading import amount, read

T = TypeVar("T")
SNAPSHOT: Final = "snapshot"
TRANSFERRED: Final = "transferred"
_REASONS: Final[Mapping[str, str]] = MappingProxyType({"filled": "ORDER", "funding_fee": "FUNDING_FEE"})
"""The venue's words for why a wallet changed, where the port has one of its own; others stay as they are."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """The wallet of an asset is now this. `positions` changed with it."""

    asset: str
    balance: Money
    reason: str
    at: datetime
    positions: tuple[VenuePosition, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """The connection is of no more use; `why` is the venue's word."""

    why: str


Fact: TypeAlias = OrderUpdate | ProtectionUpdate | Wallet | Leave


class _Head(msgspec.Struct, frozen=True):
    event: str = ""
    code: str = ""
    arg: Mapping[str, object] = {}


class _Message(msgspec.Struct, Generic[T], frozen=True):
    data: list[T]


class _Balance(msgspec.Struct, frozen=True, rename="camel"):
    ccy: str
    cash_bal: str


class _Position(PositionRow, frozen=True, rename="camel"):
    inst_type: str = ""


class _Holdings(msgspec.Struct, frozen=True, rename="camel"):
    p_time: str
    event_type: str = ""
    bal_data: list[_Balance] = []
    pos_data: list[_Position] = []


_HEAD: Final = msgspec.json.Decoder(_Head)
_ORDERS: Final = msgspec.json.Decoder(_Message[StreamedOrder])
_ALGOS: Final = msgspec.json.Decoder(_Message[AlgoRow])
_HOLDINGS: Final = msgspec.json.Decoder(_Message[_Holdings])


def private_channels(terms: Terms) -> tuple[Mapping[str, str], ...]:
    """Return what to subscribe to on `/private`."""
    return ({"channel": "orders", "instType": terms.inst_type}, {"channel": "balance_and_position"})


def business_channels(terms: Terms) -> tuple[Mapping[str, str], ...]:
    """Return what to subscribe to on `/business`."""
    return ({"channel": "orders-algo", "instType": terms.inst_type},)


def read_facts(body: bytes, listed: Listed, rates: Rates) -> list[Fact]:
    """Read one message; nothing from one of a kind, or about contracts, that does not concern us."""
    if body == PONG:
        return []
    head = read(_HEAD, body)
    if head.event:
        return [Leave(f"{head.event} {head.code}".strip())] if head.event in LEAVES else []
    channel = head.arg.get("channel")
    if channel == "orders":
        return list(_orders(read(_ORDERS, body).data, listed, rates))
    if channel == "orders-algo":
        rows = read(_ALGOS, body).data
        return [
            ProtectionUpdate(protection_of(row, listed))
            for row in rows
            if row.inst_id in listed.names and row.is_ours
        ]
    if channel == "balance_and_position":
        return list(_wallets(read(_HOLDINGS, body).data, listed))
    return []


def _orders(rows: list[StreamedOrder], listed: Listed, rates: Rates) -> Iterator[OrderUpdate]:
    for row in rows:
        if row.inst_id in listed.names and row.inst_type in {"", listed.terms.inst_type}:
            report = report_of(row, listed)
            yield OrderUpdate(report, streamed_fill(row, report, listed, rates))


def _wallets(rows: list[_Holdings], listed: Listed) -> Iterator[Wallet]:
    for row in rows:
        at = from_epoch_ms(milliseconds(row.p_time, "the time of the wallet"))
        reason = _REASONS.get(row.event_type, row.event_type)
        positions = tuple(
            position_of(position, listed)
            for position in row.pos_data
            if position.inst_id in listed.names and position.inst_type in {"", listed.terms.inst_type}
        )
        for balance in row.bal_data:
            yield Wallet(balance.ccy, amount(balance.cash_bal, "balance"), reason, at, positions)
