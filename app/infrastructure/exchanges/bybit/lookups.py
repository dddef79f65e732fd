"""Questions about one order or protection, and about all that wait: the live and latest ones first, then the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import VenueRefused
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import OrderReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bybit.paging import pages
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.wire import orders, protections
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES
from app.infrastructure.exchanges.bybit.wire.codes import ORDER_ENDED, ORDER_UNKNOWN

T = TypeVar("T")
_REALTIME: Final = "/v5/order/realtime"
_HISTORY: Final = "/v5/order/history"


async def find(account: BybitAccount, query: str, read: Callable[[bytes], T | None]) -> T | None:
    """Ask both sources; None when both answered that there is none."""
    found = await _ask(account, _REALTIME, query, read)
    return found if found is not None else await _ask(account, _HISTORY, query, read)


async def _ask(account: BybitAccount, path: str, query: str, read: Callable[[bytes], T | None]) -> T | None:
    try:
        return await account.get(path, query, read)
    except VenueRefused as refusal:
        if refusal.venue_code in ORDER_UNKNOWN:
            return None
        raise


async def cancelled(account: BybitAccount, text: str, client_order_id: ClientOrderId) -> bool:
    """Ask for a cancellation; whether the venue knows what we mean. It is carried out after the acknowledgement."""
    try:
        await account.post(
            "/v5/order/cancel", text, lambda body: orders.read_acknowledged(client_order_id, body)
        )
    except VenueRefused as refusal:
        if refusal.venue_code in ORDER_UNKNOWN:
            return False
        if refusal.venue_code not in ORDER_ENDED:
            raise
    return True


async def open_orders(account: BybitAccount, instrument: Instrument | None) -> list[OrderReport]:
    """Return resting orders on the markets that we trade, every page."""
    await account.shared.instruments.ready()
    names, category = account.shared.instruments.names, CATEGORIES[account.shared.venue]
    found: list[OrderReport] = []
    async for page in pages(
        account,
        _REALTIME,
        lambda cursor: orders.open_orders_text(category, instrument, cursor),
        lambda body: orders.read_open_orders(body, category.venue, names),
    ):
        found.extend(page)
    return found


async def open_protections(account: BybitAccount, instrument: Instrument | None) -> list[ProtectionReport]:
    """Return waiting protections on the markets that we trade, every page."""
    await account.shared.instruments.ready()
    names, category = account.shared.instruments.names, CATEGORIES[account.shared.venue]
    found: list[ProtectionReport] = []
    async for page in pages(
        account,
        _REALTIME,
        lambda cursor: orders.open_orders_text(category, instrument, cursor, kind=category.protections),
        lambda body: protections.read_open_protections(body, category, names),
    ):
        found.extend(page)
    return found
