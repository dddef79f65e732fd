"""Outside exits: what closed our lots at the venue and was no order of ours becomes a stored exit like any other.

Each follow's part of one venue order is a signal of its own (source EXTERNAL), with decision, trade and order, so that
positions, margin, wallet, ledger and stories stay whole. All of it is one transaction, and its fills are booked by the
same rules as our own. A second attempt finds the trade ids booked and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from app.application.trading.booking import Booking, positions_touched
from app.application.trading.drift import AccountToCompare
from app.application.trading.evidence import Evidence
from app.application.trading.reconcile_ports import OutsideExit, ReconcileBook, ReconcileSession
from app.domain.shared.errors import InvariantBroken
from app.domain.shared.events import Event
from app.domain.shared.execution import Fill, FillCause, Leg, OrderReport, OrderStatus
from app.domain.shared.ids import FollowId, client_order_id, requested_signal_id
from app.domain.shared.market import Symbol
from app.domain.trading.decision import DecisionCode
from app.domain.trading.divergence import Lot, Share
from app.domain.trading.events import PositionClosedOutside

CODE_OF_CAUSE: Final[Mapping[FillCause, DecisionCode]] = MappingProxyType(
    {
        FillCause.TRADE: DecisionCode.CLOSED_EXTERNALLY,
        FillCause.LIQUIDATION: DecisionCode.LIQUIDATED,
        FillCause.DELEVERAGING: DecisionCode.DELEVERAGED,
    }
)


def exits_of(
    account: AccountToCompare, symbol: Symbol, shares: Sequence[Share], id_secret: bytes
) -> Sequence[OutsideExit]:
    """Return one exit for each follow and venue order among the shares. Pure; equal shares, equal ids."""
    groups: dict[tuple[FollowId, str], list[Fill]] = {}
    for share in shares:
        groups.setdefault((share.follow_id, share.fill.order_id), []).append(share.fill)
    return [_exit(account, symbol, follow, fills, id_secret) for (follow, _), fills in groups.items()]


def _exit(
    account: AccountToCompare, symbol: Symbol, follow: FollowId, fills: Sequence[Fill], id_secret: bytes
) -> OutsideExit:
    first = fills[0]
    signal = requested_signal_id(
        f"external:{follow}", f"{account.account_id}:{symbol}:{first.order_id}:{first.trade_id}"
    )
    return OutsideExit(
        signal_id=signal,
        follow_id=follow,
        account_id=account.account_id,
        venue=account.venue,
        symbol=symbol,
        side=first.side,
        client_order_id=client_order_id(id_secret, signal, follow, Leg.EXIT, 0),
        venue_order_id=first.order_id,
        code=CODE_OF_CAUSE[first.cause],
        fills=tuple(fills),
    )


async def book_outside(
    book: ReconcileBook, exits: Sequence[OutsideExit], lots: Sequence[Lot], now: datetime
) -> bool:
    """Book exits of one account's market; False, with nothing written, when its lots are not `lots` any more or one of
    the fills is booked already. Raises what the database raises.
    """
    first = exits[0]
    async with book.session() as session:
        if await session.lots(first.account_id, first.symbol) != tuple(lots):
            return False
        keys = [(each.account_id, each.symbol, fill.trade_id) for each in exits for fill in each.fills]
        if await session.seen(keys):
            return False
        await write_exits(session, exits, now, [_event(each, now) for each in exits])
    return True


async def write_exits(
    session: ReconcileSession, exits: Sequence[OutsideExit], now: datetime, events: Sequence[Event]
) -> None:
    """Store exits of one account with all that they change, in a session that holds the account."""
    await session.adopt(exits)
    attempts = await session.attempts([each.client_order_id for each in exits])
    positions = await session.positions(positions_touched(attempts.values()))
    booking = Booking(attempts=attempts, seen=frozenset(), positions=positions, now=now)
    for each in exits:
        booking.take(Evidence(each.client_order_id, report=_report(each), fills=each.fills))
    if booking.quarantined:
        raise InvariantBroken(booking.quarantined[0][1])
    await session.write(replace(booking.changes(), events=tuple(events)))


def _report(outside: OutsideExit) -> OrderReport:
    return OrderReport(
        venue=outside.venue,
        symbol=outside.symbol,
        order_id=outside.venue_order_id,
        client_order_id=outside.client_order_id,
        side=outside.side,
        status=OrderStatus.FILLED,
        quantity=outside.quantity,
        executed=outside.quantity,
        average_price=outside.price,
        reduce_only=True,
        at=outside.at,
    )


def _event(outside: OutsideExit, now: datetime) -> PositionClosedOutside:
    return PositionClosedOutside(
        at=now,
        account_id=outside.account_id,
        follow_id=outside.follow_id,
        symbol=outside.symbol,
        cause=outside.fills[0].cause,
        quantity=outside.quantity,
    )
