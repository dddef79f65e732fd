"""What every wave of the matrix plays in: fresh programs whose streams are up, and an exchange that fails for chosen accounts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.support.books import books_differ
from tests.support.system import Follower, System, until
from tools.chaos.convergence import converged
from tools.chaos.faults import CALM, Fault, replaced, rules_for
from tools.chaos.stage import Stage

WITHIN_S: Final = 60.0
_OWNED: Final = "SELECT owner LIKE :owner FROM leases WHERE name = 'feed'"


@asynccontextmanager
async def programs(set_up: Stage, wave: Sequence[Fault]) -> AsyncIterator[None]:
    """Run one worker and one feed; the visibility bound is stated only where every fault of the wave keeps it."""
    nursery, system = set_up.nursery, set_up.system
    nursery.tell_env({"COPYTRADE_VENUES": _venues(set_up, bounded=all(fault.promise for fault in wave))})
    await nursery.born("worker")
    feed = await nursery.born("feed")
    await until(lambda: system.value(_OWNED, owner=f"%:{feed.pid}:%"), what="the feed's lease")
    await system.leader_watched()
    for side in ("BUY", "SELL"):  # the streams are there once this is copied
        await asyncio.to_thread(system.lead, side, "1", "ETHUSDT")
        await converged(system, WITHIN_S)
    try:
        yield
    finally:
        await nursery.kill_all()


@asynccontextmanager
async def exchange_fails(
    set_up: Stage, mode: str, accounts: Mapping[Follower, Fault], instead: Mapping[str, str] | None = None
) -> AsyncIterator[None]:
    """Let each account's fault strike once; `instead` names other endpoints and events than those of an order."""
    operator = set_up.system.simulator.operator
    settings: dict[str, object] = {"client_id_uniqueness": mode}
    rules: list[dict[str, object]] = []
    for follower, fault in accounts.items():
        settings |= fault.settings
        rules += rules_for(fault, (follower.simulator_account,), 1)
    await asyncio.to_thread(operator.post, "/sim/settings", settings)
    if rules:
        await asyncio.to_thread(operator.post, "/sim/faults", {"rules": replaced(rules, instead or {})})
    try:
        yield
    finally:
        await asyncio.to_thread(operator.clear_faults)
        await asyncio.to_thread(operator.post, "/sim/settings", dict(CALM))


async def books_agree(system: System) -> bool:
    """Whether our books are the exchange's."""
    return not await books_differ(system)


def _venues(set_up: Stage, *, bounded: bool) -> str:
    venues: dict[str, dict[str, Any]] = json.loads(set_up.system.env["COPYTRADE_VENUES"])
    if not bounded:
        for options in venues.values():
            options.pop("visibility_bound_ms", None)
    return json.dumps(venues)
