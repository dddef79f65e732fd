"""Withdraw what may still sell beside an exit that would then sell what is not its follow's: it goes when nothing rests.

The exit waits in its stored decision, by which the keeper withdraws on its next beat whatever happens here; this is the
short way, one cancellation long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.ports import Quotes
from app.application.trading.protect_ports import Looked, ProtectionBook
from app.application.trading.protect_send import ProtectionSender
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Symbol
from app.domain.trading.protection import ProtectionState

_AT_ONCE: Final = 64
_PATIENCE_S: Final = 1.0
"""How long one cancellation may hold up the leader's line; later its answer is found by the look-up."""

Withdrawal: TypeAlias = Callable[[Sequence[FollowId], Symbol], Coroutine[object, object, frozenset[FollowId]]]


async def left_to_the_keeper(follows: Sequence[FollowId], symbol: Symbol) -> frozenset[FollowId]:
    """Withdraw nothing: a Withdrawal for programs that run no keeper of their own."""
    del follows, symbol
    return frozenset()


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancels the protections of follows whose exits wait for it."""

    book: ProtectionBook
    sender: ProtectionSender
    quotes: Quotes
    metrics: Metrics

    async def __call__(self, follows: Sequence[FollowId], symbol: Symbol) -> frozenset[FollowId]:
        """Return the follows of which nothing may sell any more."""
        found = await self.book.may_sell(follows, symbol)
        resting = [looked for looked in found if looked.row.state is ProtectionState.RESTING]
        await in_lanes([self._cancel(looked) for looked in resting], _AT_ONCE)
        left = await self.book.may_sell(follows, symbol) if resting else found
        return frozenset(follows) - {looked.row.follow_id for looked in left}

    async def _cancel(self, looked: Looked) -> None:
        row = looked.row
        try:
            async with asyncio.timeout(_PATIENCE_S):
                instrument = await self.quotes.instrument(row.venue, row.symbol)
                await self.sender.cancel(looked.sealed, instrument, row)
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
        except TimeoutError:
            self.metrics.count("lookup_failed", code="TIMEOUT")
