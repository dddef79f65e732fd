"""The private stream: its messages as plain facts. Which of them belong together is the joining's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.money import Money
from app.infrastructure.exchanges.bitget.wire.accounts import PositionRow, position_of
from app.infrastructure.exchanges.bitget.wire.coins import CoinRow
from app.infrastructure.exchanges.bitget.wire.fills import FillRow, fill_of
from app.infrastructure.exchanges.bitget.wire.plans import PlanRow, is_protection, protection_of
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.reports import OrderRow, report_of
from app.infrastructure.exchanges.bitget.wire.socket import PONG
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import ZERO, Milliseconds, Names, Unreadable, amount, read, size

T = TypeVar("T")


class StreamRefused(Unreadable):
    """The venue said no on a connection that was in order: it is of no more use."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """The wallet of an asset is now this."""

    asset: str
    balance: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Positions:
    """These are all positions that are open now."""

    positions: tuple[VenuePosition, ...]
    at: datetime


Fact: TypeAlias = OrderReport | Fill | Wallet | Positions | ProtectionReport


class _Channel(msgspec.Struct, frozen=True, rename="camel"):
    inst_type: str = ""
    channel: str = ""


class _Head(msgspec.Struct, frozen=True):
    arg: _Channel = _Channel()
    event: str = ""


class _Message(msgspec.Struct, Generic[T], frozen=True):
    data: list[T]
    ts: Milliseconds


class _MarginRow(msgspec.Struct, frozen=True, rename="camel"):
    margin_coin: str
    equity: str
    profit: str | None = msgspec.field(name="unrealizedPL", default=None)


_HEAD: Final = msgspec.json.Decoder(_Head)
_ORDERS: Final = msgspec.json.Decoder(_Message[OrderRow])
_FILLS: Final = msgspec.json.Decoder(_Message[FillRow])
_POSITIONS: Final = msgspec.json.Decoder(_Message[PositionRow])
_MARGINS: Final = msgspec.json.Decoder(_Message[_MarginRow])
_COINS: Final = msgspec.json.Decoder(_Message[CoinRow])
_PLANS: Final = msgspec.json.Decoder(_Message[PlanRow])


def read_facts(product: Product, body: bytes, names: Names, rates: Rates) -> list[Fact]:
    """Read one message; nothing from one of a kind, or about markets, that does not concern us."""
    if body == PONG:
        return []
    head = read(_HEAD, body)
    if head.event == "error":
        raise StreamRefused("an error of the stream")
    if head.event or head.arg.inst_type != product.name:
        return []
    channel = head.arg.channel
    if channel == "orders":
        rows = read(_ORDERS, body).data
        return [report_of(product, row, names[row.market]) for row in rows if row.market in names]
    if channel == "fill":
        fills = read(_FILLS, body).data
        return [fill_of(product, row, names[row.market], rates) for row in fills if row.market in names]
    if channel == "orders-algo":
        plans = (row for row in read(_PLANS, body).data if row.market in names)
        return [
            protection_of(product, row, names[row.market], rates)
            for row in plans
            if is_protection(product, row)
        ]
    if channel == "positions" and not product.is_spot:
        return [_positions(read(_POSITIONS, body), names)]
    if channel == "account":
        return _coins(read(_COINS, body)) if product.is_spot else _margins(read(_MARGINS, body))
    return []


def _positions(message: _Message[PositionRow], names: Names) -> Positions:
    held = (row for row in message.data if row.market in names and size(row.total or "0", "size") > ZERO)
    return Positions(tuple(position_of(row, names[row.market]) for row in held), from_epoch_ms(message.ts))


def _coins(message: _Message[CoinRow]) -> list[Fact]:
    at = from_epoch_ms(message.ts)
    return [Wallet(row.coin.upper(), row.held, at) for row in message.data]


def _margins(message: _Message[_MarginRow]) -> list[Fact]:
    # Without the unrealised profit the equity does not tell the wallet: then nothing is told.
    at = from_epoch_ms(message.ts)
    return [
        Wallet(
            row.margin_coin.upper(),
            Money(amount(row.equity, "equity") - amount(row.profit, "unrealised profit")),
            at,
        )
        for row in message.data
        if row.profit
    ]
