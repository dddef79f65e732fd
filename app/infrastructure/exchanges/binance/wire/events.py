"""The user-data stream: its messages as our stream events.

ORDER_TRADE_UPDATE becomes an OrderUpdate, with a fill when the venue executed something; ACCOUNT_UPDATE becomes a
BalanceUpdate; the end of the listen key is told apart, since the stream must be opened anew.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.binance.wire.accounts import MARGIN_ASSET
from app.infrastructure.exchanges.binance.wire.orders import fill_of, report_of
from app.infrastructure.exchanges.fees import Rates, fee_in_quote
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    amount,
    number,
    read,
    size,
)

EXECUTIONS: Final = frozenset({"TRADE", "CALCULATED"})
"""Execution types that move quantity; CALCULATED is the venue's own liquidation."""


def user_stream_path(listen_key: str, *, routed: bool) -> str:
    """Return the path of an account's stream. Routed, the key and the wanted events are a query: as a path segment the
    venue accepts it and sends nothing.
    """
    if not routed:
        return f"/ws/{listen_key}"
    return f"/private/ws?listenKey={listen_key}&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/listenKeyExpired"


class ListenKeyExpired:
    """The stream has ended: it must be opened again under a new key."""


class _Head(msgspec.Struct, frozen=True):
    e: str


class _Order(msgspec.Struct, frozen=True):
    s: str
    c: str
    S: str
    q: str
    x: str
    X: str
    i: Number
    z: str
    T: Milliseconds
    ap: str = "0"
    l: str = "0"  # noqa: E741 - the venue's name
    L: str = "0"
    t: int = 0
    R: bool = False
    rp: str = "0"
    n: str = "0"
    N: str | None = None


class _OrderMessage(msgspec.Struct, frozen=True):
    o: _Order


class _Wallet(msgspec.Struct, frozen=True):
    a: str
    wb: str
    bc: str = "0"


class _Position(msgspec.Struct, frozen=True):
    s: str
    pa: str
    ep: str = "0"
    up: str = "0"


class _Change(msgspec.Struct, frozen=True):
    m: str
    B: list[_Wallet] = []
    P: list[_Position] = []


class _AccountMessage(msgspec.Struct, frozen=True):
    T: Milliseconds
    a: _Change


_HEAD: Final = msgspec.json.Decoder(_Head)
_ORDER: Final = msgspec.json.Decoder(_OrderMessage)
_ACCOUNT: Final = msgspec.json.Decoder(_AccountMessage)


def read_event(
    body: bytes, names: Names, rates: Rates
) -> OrderUpdate | BalanceUpdate | ListenKeyExpired | None:
    """Read one message; None when it is of a kind, or about a contract, that does not concern us."""
    kind = read(_HEAD, body).e
    if kind == "ORDER_TRADE_UPDATE":
        return _order_update(read(_ORDER, body).o, names, rates)
    if kind == "ACCOUNT_UPDATE":
        return _balance_update(read(_ACCOUNT, body), names)
    return ListenKeyExpired() if kind == "listenKeyExpired" else None


def _order_update(row: _Order, names: Names, rates: Rates) -> OrderUpdate | None:
    symbol = names.get(row.s)
    if symbol is None:
        return None
    report = report_of(
        symbol,
        order_id=row.i,
        client_order_id=row.c,
        side=row.S,
        status=row.X,
        quantity=row.q,
        executed=row.z,
        average=row.ap,
        reduce_only=row.R,
        at_ms=row.T,
    )
    executed = row.x in EXECUTIONS and size(row.l, "last quantity") > ZERO
    if row.x == "TRADE" and not executed:
        raise Unreadable("a trade without a quantity")
    return OrderUpdate(report, _fill(row, symbol, rates, final=report.status.is_final) if executed else None)


def _fill(row: _Order, symbol: Symbol, rates: Rates, *, final: bool) -> Fill:
    if row.t < 1 or size(row.l, "last quantity") > size(row.z, "executed quantity"):
        raise Unreadable("a trade without an id, or beyond what its order executed")
    fee = NO_MONEY
    if row.N is not None:
        fee = fee_in_quote(symbol, amount(row.n, "commission"), row.N, rates)
    return fill_of(
        symbol,
        trade_id=row.t,
        order_id=row.i,
        client_order_id=row.c,
        side=row.S,
        price=row.L,
        quantity=row.l,
        fee=fee,
        realised=row.rp,
        at_ms=row.T,
        order_final=final,
    )


def _balance_update(message: _AccountMessage, names: Names) -> BalanceUpdate | None:
    wallet = next((row for row in message.a.B if row.a == MARGIN_ASSET), None)
    if wallet is None:
        return None
    return BalanceUpdate(
        balance=amount(wallet.wb, "wallet balance"),
        change=amount(wallet.bc, "balance change"),
        reason=message.a.m,
        at=from_epoch_ms(message.T),
        positions=tuple(_position(row, names[row.s]) for row in message.a.P if row.s in names),
    )


def _position(row: _Position, symbol: Symbol) -> VenuePosition:
    """Read a changed position, flat ones too. The stream does not tell the leverage: 0 stands for "not said"."""
    return VenuePosition(
        symbol=symbol,
        quantity=number(row.pa, "position amount"),
        entry_price=number(row.ep, "entry price"),
        unrealised_pnl=amount(row.up, "unrealised profit"),
        leverage=0,
    )
