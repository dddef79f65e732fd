"""End background tasks for certain: a cancellation can be lost, so it is said again until it is heard."""

from __future__ import annotations

import asyncio
from typing import Final

_AGAIN_S: Final = 5.0
"""Long enough for a task to close what it holds; only one that did not hear is told again."""


async def end(*tasks: asyncio.Task[object]) -> None:
    """Cancel tasks and return when all are over; what one of them raised is not raised here.

    A cancellation is lost where it meets the end of a wait: up to Python 3.11 `asyncio.wait_for` then returns the result
    instead (CPython issue 86296), and the clients of brokers and databases wait by it. Who is ended in turn while it ends
    others hears of it when they are over: left alone, one of them would never be told again.
    """
    told: asyncio.CancelledError | None = None
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=_AGAIN_S)
        except asyncio.CancelledError as error:
            told = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # asked for, so that none is reported as never looked at
    if told is not None:
        raise told
