"""The private stream: its messages as plain facts. Which of them belong together is the joining's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.money import Money
from app.infrastructure.exchanges.bybit.wire.accounts import PositionRow, WalletRow, margin_coin, position_of
from app.infrastructure.exchanges.bybit.wire.fills import FUNDING, MOVING, ExecutionRow, fill_of
from app.infrastructure.exchanges.bybit.wire.orders import CATEGORY, OrderRow, report_of
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import Milliseconds, Names, amount, read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wallet:
    """The margin wallet is now this."""

    balance: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """Funding was settled; how much, the log tells."""

    at: datetime


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position is now this; flat ones are told too."""

    position: VenuePosition
    at: datetime


Fact: TypeAlias = OrderReport | Fill | Wallet | FundingPaid | PositionChanged


class _Head(msgspec.Struct, frozen=True):
    topic: str = ""


class _Message(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    data: list[T]
    creation_time: Milliseconds


_HEAD: Final = msgspec.json.Decoder(_Head)
_ORDERS: Final = msgspec.json.Decoder(_Message[OrderRow])
_EXECUTIONS: Final = msgspec.json.Decoder(_Message[ExecutionRow])
_POSITIONS: Final = msgspec.json.Decoder(_Message[PositionRow])
_WALLETS: Final = msgspec.json.Decoder(_Message[WalletRow])


def read_facts(body: bytes, names: Names, rates: Rates) -> list[Fact]:
    """Read one message; nothing from one of a kind, or about contracts, that does not concern us."""
    topic = read(_HEAD, body).topic.partition(".")[0]
    if topic == "order":
        rows = read(_ORDERS, body).data
        return [report_of(row, names[row.symbol]) for row in rows if _ours(row, names)]
    if topic == "execution":
        return _executions(read(_EXECUTIONS, body), names, rates)
    if topic == "position":
        message = read(_POSITIONS, body)
        at = from_epoch_ms(message.creation_time)
        return [
            PositionChanged(position_of(row, names[row.symbol]), at)
            for row in message.data
            if _ours(row, names)
        ]
    return _wallets(read(_WALLETS, body)) if topic == "wallet" else []


def _ours(row: OrderRow | ExecutionRow | PositionRow, names: Names) -> bool:
    return row.category == CATEGORY and row.symbol in names


def _executions(message: _Message[ExecutionRow], names: Names, rates: Rates) -> list[Fact]:
    facts: list[Fact] = []
    for row in message.data:
        if not _ours(row, names):
            continue
        if row.exec_type == FUNDING:
            facts.append(FundingPaid(from_epoch_ms(message.creation_time)))
        elif row.exec_type in MOVING:
            facts.append(fill_of(row, names[row.symbol], rates))
    return facts


def _wallets(message: _Message[WalletRow]) -> list[Fact]:
    at = from_epoch_ms(message.creation_time)
    coins = [coin for row in message.data if (coin := margin_coin(row)) is not None]
    return [Wallet(amount(coin.wallet_balance, "wallet balance"), at) for coin in coins]
