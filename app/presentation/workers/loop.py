"""One event loop and one App for the life of a worker process, whatever pool Celery uses.

Celery knows no asyncio. A daemon thread runs the loop; tasks hand their coroutines over and wait. The App is built on
that loop, so its engine and its connections belong to it and are shared by all tasks of the process.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, ClassVar, TypeVar

import uvloop

from app.config.container import App, build
from app.config.logging import configure_logging
from app.config.settings import load

T = TypeVar("T")


class WorkerLoop:
    """The loop's thread and the App on it; one for each process."""

    _of_process: ClassVar[WorkerLoop | None] = None
    _pid: ClassVar[int] = 0
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker-loop", daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        self._app = self._wait(self._open())

    @classmethod
    def of_process(cls) -> WorkerLoop:
        """Return this process's loop, making it on first use (and anew after a fork)."""
        with cls._guard:
            if cls._of_process is None or cls._pid != os.getpid():
                cls._of_process, cls._pid = cls(), os.getpid()
            return cls._of_process

    @classmethod
    def close_process(cls) -> None:
        """Close this process's App and loop, if it made one."""
        with cls._guard:
            if cls._of_process is not None and cls._pid == os.getpid():
                cls._of_process.close()
                cls._of_process = None

    def run(self, work: Callable[[App], Awaitable[T]]) -> T:
        """Run `work` with the App on the loop and return what it returns."""
        return self._wait(self._call(work))

    def close(self) -> None:
        """Close the App, then the loop."""
        self._wait(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    async def _open(self) -> App:
        settings = load()
        configure_logging(level=settings.log_level, as_json=settings.log_format == "json")
        app = await self._stack.enter_async_context(build(settings))
        if settings.metrics_port:
            app.metrics.serve(settings.metrics_port)
        return app

    async def _call(self, work: Callable[[App], Awaitable[T]]) -> T:
        return await work(self._app)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # tidy: allow single-cancel nobody waits for it any more
            raise
