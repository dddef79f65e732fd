"""What is set and told of an account: leverage, modes, fees, the rights of a key and the listen key.

POST leverage and marginType, GET and POST positionSide/dual, GET commissionRate and POST listenKey of USD-M and COIN-M
alike; GET /sapi/v1/account/apiRestrictions for all markets.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.reading import Unreadable, number, read


class _Leverage(msgspec.Struct, frozen=True, rename="camel"):
    leverage: int
    symbol: str


class _Mode(msgspec.Struct, frozen=True, rename="camel"):
    dual_side_position: bool


class _Done(msgspec.Struct, frozen=True):
    code: int


class _Fees(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    maker_commission_rate: str
    taker_commission_rate: str


class _Rights(msgspec.Struct, frozen=True, rename="camel"):
    enable_reading: bool
    enable_withdrawals: bool
    ip_restrict: bool
    enable_futures: bool = False
    enable_spot_and_margin_trading: bool = False


class _ListenKey(msgspec.Struct, frozen=True, rename="camel"):
    listen_key: str


_LEVERAGE: Final = msgspec.json.Decoder(_Leverage)
_MODE: Final = msgspec.json.Decoder(_Mode)
_DONE: Final = msgspec.json.Decoder(_Done)
_FEES: Final = msgspec.json.Decoder(_Fees)
_RIGHTS: Final = msgspec.json.Decoder(_Rights)
_LISTEN_KEY: Final = msgspec.json.Decoder(_ListenKey)


def leverage_text(instrument: Instrument, leverage: int) -> str:
    """Return the form of POST leverage."""
    return f"symbol={instrument.venue_symbol}&leverage={leverage}"


def read_leverage(instrument: Instrument, body: bytes) -> int:
    """Return the leverage that the venue confirmed for `instrument`."""
    found = read(_LEVERAGE, body)
    if found.symbol != instrument.venue_symbol or found.leverage < 1:
        raise Unreadable("leverage of another market")
    return found.leverage


def margin_mode_text(instrument: Instrument, mode: MarginMode) -> str:
    """Return the form of POST marginType."""
    return (
        f"symbol={instrument.venue_symbol}&marginType={'CROSSED' if mode is MarginMode.CROSS else 'ISOLATED'}"
    )


def position_mode_text(mode: PositionMode) -> str:
    """Return the form of POST positionSide/dual."""
    return f"dualSidePosition={'true' if mode is PositionMode.HEDGE else 'false'}"


def read_position_mode(body: bytes) -> PositionMode:
    """Return whether positions net."""
    return PositionMode.HEDGE if read(_MODE, body).dual_side_position else PositionMode.ONE_WAY


def read_done(body: bytes) -> None:
    """Read the yes to a setting; Unreadable when it is none."""
    if read(_DONE, body).code != 200:
        raise Unreadable("the setting was not confirmed")


def read_fees(instrument: Instrument, body: bytes) -> FeeRates:
    """Return what the account pays on one market."""
    found = read(_FEES, body)
    if found.symbol != instrument.venue_symbol:
        raise Unreadable("fees of another market")
    return FeeRates(
        number(found.maker_commission_rate, "maker fee"), number(found.taker_commission_rate, "taker fee")
    )


def read_key_facts(body: bytes, *, spot: bool) -> KeyFacts:
    """Return what the key may do; trading also means reading, for without it nothing can be confirmed."""
    found = read(_RIGHTS, body)
    trades = found.enable_spot_and_margin_trading if spot else found.enable_futures
    return KeyFacts(
        can_trade=trades and found.enable_reading,
        can_withdraw=found.enable_withdrawals,
        ip_restricted=found.ip_restrict,
    )


def read_listen_key(body: bytes) -> str:
    """Return the name of the account's user-data stream: a secret, since it opens the stream by itself."""
    key = read(_LISTEN_KEY, body).listen_key
    if not key.isalnum() or not key.isascii() or len(key) > 256:
        raise Unreadable("a senseless listen key")
    return key
