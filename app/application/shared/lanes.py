"""Many small pieces of work, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence


async def in_lanes(work: Sequence[Coroutine[object, object, None]], at_once: int) -> None:
    """Run all pieces, at most `at_once` of them side by side; the first error cancels the rest."""
    lanes = asyncio.Semaphore(at_once)

    async def one(piece: Coroutine[object, object, None]) -> None:
        async with lanes:
            await piece

    async with asyncio.TaskGroup() as group:
        for piece in work:
            group.create_task(one(piece))
