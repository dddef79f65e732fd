"""The matrix's column of protections: each follower's stop must rest once, whatever the exchange makes of the request, and be
gone when the leader has closed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.shared.market import Venue
from tests.support.system import Follower, System, until
from tools.chaos.cells import Cell
from tools.chaos.convergence import converged
from tools.chaos.faults import PROTECTIONS_INSTEAD, Fault
from tools.chaos.scene import WITHIN_S, books_agree, exchange_fails, programs
from tools.chaos.stage import Stage

_RESTING: Final = """
SELECT a.label, max(p.attempt) + 1 AS attempts FROM protections p JOIN accounts a ON a.id = p.account_id
 WHERE p.created_at > :since GROUP BY a.label
HAVING count(*) FILTER (WHERE p.state = 'RESTING') = 1
   AND count(*) FILTER (WHERE p.state IN ('PLACING', 'UNKNOWN', 'CANCELING')) = 0
"""
_NONE_LIVE: Final = (
    "SELECT count(*) = 0 FROM protections WHERE state IN ('RESTING', 'PLACING', 'UNKNOWN', 'CANCELING')"
)


async def protections(set_up: Stage, mode: str, wave: Sequence[Fault]) -> list[Cell]:
    """Let the leader open and close, and return what became of each account's stop in between."""
    system = set_up.system
    accounts = dict(zip(set_up.followers, wave, strict=False))
    rests: dict[str, float] = {}
    async with programs(set_up, wave):
        since = await system.value("SELECT clock_timestamp()")
        async with exchange_fails(set_up, mode, accounts, PROTECTIONS_INSTEAD):
            began = time.monotonic()
            await asyncio.to_thread(system.lead, "BUY", "0.100")
            end = await _until_all_rest(system, since, began, rests, len(set_up.followers))
            at_exchange = {one: await _stops(set_up, one) for one in accounts}
        attempts = {row["label"]: row["attempts"] for row in await system.rows(_RESTING, since=since)}
        await asyncio.to_thread(system.lead, "SELL", "0.100")
        is_gone = await _is_gone(set_up, accounts)
    labels = {row["id"]: row["label"] for row in await system.rows("SELECT id, label FROM accounts")}
    return [
        Cell(
            fault=fault.name,
            uniqueness=mode,
            leg="protection",
            orders=at_exchange[follower],
            attempts=attempts.get(labels[follower.account_id], 0),
            seconds=round(rests.get(labels[follower.account_id], WITHIN_S), 2),
            equal=is_gone,
            end=end if labels[follower.account_id] in rests else "does not rest",
        )
        for follower, fault in accounts.items()
    ]


async def _until_all_rest(
    system: System, since: object, began: float, rests: dict[str, float], number: int
) -> str:
    async def all_rest() -> bool:
        for row in await system.rows(_RESTING, since=since):
            rests.setdefault(row["label"], time.monotonic() - began)
        return len(rests) == number

    try:
        await until(all_rest, WITHIN_S, what="a stop for every follower")
        await converged(system, WITHIN_S)
    except AssertionError as error:
        return str(error)
    return "settled"


async def _stops(set_up: Stage, follower: Follower) -> int:
    """Return how many stops of the account rest at the exchange, by its own word."""
    app = set_up.system.app
    async with app.uow() as uow:
        account = await uow.accounts.get(follower.account_id)
    gateway = app.venues.gateway(account.id, Venue.BINANCE_USDM, account.sealed)
    return len(await gateway.open_protections())


async def _is_gone(set_up: Stage, accounts: Mapping[Follower, Fault]) -> bool:
    """Whether, once the leader has closed, nothing is held, nothing rests anywhere, and the books are equal."""
    system = set_up.system
    try:
        await converged(system, WITHIN_S)
        await until(lambda: system.value(_NONE_LIVE), WITHIN_S)
        await until(lambda: books_agree(system), WITHIN_S)
    except AssertionError:
        return False
    return not any([await _stops(set_up, follower) for follower in accounts])
