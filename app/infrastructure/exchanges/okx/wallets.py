"""What an account's wallets held as last told: the venue says what they hold now, and of transfers not how much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.domain.exchanges.ports import BalanceUpdate
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.okx.wire.events import SNAPSHOT, TRANSFERRED, Wallet

_DEPOSIT: Final = "DEPOSIT"
_WITHDRAW: Final = "WITHDRAW"


class Wallets:
    """One stream's memory, by asset."""

    def __init__(self) -> None:
        self._held: dict[str, Money] = {}
        self._told = False

    def clear(self) -> None:
        """Forget everything: a new connection begins with a snapshot of what is not empty."""
        self._held.clear()
        self._told = False

    def take(self, fact: Wallet) -> Iterator[BalanceUpdate]:
        """Yield what a wallet's change means; a snapshot is remembered only, for REST tells it. The size of a transfer
        is the difference to what was held before, and unknown (nothing) where that was not told.
        """
        before = self._held.get(fact.asset, NO_MONEY if self._told else None)
        self._held[fact.asset] = fact.balance
        if fact.reason == SNAPSHOT:
            self._told = True
            return
        reason, change = fact.reason, NO_MONEY
        if reason == TRANSFERRED:
            change = NO_MONEY if before is None else Money(fact.balance - before)
            reason = _DEPOSIT if change >= 0 else _WITHDRAW
        yield BalanceUpdate(fact.balance, change, reason, fact.at, fact.positions, fact.asset)
