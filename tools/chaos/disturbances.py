"""What happens around the workers in a round: the exchange fails, PostgreSQL and Valkey are stopped, killed, emptied, and
tasks are delivered again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

from app.domain.shared.ids import SignalId
from app.domain.signals.priority import Lane
from tests.support.system import until
from tools.chaos.faults import CALM, PROTECTIONS_INSTEAD, replaced, rules_for
from tools.chaos.plan import Round
from tools.chaos.stage import Stage

_AGAIN: Final = 3
_STRIKES: Final = 2


async def stop_postgres(stage: Stage) -> None:
    """A clean restart: sessions are thrown out, transactions rolled back."""
    await asyncio.to_thread(stage.postgres.stop)
    await asyncio.to_thread(stage.postgres.start)


async def kill_postgres(stage: Stage) -> None:
    """SIGKILL of the postmaster, in the middle of whatever it does; then a start with crash recovery."""
    await _end_postgres(stage, signal.SIGKILL)


async def break_off_postgres(stage: Stage) -> None:
    """An immediate shutdown: every session ends where it stands, commits in flight included."""
    await _end_postgres(stage, signal.SIGQUIT)


async def _end_postgres(stage: Stage, number: signal.Signals) -> None:
    pid = stage.postgres.pid
    if pid is not None:
        os.kill(pid, number)
    await asyncio.to_thread(stage.postgres.stop)  # gone already: this waits for its end to be seen
    await asyncio.to_thread(stage.postgres.start)


async def flush_valkey(stage: Stage) -> None:
    """Everything in Valkey is lost: queues, budgets, beats."""
    await stage.system.app.redis.flushall()


async def restart_valkey(stage: Stage) -> None:
    """Valkey goes away and comes back empty."""
    await asyncio.to_thread(stage.valkey.stop)
    await asyncio.to_thread(stage.valkey.start)


async def redeliver(stage: Stage) -> None:
    """Every task that the broker ever carried comes again, three times, newest first."""
    rows = await stage.system.rows("SELECT id, lane FROM signals ORDER BY seq DESC LIMIT 50")
    for _ in range(_AGAIN):
        for row in rows:
            await stage.system.app.bell.ring(SignalId(row["id"]), Lane(row["lane"]))


@asynccontextmanager
async def exchange_fails(stage: Stage, plan: Round) -> AsyncIterator[None]:
    """Let the plan's faults strike orders and protections of the plan's accounts, twice each; at the end the exchange is calm."""
    operator = stage.system.simulator.operator
    accounts = [follower.simulator_account for follower in stage.followers]
    settings: dict[str, object] = {"client_id_uniqueness": plan.uniqueness}
    rules: list[dict[str, object]] = []
    for fault in plan.faults:
        settings |= fault.settings
        rules += rules_for(fault, plan.struck(accounts, fault), _STRIKES)
    rules += [rule for rule in replaced(rules, PROTECTIONS_INSTEAD) if rule not in rules]
    await asyncio.to_thread(operator.post, "/sim/settings", settings)
    if rules:
        await asyncio.to_thread(operator.post, "/sim/faults", {"rules": rules})
    try:
        yield
    finally:
        await asyncio.to_thread(operator.clear_faults)
        latest = await _exchange_ms(stage)
        await asyncio.to_thread(operator.post, "/sim/settings", dict(CALM))
        # No exchange executes an exit before the entry that it closes: a clock that was ahead has to be caught up with.
        await until(lambda: _has_passed(stage, latest), what="the exchange's clock to be caught up with")


async def _exchange_ms(stage: Stage) -> int:
    told: int = (await stage.system.simulator.operator.aget("/fapi/v1/time"))["serverTime"]
    return told


async def _has_passed(stage: Stage, moment_ms: int) -> bool:
    return await _exchange_ms(stage) >= moment_ms


async def nothing(stage: Stage) -> None:
    """Leave the servers alone."""


ACTS: Final[Mapping[str, Callable[[Stage], Awaitable[None]]]] = MappingProxyType(
    {
        "none": nothing,
        "postgres stopped and started": stop_postgres,
        "postgres killed": kill_postgres,
        "postgres broken off": break_off_postgres,
        "commits cut off": nothing,  # the proxy does it, for the whole round
        "valkey flushed": flush_valkey,
        "valkey restarted": restart_valkey,
    }
)
