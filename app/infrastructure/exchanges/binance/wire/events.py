"""The user-data stream of contracts: its messages as our stream events.

ORDER_TRADE_UPDATE becomes an OrderUpdate, with a fill when the venue executed something; ACCOUNT_UPDATE becomes a
BalanceUpdate for each wallet; ALGO_UPDATE becomes a ProtectionUpdate. The end of the listen key is told apart, since the
stream must be opened anew.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.market import Venue
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.binance.wire import algo
from app.infrastructure.exchanges.binance.wire.contracts import size_of
from app.infrastructure.exchanges.binance.wire.orders import CONDITIONAL, report_of
from app.infrastructure.exchanges.binance.wire.trades import fee_in_settle, fill_of
from app.infrastructure.exchanges.fees import Rates
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

_EVENTS: Final = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ALGO_UPDATE/listenKeyExpired"


def user_stream_path(listen_key: str, *, routed: bool) -> str:
    """Return the path of an account's stream. Routed, the key and the wanted events are a query: as a path segment the
    venue accepts it and sends nothing.
    """
    return f"/private/ws?listenKey={listen_key}&events={_EVENTS}" if routed else f"/ws/{listen_key}"


class StreamEnded:
    """The stream has ended: it must be opened again."""


Told: TypeAlias = OrderUpdate | BalanceUpdate | ProtectionUpdate | StreamEnded


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
    o: str = ""
    ps: str = "BOTH"
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


def read_events(body: bytes, names: Names, rates: Rates, venue: Venue, collateral: str | None) -> list[Told]:
    """Read one message; nothing when it is of a kind, or about a contract, that does not concern us."""
    kind = read(_HEAD, body).e
    if kind == "ORDER_TRADE_UPDATE":
        return _order_told(read(_ORDER, body).o, names, rates, venue)
    if kind == "ACCOUNT_UPDATE":
        return _balances(read(_ACCOUNT, body), names, collateral)
    if kind == "ALGO_UPDATE":
        report = algo.read_change(body, names, venue)
        return [] if report is None else [ProtectionUpdate(report)]
    return [StreamEnded()] if kind == "listenKeyExpired" else []


def _order_told(row: _Order, names: Names, rates: Rates, venue: Venue) -> list[Told]:
    symbol = names.get(row.s)
    if symbol is None:
        return []
    if row.o in CONDITIONAL and row.x not in EXECUTIONS:
        return []  # what waits for a price is the Algo Service's to tell
    report = report_of(
        venue,
        symbol,
        order_id=row.i,
        client_order_id=row.c,
        side=row.S,
        status=row.X,
        quantity=row.q,
        executed=row.z,
        average=number(row.ap, "average price"),
        reduce_only=row.R,
        position_side=row.ps,
        at_ms=row.T,
        unit=size_of(names, row.s),
    )
    executed = row.x in EXECUTIONS and size(row.l, "last quantity") > ZERO
    if row.x == "TRADE" and not executed:
        raise Unreadable("a trade without a quantity")
    return [OrderUpdate(report, _fill(row, report, names, rates) if executed else None)]


def _fill(row: _Order, report: OrderReport, names: Names, rates: Rates) -> Fill:
    if row.t < 1 or size(row.l, "last quantity") > size(row.z, "executed quantity"):
        raise Unreadable("a trade without an id, or beyond what its order executed")
    fee = NO_MONEY
    if row.N is not None:
        fee = fee_in_settle(report.symbol, report.venue, amount(row.n, "commission"), row.N, rates)
    return fill_of(
        report.venue,
        report.symbol,
        trade_id=row.t,
        order_id=row.i,
        client_order_id=row.c,
        side=row.S,
        price=row.L,
        quantity=row.l,
        fee=fee,
        realised=amount(row.rp, "realised profit"),
        at_ms=row.T,
        order_final=report.status.is_final,
        unit=size_of(names, row.s),
    )


def _balances(message: _AccountMessage, names: Names, collateral: str | None) -> list[Told]:
    """Tell the wallets that changed: that of the collateral, or of every coin where each market has its own. The positions
    go with the first.
    """
    rows = [row for row in message.a.B if collateral in (None, row.a)]
    positions = tuple(_position(row, names) for row in message.a.P if row.s in names)
    return [
        BalanceUpdate(
            balance=amount(row.wb, "wallet balance"),
            change=amount(row.bc, "balance change"),
            reason=message.a.m,
            at=from_epoch_ms(message.T),
            positions=() if place else positions,
            asset=row.a,
        )
        for place, row in enumerate(rows)
    ]


def _position(row: _Position, names: Names) -> VenuePosition:
    """Read a changed position, flat ones too. The stream does not tell the leverage: 0 stands for "not said"."""
    return VenuePosition(
        symbol=names[row.s],
        quantity=number(row.pa, "position amount") * size_of(names, row.s),
        entry_price=number(row.ep, "entry price"),
        unrealised_pnl=amount(row.up, "unrealised profit"),
        leverage=0,
    )
