"""What the demo needs of the composition root beside the App and the API's use cases: its run's books, earlier runs ended."""

from __future__ import annotations

import asyncio
from typing import Final

from app.config.container import App
from app.config.heartbeat import is_alive
from app.infrastructure.postgres.readers_report import (
    AccountLine,
    FillLine,
    LeaderFillLine,
    OrderLine,
    PostgresRunReader,
    Progress,
    RunBooks,
    SignalLine,
)
from app.infrastructure.postgres.retired_runs import foreign_accounts, retire_runs

__all__ = [
    "ACCOUNT_MARK",
    "AccountLine",
    "FillLine",
    "LeaderFillLine",
    "OrderLine",
    "PostgresRunReader",
    "Progress",
    "RunBooks",
    "SignalLine",
    "begin_run",
    "run_reader",
]

_SILENCE_S: Final = 17
ACCOUNT_MARK: Final = "demo-"
"""How the label of each account that a demo makes begins."""


def run_reader(app: App) -> PostgresRunReader:
    """Return the reader of one leader's run."""
    return PostgresRunReader(app.engine)


async def begin_run(app: App, *, own_redis: bool) -> str | None:
    """End what earlier demo runs left; or return, in a sentence, why these servers cannot be used for a demo.

    The demo's own Redis (`own_redis`) is emptied, for it only holds bells and budgets of earlier runs; a given one is
    left alone, and must not serve another worker.
    """
    if await foreign_accounts(app.engine, ACCOUNT_MARK):
        return (
            "The database holds accounts that no demo made: give the demo a database of its own, "
            "or another COPYTRADE_HOME."
        )
    if own_redis:
        await app.redis.flushdb()
    elif not await _falls_silent(app):
        return "A worker is already at work on this Redis: stop it, or give the demo a Redis database of its own."
    await retire_runs(app.engine, ACCOUNT_MARK)
    return None


async def _falls_silent(app: App) -> bool:
    """Whether no worker beats: the last beat of one that was just stopped is still there for a while."""
    for _ in range(_SILENCE_S):
        if not await is_alive(app.redis):
            return True
        await asyncio.sleep(1)
    return False
