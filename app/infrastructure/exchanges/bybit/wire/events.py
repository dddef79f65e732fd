"""The private stream: its messages as plain facts. Which of them belong together is the joining's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.fills import FUNDING, MOVING, ExecutionRow, fill_of
from app.infrastructure.exchanges.bybit.wire.order_row import OrderRow, has_become_order, report_of
from app.infrastructure.exchanges.bybit.wire.positions import PositionRow, position_of
from app.infrastructure.exchanges.bybit.wire.protections import protection_of, protects
from app.infrastructure.exchanges.bybit.wire.wallets import WalletRow, assets_of, holdings_of
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import Milliseconds, Names, amount, read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wallet:
    """The wallet of an asset that pays is now this."""

    balance: Money
    at: datetime
    asset: str = "USDT"


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """Funding was settled; `amount` (negative: paid) explains the wallet's change, the log has it for the books."""

    at: datetime
    amount: Money = NO_MONEY
    asset: str = "USDT"


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position (at spot: a holding) is now this; flat ones are told too."""

    position: VenuePosition
    at: datetime


Fact: TypeAlias = OrderReport | ProtectionReport | Fill | Wallet | FundingPaid | PositionChanged


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


def read_facts(body: bytes, category: Category, names: Names, rates: Rates) -> list[Fact]:
    """Read one message; nothing from one of a kind, or about markets, that does not concern us."""
    topic = read(_HEAD, body).topic.partition(".")[0]
    if topic == "order":
        return _orders(read(_ORDERS, body), category, names)
    if topic == "execution":
        return _executions(read(_EXECUTIONS, body), category, names, rates)
    if topic == "position":
        message = read(_POSITIONS, body)
        at = from_epoch_ms(message.creation_time)
        return [
            PositionChanged(position_of(row, names[row.symbol]), at)
            for row in message.data
            if _ours(row, category, names)
        ]
    return _wallets(read(_WALLETS, body), category, names) if topic == "wallet" else []


def _ours(row: OrderRow | ExecutionRow | PositionRow, category: Category, names: Names) -> bool:
    # A market may bear the same name at spot and as a contract: only the category tells them apart.
    return row.category == category.word and row.symbol in names


def _orders(message: _Message[OrderRow], category: Category, names: Names) -> list[Fact]:
    facts: list[Fact] = []
    for row in message.data:
        if not _ours(row, category, names):
            continue
        symbol = names[row.symbol]
        if protects(row, category):
            facts.append(protection_of(row, symbol, category.venue))
        if has_become_order(row):
            facts.append(report_of(row, symbol, category.venue))
    return facts


def _executions(
    message: _Message[ExecutionRow], category: Category, names: Names, rates: Rates
) -> list[Fact]:
    facts: list[Fact] = []
    for row in message.data:
        if not _ours(row, category, names):
            continue
        symbol = names[row.symbol]
        if row.exec_type == FUNDING:
            # As a fee: what was paid is above zero here.
            paid = amount(row.exec_fee or "0", "funding")
            asset = category.settle(symbol)
            facts.append(FundingPaid(from_epoch_ms(message.creation_time), Money(-paid), asset))
        elif row.exec_type in MOVING:
            facts.append(fill_of(row, symbol, category, rates))
    return facts


def _wallets(message: _Message[WalletRow], category: Category, names: Names) -> list[Fact]:
    at, assets = from_epoch_ms(message.creation_time), assets_of(category, names)
    coins = [coin for row in message.data for coin in row.coin]
    facts: list[Fact] = []
    if category.is_spot:
        facts.extend(PositionChanged(holding, at) for holding in holdings_of(coins, names))
    facts.extend(Wallet(coin.owned, at, coin.coin) for coin in coins if coin.coin in assets)
    return facts
