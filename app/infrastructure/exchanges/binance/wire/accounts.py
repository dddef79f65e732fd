"""What an account holds and may do: positions, wallet, funding, leverage and the rights of a key.

GET /fapi/v2/positionRisk (version 3 no longer tells the leverage), GET /fapi/v3/balance, GET /fapi/v1/income,
POST /fapi/v1/leverage, GET /sapi/v1/account/apiRestrictions, and /fapi/v1/listenKey.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument
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

MARGIN_ASSET: Final = "USDT"
PAGE: Final = 1000
"""The most rows that the venue gives at once."""


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


class _Leverage(msgspec.Struct, frozen=True, rename="camel"):
    leverage: int
    symbol: str


class _Rights(msgspec.Struct, frozen=True, rename="camel"):
    enable_reading: bool
    enable_futures: bool
    enable_withdrawals: bool
    ip_restrict: bool


class _ListenKey(msgspec.Struct, frozen=True, rename="camel"):
    listen_key: str


_POSITIONS: Final = msgspec.json.Decoder(list[_Position])
_BALANCES: Final = msgspec.json.Decoder(list[_Balance])
_INCOMES: Final = msgspec.json.Decoder(list[_Income])
_LEVERAGE: Final = msgspec.json.Decoder(_Leverage)
_RIGHTS: Final = msgspec.json.Decoder(_Rights)
_LISTEN_KEY: Final = msgspec.json.Decoder(_ListenKey)


def read_positions(body: bytes, names: Names) -> tuple[list[VenuePosition], list[str]]:
    """Return the positions that are not flat, and the venue's names of those on contracts that `names` lacks."""
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
                quantity=quantity,
                entry_price=number(row.entry_price, "entry price"),
                unrealised_pnl=amount(row.un_realized_profit, "unrealised profit"),
                leverage=int(row.leverage),
            )
        )
    return found, strangers


def read_balance(body: bytes) -> VenueBalance:
    """Return the margin wallet. No row for it is no answer: a zero that nobody said would stop an account."""
    for row in read(_BALANCES, body):
        if row.asset == MARGIN_ASSET:
            return VenueBalance(
                asset=row.asset,
                wallet=amount(row.balance, "balance"),
                available=amount(row.available_balance, "available balance"),
            )
    raise Unreadable(f"no balance of {MARGIN_ASSET}")


def funding_text(since_ms: int) -> str:
    """Return the query of GET /fapi/v1/income for funding from `since_ms` on, oldest first."""
    return f"incomeType=FUNDING_FEE&startTime={since_ms}&limit={PAGE}"


def read_funding(body: bytes, names: Names) -> tuple[list[FundingPayment], int]:
    """Return funding in the margin asset, oldest first, and how many rows the page had."""
    rows = read(_INCOMES, body)
    chosen = [row for row in rows if row.income_type == "FUNDING_FEE" and row.asset == MARGIN_ASSET]
    payments = [
        FundingPayment(
            str(row.tran_id), names.get(row.symbol), amount(row.income, "income"), from_epoch_ms(row.time)
        )
        for row in sorted(chosen, key=lambda row: row.time)
    ]
    return payments, len(rows)


def leverage_text(instrument: Instrument, leverage: int) -> str:
    """Return the form of POST /fapi/v1/leverage."""
    return f"symbol={instrument.venue_symbol}&leverage={leverage}"


def read_leverage(instrument: Instrument, body: bytes) -> int:
    """Return the leverage that the venue confirmed for `instrument`."""
    found = read(_LEVERAGE, body)
    if found.symbol != instrument.venue_symbol or found.leverage < 1:
        raise Unreadable("leverage of another market")
    return found.leverage


def read_key_facts(body: bytes) -> KeyFacts:
    """Return what the key may do; trading means futures and reading, for without reading nothing can be confirmed."""
    found = read(_RIGHTS, body)
    return KeyFacts(
        can_trade=found.enable_futures and found.enable_reading,
        can_withdraw=found.enable_withdrawals,
        ip_restricted=found.ip_restrict,
    )


def read_listen_key(body: bytes) -> str:
    """Return the name of the account's user-data stream: a secret, since it opens the stream by itself."""
    key = read(_LISTEN_KEY, body).listen_key
    if not key.isalnum() or not key.isascii() or len(key) > 256:
        raise Unreadable("a senseless listen key")
    return key
