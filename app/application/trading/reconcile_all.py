"""Reconciling on the beat: whoever's turn it is, a few accounts at a time; and what is told of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.drift import AccountToCompare
from app.application.trading.reconcile import Finding, Reconcile
from app.application.trading.reconcile_ports import ReconcileBook, Turns

_AT_ONCE: Final = 8
_A_PASS: Final = 200


@dataclass(frozen=True, slots=True)
class ReconcileInTurn:
    """One pass over the accounts whose turn it is; `tell` hears of each finding that is news or stands open."""

    book: ReconcileBook
    turns: Turns
    reconcile: Reconcile
    metrics: Metrics
    tell: Callable[[Finding], None]

    async def __call__(self) -> int:
        """Return how many accounts were compared; one account's fault keeps no other from its turn."""
        accounts = await self.book.accounts()
        mine = await self.turns.take([account.account_id for account in accounts], _A_PASS)
        due = [account for account in accounts if account.account_id in mine]
        await in_lanes([self._one(account) for account in due], _AT_ONCE)
        return len(due)

    async def _one(self, account: AccountToCompare) -> None:
        try:
            found = await self.reconcile(account)
        except Exception as error:  # noqa: BLE001  # the other accounts are still to be compared
            self.metrics.count("reconcile_failed", error=type(error).__name__)
            return
        for finding in found:
            if finding.told != "known":
                self.tell(finding)
