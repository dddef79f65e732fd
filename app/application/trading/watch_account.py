"""Watch one follower's account: what its private stream says of our orders goes into the books.

Foreign orders (the owner's own trades) are left alone: evidence on ids that are not ours is ignored, and the account
is compared with its venue soon, for they may have closed what we hold. Funding is only
announced by the stream and booked from the venue's own list, whose ids make a repetition harmless. Whatever is missed
while the stream is away is found by recovery.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import ExecutionBook, LedgerEntry
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.reconcile_ports import Turns
from app.application.trading.settle import Settler
from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import (
    BalanceUpdate,
    Connected,
    ExchangeGateway,
    OrderUpdate,
    PrivateStream,
    ProtectionUpdate,
)
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import AccountId, is_ours

_FUNDING: Final = "FUNDING_FEE"
_TRANSFERS: Final = frozenset({"DEPOSIT", "WITHDRAW"})
_FUNDING_LOOKBACK: Final = timedelta(hours=12)


class WatchAccount:
    """One account's watch; run it until cancelled."""

    def __init__(
        self,
        account: AccountId,
        stream: PrivateStream,
        gateway: ExchangeGateway,
        book: ExecutionBook,
        settler: Settler,
        protections: ProtectionDesk,
        turns: Turns,
        metrics: Metrics,
    ) -> None:
        self._account = account
        self._stream = stream
        self._gateway = gateway
        self._book = book
        self._settler = settler
        self._protections = protections
        self._turns = turns
        self._metrics = metrics

    async def run(self) -> None:
        """Follow the stream until it ends."""
        try:
            async for event in self._stream.events():
                if isinstance(event, OrderUpdate):
                    if event.fill is None and event.report.status is OrderStatus.OPEN:
                        continue  # the reply to the POST says the same; where that was lost, recovery asks
                    if event.fill is not None and not is_ours(event.report.client_order_id):
                        await self._turns.soon(self._account)
                    fills = () if event.fill is None else (event.fill,)
                    self._settler.submit(
                        Evidence(event.report.client_order_id, report=event.report, fills=fills)
                    )
                elif isinstance(event, BalanceUpdate):
                    await self._balance(event)
                elif isinstance(event, ProtectionUpdate):
                    await self._protections.heard(event.report)
                elif isinstance(event, Connected):
                    self._metrics.count("streams_connected", role="account")
                    await self._turns.soon(self._account)
                    if await self._book.holds_positions(self._account):
                        await self._funding(event.at)
        finally:
            await self._stream.close()

    async def _balance(self, update: BalanceUpdate) -> None:
        if update.reason == _FUNDING:
            await self._funding(update.at)
        elif update.reason in _TRANSFERS and update.change:
            key = f"TRANSFER:{update.at.isoformat()}:{update.change}"
            kind = "DEPOSIT" if update.change > 0 else "WITHDRAWAL"
            entry = LedgerEntry(self._account, key, kind, update.change, None, update.at)
            await self._book.book_transfer(entry)

    async def _funding(self, until: datetime) -> None:
        try:
            payments = await self._gateway.funding(until - _FUNDING_LOOKBACK)
        except VenueError as error:
            self._metrics.count("lookup_failed", code=error.code)
            return
        await self._book.book_funding(
            [
                LedgerEntry(self._account, f"FUNDING:{p.payment_id}", "FUNDING", p.amount, p.symbol, p.at)
                for p in payments
            ]
        )
