"""The feed: one process at a time, under a lease, watches every leader and every follower's account by stream.

The lease is in PostgreSQL and fenced by its epoch; the database refuses what a feed that lost it might still write
twice (each leader fill and each trade id is consumed once). Whoever is to be watched is read anew every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from app.application.shared.ending import end
from app.application.shared.telemetry import Metrics
from app.config.container import App, build
from app.config.settings import Settings
from app.domain.shared.market import Venue
from app.domain.users.account import TradingAccount
from app.domain.whales.whale import Whale

_LOG = structlog.get_logger("feed")
_LEASE: Final = "feed"
_TTL: Final = timedelta(seconds=10)
_RELIST_S: Final = 1.0
_RESTART_S: Final = 1.0
_STARTS_AT_ONCE: Final = 20

Runner = Callable[[], Coroutine[Any, Any, None]]


class Watches:
    """A set of running watches by name: start what is wanted, stop what is not, start again what fell."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_STARTS_AT_ONCE)

    def keep(self, wanted: dict[str, Runner]) -> None:
        """Make the running watches those that are wanted."""
        for name in [name for name in self._tasks if name not in wanted]:
            self._leave(self._tasks.pop(name))
        for name, run in wanted.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._forever(name, run), name=name)

    async def stop(self) -> None:
        """Stop all."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        await end(*tasks)
        await asyncio.gather(*self._leaving)

    def _leave(self, task: asyncio.Task[None]) -> None:
        leaving = asyncio.create_task(end(task))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _forever(self, name: str, run: Runner) -> None:
        while True:
            try:
                await run()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  # a watch that falls is started again
                _LOG.warning("watch.fell", watch=name, error=repr(error))
            # One that ended without an error has fallen silent as well: a watch has no end of its own.
            self._metrics.count("watches_fell", role=name.partition(":")[0])
            await asyncio.sleep(_RESTART_S)

    def __len__(self) -> int:
        return len(self._tasks)


async def feed(settings: Settings, stop: asyncio.Event) -> None:
    """Watch until `stop` is set; without the lease, stand by."""
    async with build(settings) as app:
        if settings.metrics_port:
            app.metrics.serve(settings.metrics_port)
        while not stop.is_set():
            lease = await app.leases.acquire(_LEASE, app.owner, _TTL)
            if lease is None:
                await _pause(stop, _RELIST_S)
                continue
            _LOG.info("feed.leads", epoch=lease.epoch)
            watches = Watches(app.metrics)
            app.metrics.gauge("feed_leads", 1)
            try:
                while lease is not None and not stop.is_set():
                    watches.keep(await _wanted(app))
                    app.metrics.gauge("watches", len(watches))
                    await _pause(stop, _RELIST_S)
                    lease = await app.leases.renew(lease, _TTL)
            finally:
                await watches.stop()
                app.metrics.gauge("watches", 0)
                app.metrics.gauge("feed_leads", 0)
                if lease is not None:
                    await app.leases.release(lease)


async def _wanted(app: App) -> dict[str, Runner]:
    wanted: dict[str, Runner] = {}
    async with app.uow() as uow:
        whales = await uow.whales.watched()
        leaders = {whale.id: await uow.accounts.get(whale.account_id) for whale in whales}
        accounts = [account for venue in Venue for account in await uow.accounts.with_streams(venue)]
    for whale in whales:
        wanted[f"leader:{whale.id}"] = partial(_watch_leader, app, whale, leaders[whale.id])
    for account in _followers(accounts, (leader.id for leader in leaders.values())):
        wanted[f"account:{account.id}"] = partial(_watch_account, app, account)
    return wanted


async def _watch_leader(app: App, whale: Whale, account: TradingAccount) -> None:
    await app.watch_leader(whale, account).run()


async def _watch_account(app: App, account: TradingAccount) -> None:
    await app.watch_account(account).run()


def _followers(accounts: Iterable[TradingAccount], leaders: Iterable[int]) -> Iterable[TradingAccount]:
    """Leaders' accounts have their own watch."""
    led = set(leaders)
    return (account for account in accounts if account.id not in led)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
