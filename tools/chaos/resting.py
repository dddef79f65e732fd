"""The count of what rests at the exchange: every stop and take-profit of our form, judged against what its account holds."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from app.domain.exchanges.outcomes import VenueError
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from tests.support.system import System
from tools.chaos.counts import OUR_FORM

T = TypeVar("T")

_ANSWERS_S: Final = 60.0
_AGAIN_S: Final = 0.5
_ACCOUNTS: Final = (
    "SELECT DISTINCT a.id, a.label, a.venue FROM accounts a JOIN follows f ON f.account_id = a.id"
)
_KNOWN: Final = "SELECT client_order_id, follow_id, rung, state FROM protections"
_LOTS: Final = "SELECT follow_id, symbol, quantity FROM positions WHERE quantity <> 0"


@dataclass(frozen=True, slots=True)
class Resting:
    """One that rests at the exchange, by the exchange's own word; `symbol` as we spell it, `held` what its account holds of it."""

    label: str
    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    held: Decimal


async def resting(system: System) -> list[Resting]:
    """Return everything of our form that rests in the followers' accounts."""
    found = []
    for row in await system.rows(_ACCOUNTS):
        async with system.app.uow() as uow:
            account = await uow.accounts.get(AccountId(row["id"]))
        gateway = system.app.venues.gateway(account.id, Venue(row["venue"]), account.sealed)
        told = await _answered(gateway.open_protections)
        reports = [one for one in told if OUR_FORM.fullmatch(one.client_order_id)]
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        for position in await _answered(gateway.positions) if reports else ():
            held[position.symbol] += position.quantity
        found += [
            Resting(
                row["label"], one.client_order_id, one.symbol, one.side.value, one.quantity, held[one.symbol]
            )
            for one in reports
        ]
    return found


async def _answered(ask: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
    """Ask until the exchange answers: our own clock may still be set by the one that the storm had put wrong."""
    ends = time.monotonic() + _ANSWERS_S
    while True:
        try:
            return await ask()
        except VenueError:
            if time.monotonic() > ends:
                raise
        await asyncio.sleep(_AGAIN_S)


async def stray_and_double(system: System) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return in words which of those that rest protect nothing, and which rungs rest for more than their lot."""
    rows, known, lots = await resting(system), await system.rows(_KNOWN), await system.rows(_LOTS)
    return stray(rows, known), double(rows, known, lots)


def stray(rows: Sequence[Resting], known: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return those that no row of ours bears as one that may rest, or that could close nothing where they are."""
    live = {row["client_order_id"] for row in known if row["state"] in ("RESTING", "CANCELING")}
    found = []
    for one in rows:
        closes = one.held > 0 if one.side == "SELL" else one.held < 0
        if one.client_order_id not in live or not closes:
            found.append(
                f"{one.client_order_id} rests on {one.symbol} of {one.label}, which holds {one.held}"
            )
    return tuple(found)


def double(
    rows: Sequence[Resting], known: Sequence[Mapping[str, Any]], lots: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return the rungs of which more rests than their follow holds."""
    of = {row["client_order_id"]: (row["follow_id"], row["rung"]) for row in known}
    held = {(row["follow_id"], row["symbol"]): abs(row["quantity"]) for row in lots}
    sums: defaultdict[tuple[int, str, str], Decimal] = defaultdict(Decimal)
    for one in rows:
        if one.client_order_id in of:
            follow, rung = of[one.client_order_id]
            sums[follow, one.symbol, rung] += one.quantity
    return tuple(
        f"{rung} of follow {follow} on {symbol} rests for {total}, the lot is {held.get((follow, symbol), 0)}"
        for (follow, symbol, rung), total in sums.items()
        if total > held.get((follow, symbol), Decimal(0))
    )
