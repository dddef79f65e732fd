"""What a rehearsal's forked worker and feed do: the very tasks of a Celery worker, in threads as in its pool, without Celery itself.

The same container, tasks, loop and feed run as in production; only who calls the tasks differs, for a Celery worker takes
seconds to start and a fork takes none. Five waits that are seconds in production are shortened, so that what a killed
worker held is anybody's after one second; the rehearsals with real Celery workers leave them alone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any, Final

import uvloop

from app.application.signals import dispatch
from app.application.trading import protect_send, recover
from app.config.settings import Settings
from app.infrastructure.celery_bell import DISPATCH
from app.presentation.workers import feed
from app.presentation.workers.loop import WorkerLoop
from app.presentation.workers.tasks import TASKS
from tools.chaos.people import ask

Errands = Sequence[Mapping[str, Any]]
Done = Callable[[Mapping[str, object]], None]

_LOG: Final = logging.getLogger("rehearsal")
_DISPATCHERS: Final = 2
_PAUSE_S: Final = {
    DISPATCH: 0.03,
    "copytrade.recover": 0.1,
    "copytrade.relay": 0.1,
    "copytrade.heartbeat": 2.0,
}
_PAUSE_ELSE_S: Final = 0.2
_SHORTENED: Final[tuple[tuple[ModuleType, dict[str, object]], ...]] = (
    (
        dispatch,
        {
            "_LEASE": timedelta(seconds=1),
            "_EXTEND_EVERY_S": 0.3,
            "_TRY_AGAIN_AFTER": timedelta(milliseconds=300),
        },
    ),
    (
        recover,
        {
            "_HIDE": timedelta(seconds=1),
            "_LOOK_FIRST": timedelta(milliseconds=200),
            "_LOOK_MAX": timedelta(seconds=1),
            "_UNBOOKED_AFTER": timedelta(milliseconds=500),
        },
    ),
    (protect_send, {"_HIDE": timedelta(seconds=1)}),
    (feed, {"_TTL": timedelta(seconds=2), "_RELIST_S": 0.4, "_RESTART_S": 0.2}),
)


def shorten_waits() -> None:
    """Shorten the production waits of this process; only a forked child calls it."""
    for module, values in _SHORTENED:
        for name in values:
            if name not in vars(module):
                raise AttributeError(f"{module.__name__} has no {name} any more")
        vars(module).update(values)


def work(_settings: Settings, ready: Callable[[], None], _errands: Errands, _done: Done) -> None:
    """Carry out every task of a worker again and again, as the beat would ring for it; until killed."""
    WorkerLoop.of_process()
    ready()
    calls = [(task, _PAUSE_S.get(name, _PAUSE_ELSE_S)) for name, task in TASKS.items() if name != DISPATCH]
    calls += [(partial(TASKS[DISPATCH], "the sweep"), _PAUSE_S[DISPATCH])] * _DISPATCHERS
    threads = [threading.Thread(target=_every, args=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def watch(settings: Settings, ready: Callable[[], None], _errands: Errands, _done: Done) -> None:
    """Be the feed; until killed, or told to end as a supervisor does."""
    uvloop.run(_feed(settings, ready))


async def _feed(settings: Settings, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ready()
    await feed.feed(settings, stop)


def _every(task: Callable[[], object], pause_s: float) -> None:
    while True:
        try:
            task()
        except Exception as error:  # noqa: BLE001 - a failed Celery task ends no worker either
            _LOG.warning("task failed: %r", error)
        time.sleep(pause_s)


ROLES: Final[dict[str, Callable[[Settings, Callable[[], None], Errands, Done], None]]] = {
    "worker": work,
    "feed": watch,
    "people": ask,
}
