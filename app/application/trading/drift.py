"""Drift: where an account at the venue is not what our books say. It is told, never mended by an order.

Rules.
 - An error of the venue is an answer of its own kind: unknown, never flat.
 - Books that change while the venue is asked prove nothing: they are read before and after, and must be equal.
 - A difference is looked at again, since an execution may be on its way to the books; only one that stays is drift.
 - Orders that are not ours are the owner's business; a position is compared as a whole, for the venue nets it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from app.domain.exchanges.ports import GatewayFactory
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import OrderReport, VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import ZERO, plain
from app.domain.trading.order import OrderState

_RESTING = frozenset({OrderState.OPEN, OrderState.PARTIAL})
_OVER = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.NOT_SENT})


@dataclass(frozen=True, slots=True)
class AccountToCompare:
    """One follower's account that can be asked for."""

    account_id: AccountId
    venue: Venue
    label: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """What our books say of one account: signed base units by market, and the state of our orders by client order id.

    Of orders that are over only those are listed that the question named.
    """

    positions: Mapping[Symbol, Decimal]
    orders: Mapping[str, OrderState]


class DriftBook(Protocol):
    """Our side of the comparison."""

    async def accounts(self) -> Sequence[AccountToCompare]:
        """Return the verified accounts that follow, hold or have something open."""
        ...

    async def books(self, account: AccountId, client_order_ids: Sequence[str]) -> AccountBooks:
        """Return what we hold, our orders that rest, and our orders of these ids whatever became of them."""
        ...


class DriftKind(StrEnum):
    """What differs, or that nobody can say."""

    POSITION = "POSITION"
    ORDER_ONLY_OURS = "ORDER_ONLY_OURS"
    ORDER_ONLY_THEIRS = "ORDER_ONLY_THEIRS"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference on one account: `what` is a market or a client order id."""

    account_id: AccountId
    kind: DriftKind
    what: str
    ours: str
    theirs: str


def differences(
    account: AccountId, books: AccountBooks, held: Sequence[VenuePosition], resting: Sequence[OrderReport]
) -> Sequence[Drift]:
    """Return what differs between our books and one answer of the venue. Pure."""
    theirs = {position.symbol: position.quantity for position in held}
    found = [
        Drift(
            account,
            DriftKind.POSITION,
            sym,
            plain(books.positions.get(sym, ZERO)),
            plain(theirs.get(sym, ZERO)),
        )
        for sym in sorted(books.positions.keys() | theirs.keys())
        if books.positions.get(sym, ZERO) != theirs.get(sym, ZERO)
    ]
    at_venue = {report.client_order_id: report for report in resting}
    for cid, state in sorted(books.orders.items()):
        if state in _RESTING and cid not in at_venue:
            found.append(Drift(account, DriftKind.ORDER_ONLY_OURS, cid, state.value, "not open"))
        elif state in _OVER and cid in at_venue:
            status = at_venue[cid].status.value
            found.append(Drift(account, DriftKind.ORDER_ONLY_THEIRS, cid, state.value, status))
    return found


@dataclass(frozen=True, slots=True)
class FindDrift:
    """Compares accounts with the venue; reads only."""

    book: DriftBook
    gateways: GatewayFactory
    pause: Callable[[], Awaitable[None]]
    looks: int = 3

    async def __call__(self, account: AccountToCompare) -> Sequence[Drift]:
        """Return the account's lasting differences; one UNKNOWN when the venue or our books gave no firm answer."""
        found: Sequence[Drift] = ()
        for look in range(self.looks):
            if look:
                await self.pause()
            found = await self._look(account)
            if not found:
                return ()
        return found

    async def _look(self, account: AccountToCompare) -> Sequence[Drift]:
        before = await self.book.books(account.account_id, ())
        try:
            gateway = self.gateways.gateway(account.account_id, account.venue, account.sealed)
            held, resting = await gateway.positions(), await gateway.open_orders()
        except DomainError as error:
            return [_unknown(account, f"{error.code}: {error.message}")]
        if await self.book.books(account.account_id, ()) != before:
            return [_unknown(account, "our books changed while the venue was asked")]
        books = await self.book.books(account.account_id, [report.client_order_id for report in resting])
        return differences(account.account_id, books, held, resting)


def _unknown(account: AccountToCompare, why: str) -> Drift:
    return Drift(account.account_id, DriftKind.UNKNOWN, "account", "", why)
