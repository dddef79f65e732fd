"""What happened on an account: executions and funding, from the venue's recent list and from its archive.

The recent lists are exact at once but short (executions three days, bills seven); what may reach further back is asked
of the archive too, and joined by the venue's ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill, FundingPayment
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.okx.rest import OkxAccount
from app.infrastructure.exchanges.okx.wire import accounts
from app.infrastructure.exchanges.okx.wire import fills as wire
from app.infrastructure.exchanges.okx.wire.terms import listed_one

_FILLS_RECENT: Final = timedelta(days=3) - timedelta(hours=1)
_BILLS_RECENT: Final = timedelta(days=7) - timedelta(hours=1)


async def fills(
    account: OkxAccount, instrument: Instrument, since: datetime | None, order_id: str | None
) -> list[Fill]:
    """Return executions of an order, since a time, or of the last three days; oldest first. Of an order whose
    executions the recent list does not know the archive is asked. Raises VenueError.
    """
    found = await _fills(account, wire.RECENT, instrument, since, order_id)
    old = since is not None and account.shared.now() - since > _FILLS_RECENT
    if old or (order_id is not None and not found):
        found += await _fills(account, wire.HISTORY, instrument, since, order_id)
    # One trade of the market may meet two of our orders: only both ids name an execution.
    chosen = {(fill.trade_id, fill.order_id): fill for fill in found if since is None or fill.at >= since}
    # The venue lists the newest first; executions of one instant keep the order in which it counts them.
    oldest_first = list(chosen.values())
    oldest_first.reverse()
    return sorted(oldest_first, key=lambda fill: fill.at)


async def _fills(
    account: OkxAccount, path: str, instrument: Instrument, since: datetime | None, order_id: str | None
) -> list[Fill]:
    listed, rates = listed_one(account.terms, instrument), account.shared.marks.marks
    since_ms = None if since is None else epoch_ms(since)

    async def ask(after: str) -> tuple[list[Fill], str]:
        target = wire.fills_path(
            path, account.terms, instrument, order_id=order_id, since_ms=since_ms, after=after
        )
        return await account.get(target, lambda body: wire.read_fills(listed, body, rates))

    return await account.pages(ask)


async def funding(account: OkxAccount, since: datetime) -> list[FundingPayment]:
    """Return funding payments since a time, oldest first; raises VenueError."""
    found = await _funding(account, accounts.BILLS, since)
    if account.shared.now() - since > _BILLS_RECENT:
        found += await _funding(account, accounts.BILLS_ARCHIVE, since)
    chosen = {payment.payment_id: payment for payment in found if payment.at >= since}
    return sorted(chosen.values(), key=lambda payment: payment.at)


async def _funding(account: OkxAccount, path: str, since: datetime) -> list[FundingPayment]:
    names = (await account.listed()).names

    async def ask(after: str) -> tuple[list[FundingPayment], str]:
        target = accounts.funding_path(path, account.terms, epoch_ms(since), after)
        return await account.get(target, lambda body: accounts.read_funding(names, body))

    return await account.pages(ask)
