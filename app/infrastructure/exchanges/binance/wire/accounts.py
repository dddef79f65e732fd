"""What an account of contracts holds: positions, wallets and funding.

GET /fapi/v2/positionRisk (version 3 no longer tells the leverage) and /dapi/v1/positionRisk, /fapi/v3/balance and
/dapi/v1/balance, /fapi/v1/income and /dapi/v1/income.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.binance.wire.contracts import size_of
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    amount,
    number,
    read,
)

PAGE: Final = 1000
"""The most rows of income that the venue gives at once."""


class _Position(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    position_amt: str
    entry_price: str
    un_realized_profit: str
    leverage: str


class _Balance(msgspec.Struct, frozen=True, rename="camel"):
    asset: str
    balance: str
    available_balance: str


class _Income(msgspec.Struct, frozen=True, rename="camel"):
    income_type: str
    income: str
    asset: str
    time: Milliseconds
    tran_id: Number
    symbol: str = ""


_POSITIONS: Final = msgspec.json.Decoder(list[_Position])
_BALANCES: Final = msgspec.json.Decoder(list[_Balance])
_INCOMES: Final = msgspec.json.Decoder(list[_Income])


def read_positions(body: bytes, names: Names) -> tuple[list[VenuePosition], list[str]]:
    """Return the positions that are not flat (in hedge mode a long and a short one of a market beside each other), and
    the venue's names of those on contracts that `names` lacks.
    """
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for row in read(_POSITIONS, body):
        quantity = number(row.position_amt, "position amount")
        if quantity == ZERO:
            continue
        symbol = names.get(row.symbol)
        if symbol is None:
            strangers.append(row.symbol)
            continue
        if not row.leverage.isascii() or not row.leverage.isdecimal() or len(row.leverage) > 4:
            raise Unreadable("leverage is no whole number")
        found.append(
            VenuePosition(
                symbol=symbol,
                quantity=quantity * size_of(names, row.symbol),
                entry_price=number(row.entry_price, "entry price"),
                unrealised_pnl=amount(row.un_realized_profit, "unrealised profit"),
                leverage=int(row.leverage),
            )
        )
    return found, strangers


def read_balance(body: bytes, asset: str, *, told: bool) -> VenueBalance:
    """Return one wallet. A wallet without a row is empty, unless the venue always tells it (`told`): then its absence is
    no answer, for a zero that nobody said would stop an account.
    """
    for row in read(_BALANCES, body):
        if row.asset == asset:
            return VenueBalance(
                asset=row.asset,
                wallet=amount(row.balance, "balance"),
                available=amount(row.available_balance, "available balance"),
            )
    if told:
        raise Unreadable(f"no balance of {asset}")
    return VenueBalance(asset=asset, wallet=NO_MONEY, available=NO_MONEY)


def funding_text(since_ms: int) -> str:
    """Return the query of GET income for funding from `since_ms` on, oldest first."""
    return f"incomeType=FUNDING_FEE&startTime={since_ms}&limit={PAGE}"


def read_funding(body: bytes, names: Names, collateral: str | None) -> tuple[list[FundingPayment], int]:
    """Return funding, oldest first, and how many rows the page had: what was paid in the collateral or, where each
    market has its own, in the coin of its market.
    """
    rows = read(_INCOMES, body)
    chosen = [row for row in rows if row.income_type == "FUNDING_FEE" and _settles(row, names, collateral)]
    payments = [
        FundingPayment(
            str(row.tran_id), names.get(row.symbol), amount(row.income, "income"), from_epoch_ms(row.time)
        )
        for row in sorted(chosen, key=lambda row: row.time)
    ]
    return payments, len(rows)


def _settles(row: _Income, names: Names, collateral: str | None) -> bool:
    if collateral is not None:
        return row.asset == collateral
    symbol = names.get(row.symbol)
    return symbol is not None and symbol.partition("-")[0] == row.asset
