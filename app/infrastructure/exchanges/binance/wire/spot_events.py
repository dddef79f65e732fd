"""The user-data stream of spot: subscribed to over the WebSocket API, for listen keys are gone there.

The request `userDataStream.subscribe.signature` and the reply to it; then executionReport becomes an OrderUpdate (with a
fill when something was executed) and a ProtectionUpdate where the order is one, and outboundAccountPosition becomes a
BalanceUpdate for each wallet. What the venue announces before it ends a stream is told apart.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Money, Quantity
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.binance.wire.contracts import ONE
from app.infrastructure.exchanges.binance.wire.events import StreamEnded, Told
from app.infrastructure.exchanges.binance.wire.orders import report_of
from app.infrastructure.exchanges.binance.wire.protections import order_status, protection_of
from app.infrastructure.exchanges.binance.wire.signing import signature
from app.infrastructure.exchanges.binance.wire.spot_accounts import QUOTE, holding, spot_fee
from app.infrastructure.exchanges.binance.wire.spot_orders import SPOT_KINDS, average_of
from app.infrastructure.exchanges.binance.wire.trades import fill_of
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    amount,
    positive_price,
    read,
    size,
)

_PATH: Final = "/ws-api/v3"
_ENDED: Final = frozenset({"eventStreamTerminated", "serverShutdown"})
UNTOLD: Final = ""
"""The venue does not say why a wallet changed."""


class _Head(msgspec.Struct, frozen=True):
    e: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    event: msgspec.Raw = msgspec.Raw()
    e: str = ""


class _Error(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""


class _Reply(msgspec.Struct, frozen=True):
    status: int
    id: str | int | None = None
    error: _Error | None = None


class _Report(msgspec.Struct, frozen=True):
    s: str
    c: str
    S: str
    o: str
    q: str
    x: str
    X: str
    i: Number
    z: str
    Z: str
    T: Milliseconds
    C: str = ""
    P: str = "0"
    l: str = "0"  # noqa: E741 - the venue's name
    L: str = "0"
    t: int = -1
    n: str = "0"
    N: str | None = None


class _Balance(msgspec.Struct, frozen=True):
    a: str
    f: str
    l: str  # noqa: E741 - the venue's name


class _Balances(msgspec.Struct, frozen=True):
    u: Milliseconds
    B: list[_Balance]


_HEAD: Final = msgspec.json.Decoder(_Head)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_REPLY: Final = msgspec.json.Decoder(_Reply)
_REPORT: Final = msgspec.json.Decoder(_Report)
_BALANCES: Final = msgspec.json.Decoder(_Balances)


def api_address(ws_url: str) -> str:
    """Return the address of the WebSocket API. The venue serves market streams at `stream.` and this at `ws-api.` of one
    domain; any other host serves both.
    """
    parts = urlsplit(ws_url)
    host = parts.hostname or ""
    if host.startswith("stream."):
        return urlunsplit((parts.scheme, "ws-api." + host.removeprefix("stream."), _PATH, "", ""))
    return ws_url + _PATH


def subscription(key: str, secret: bytes, timestamp_ms: int, window_ms: int) -> str:
    """Return the request for an account's events; it is signed over its parameters in the order of their names."""
    text = f"apiKey={key}&recvWindow={window_ms}&timestamp={timestamp_ms}"
    params = {
        "apiKey": key,
        "recvWindow": window_ms,
        "timestamp": timestamp_ms,
        "signature": signature(secret, text),
    }
    return json.dumps({"id": "events", "method": "userDataStream.subscribe.signature", "params": params})


def read_answer(body: bytes) -> str | None:
    """Return None for the yes to a subscription, else the venue's error code; Unreadable when it is no reply."""
    found = read(_REPLY, body)
    if found.status == 200:
        return None
    return str(found.error.code if found.error is not None else found.status)


def read_spot_events(body: bytes, names: Names, rates: Rates) -> list[Told]:
    """Read one message; nothing when it is of a kind, or about a market, that does not concern us."""
    envelope = read(_ENVELOPE, body)
    raw = bytes(envelope.event)
    if not raw:  # a reply, or what the venue announces to the whole connection
        return [StreamEnded()] if envelope.e in _ENDED else []
    kind = read(_HEAD, raw).e
    if kind == "executionReport":
        return _order_told(read(_REPORT, raw), names, rates)
    if kind == "outboundAccountPosition":
        return _balances(read(_BALANCES, raw), names)
    return [StreamEnded()] if kind in _ENDED else []


def _order_told(row: _Report, names: Names, rates: Rates) -> list[Told]:
    symbol = names.get(row.s)
    if symbol is None:
        return []
    report = report_of(
        Venue.BINANCE_SPOT,
        symbol,
        order_id=row.i,
        client_order_id=row.C or row.c,
        side=row.S,
        status=row.X,
        quantity=row.q,
        executed=row.z,
        average=average_of(row.Z, row.z),
        reduce_only=Side.SELL.value == row.S,
        position_side="BOTH",
        at_ms=row.T,
        unit=ONE,
    )
    fill = _fill(row, report, rates) if row.x == "TRADE" else None
    if row.o not in SPOT_KINDS:
        return [OrderUpdate(report, fill)]
    told: list[Told] = [_protection(row, report)]
    return [*told, OrderUpdate(report, fill)] if report.executed else told


def _protection(row: _Report, report: OrderReport) -> ProtectionUpdate:
    status = order_status(row.X, row.z)
    return ProtectionUpdate(
        protection_of(
            Venue.BINANCE_SPOT,
            report.symbol,
            {},
            name=row.s,
            protection_id=row.i,
            client_order_id=report.client_order_id,
            side=row.S,
            kind=SPOT_KINDS.get(row.o),
            trigger=row.P,
            quantity=row.q,
            status=status,
            order_id=report.order_id if status is ProtectionStatus.TRIGGERED else None,
            at_ms=row.T,
        )
    )


def _fill(row: _Report, report: OrderReport, rates: Rates) -> Fill:
    last = size(row.l, "last quantity")
    if row.t < 1 or last == ZERO or last > size(row.z, "executed quantity"):
        raise Unreadable("a trade without an id or a quantity, or beyond what its order executed")
    fee, kept = NO_MONEY, Quantity(ZERO)
    if row.N is not None:
        at = positive_price(row.L, "price")
        fee, kept = spot_fee(report.symbol, report.side, amount(row.n, "commission"), row.N, at, rates)
    return fill_of(
        report.venue,
        report.symbol,
        trade_id=row.t,
        order_id=row.i,
        client_order_id=report.client_order_id,
        side=row.S,
        price=row.L,
        quantity=row.l,
        fee=fee,
        realised=NO_MONEY,
        at_ms=row.T,
        order_final=report.status.is_final,
        unit=ONE,
        base_fee=kept,
    )


def _balances(message: _Balances, names: Names) -> list[Told]:
    """Tell the wallets that changed; the coins that have a market of ours go with the first, as holdings."""
    ours = frozenset(names.values())
    wallets = [(row.a, size(row.f, "free balance") + size(row.l, "locked balance")) for row in message.B]
    held = [(Symbol(f"{asset}-{QUOTE}"), whole) for asset, whole in wallets]
    positions = tuple(holding(symbol, Quantity(whole)) for symbol, whole in held if symbol in ours)
    return [
        BalanceUpdate(
            balance=Money(whole),
            change=NO_MONEY,
            reason=UNTOLD,
            at=from_epoch_ms(message.u),
            positions=() if place else positions,
            asset=asset,
        )
        for place, (asset, whole) in enumerate(wallets)
    ]
