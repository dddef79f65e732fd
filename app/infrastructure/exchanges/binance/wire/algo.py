"""Protections on contracts: the Algo Service, which keeps conditional orders of USD-M since 2025-12-09 and of COIN-M since
2026-06-30 (the order endpoints refuse them with -4120).

POST, GET and DELETE algoOrder and GET openAlgoOrders of /fapi/v1 and /dapi/v1, and the event ALGO_UPDATE. They trigger by
mark price and become an order with a number of its own.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.outcomes import Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import plain
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES
from app.infrastructure.exchanges.binance.wire.contracts import Contracts
from app.infrastructure.exchanges.binance.wire.orders import contracts_text, direction_text
from app.infrastructure.exchanges.binance.wire.protections import (
    KIND_OF,
    TYPE_OF,
    algo_status,
    protection_of,
    protects,
)
from app.infrastructure.exchanges.binance.wire.refusals import refused_order
from app.infrastructure.exchanges.binance.wire.signing import encoded
from app.infrastructure.exchanges.reading import Milliseconds, Names, Number, Unreadable, read


class _Algo(msgspec.Struct, frozen=True, rename="camel"):
    algo_id: Number
    client_algo_id: str
    order_type: str
    symbol: str
    side: str
    quantity: str
    algo_status: str
    trigger_price: str
    update_time: Milliseconds
    actual_order_id: str = ""
    position_side: str = "BOTH"
    reduce_only: bool = False
    close_position: bool = False


class _Done(msgspec.Struct, frozen=True, rename="camel"):
    algo_id: Number
    client_algo_id: str


class _Change(msgspec.Struct, frozen=True):
    caid: str
    aid: Number
    o: str
    s: str
    S: str
    q: str
    X: str
    tp: str
    ai: str = ""
    ps: str = "BOTH"
    R: bool = False
    cp: bool = False


class _Message(msgspec.Struct, frozen=True):
    T: Milliseconds
    o: _Change


_ALGO: Final = msgspec.json.Decoder(_Algo)
_ALGOS: Final = msgspec.json.Decoder(list[_Algo])
_DONE: Final = msgspec.json.Decoder(_Done)
_MESSAGE: Final = msgspec.json.Decoder(_Message)


def protect_text(protection: PlaceProtection) -> str:
    """Return the form of POST algoOrder, unsigned; its timestamp and window are the protection's own."""
    instrument = protection.instrument
    return (
        f"algoType=CONDITIONAL&symbol={instrument.venue_symbol}&side={protection.side.value}"
        f"&type={TYPE_OF[protection.kind]}&quantity={contracts_text(instrument, protection.quantity)}"
        f"&triggerPrice={plain(protection.trigger)}&workingType=MARK_PRICE"
        f"&clientAlgoId={encoded(protection.client_order_id)}"
        f"{direction_text(protection.side, protection.position_mode, reduce_only=True)}"
        f"&recvWindow={protection.valid_ms}&timestamp={protection.signed_ms}"
    )


def name_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the query that names one protection; the service finds it without its market."""
    return f"clientAlgoId={encoded(client_order_id)}"


def protect_outcome(
    protection: PlaceProtection, status: int, body: bytes, retry_header: str | None
) -> ProtectionOutcome:
    """Classify the reply to a POST of `protection`; never raises."""
    if not 200 <= status < 300:
        return refused_order(status, body, retry_header, CONTRACT_CODES)
    try:
        report = read_protection(protection.instrument, protection.client_order_id, body)
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable protection: {error}")
    if (report.side, report.kind) != (protection.side, protection.kind):
        return Unknown("the reply is about another protection")
    return Protected(report)


def read_protection(instrument: Instrument, client_order_id: ClientOrderId, body: bytes) -> ProtectionReport:
    """Read the reply about one protection; Unreadable when it is about another one."""
    found = read(_ALGO, body)
    if found.client_algo_id != client_order_id or found.symbol != instrument.venue_symbol:
        raise Unreadable("the reply is about another protection")
    sizes = {instrument.venue_symbol: instrument.contract_size}
    return _report(found, Contracts({instrument.venue_symbol: instrument.symbol}, sizes), instrument.venue)


def read_cancelled(instrument: Instrument, client_order_id: ClientOrderId, body: bytes) -> None:
    """Read the yes to a cancellation, which tells no more than the names."""
    if read(_DONE, body).client_algo_id != client_order_id:
        raise Unreadable("the reply is about another protection")


def read_open(body: bytes, names: Names, venue: Venue) -> list[ProtectionReport]:
    """Read waiting protections; other conditional orders, and those on contracts that we do not trade, are left out."""
    return [
        _report(row, names, venue)
        for row in read(_ALGOS, body)
        if row.symbol in names
        and protects(
            row.order_type,
            flag=row.reduce_only,
            whole=row.close_position,
            position_side=row.position_side,
            side=row.side,
        )
    ]


def _report(row: _Algo, names: Names, venue: Venue) -> ProtectionReport:
    order_id = _order_id(row.actual_order_id)
    return protection_of(
        venue,
        names[row.symbol],
        names,
        name=row.symbol,
        protection_id=row.algo_id,
        client_order_id=row.client_algo_id,
        side=row.side,
        kind=KIND_OF.get(row.order_type),
        trigger=row.trigger_price,
        quantity=row.quantity,
        status=algo_status(row.algo_status, order_id),
        order_id=order_id,
        at_ms=row.update_time,
    )


def _order_id(text: str) -> str | None:
    if text in ("", "0"):
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise Unreadable("a senseless order id")
    return text


def read_change(body: bytes, names: Names, venue: Venue) -> ProtectionReport | None:
    """Read an ALGO_UPDATE; None when it is about no protection, or about a contract that does not concern us."""
    message = read(_MESSAGE, body)
    row = message.o
    symbol = names.get(row.s)
    if symbol is None or not protects(row.o, flag=row.R, whole=row.cp, position_side=row.ps, side=row.S):
        return None
    order_id = _order_id(row.ai)
    return protection_of(
        venue,
        symbol,
        names,
        name=row.s,
        protection_id=row.aid,
        client_order_id=row.caid,
        side=row.S,
        kind=KIND_OF.get(row.o),
        trigger=row.tp,
        quantity=row.q,
        status=algo_status(row.X, order_id),
        order_id=order_id,
        at_ms=message.T,
    )
