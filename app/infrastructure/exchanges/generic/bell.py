"""A bell for the stream by asking: the library's socket of an account rings when one of its orders changes.

What it tells is not believed, only that something happened: the next look tells what. A socket that is away, refused or
silent therefore costs speed and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from app.application.shared.ending import end
from app.domain.exchanges.outcomes import VenueError
from app.infrastructure.exchanges.backoff import full_jitter
from app.infrastructure.exchanges.generic.account import GenericAccount
from app.infrastructure.exchanges.generic.calls import during
from app.infrastructure.exchanges.generic.library import close_watcher

_LOG: Final = logging.getLogger(__name__)


class Bell:
    """Rings for one account until closed."""

    def __init__(self, account: GenericAccount) -> None:
        self._account = account
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen in the background, if it is not done yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())

    async def wait(self, at_most_s: float) -> None:
        """Return when the bell rang since the last wait, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
        self._rung.clear()

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            await end(self._task)

    async def _listen(self) -> None:
        account, attempt = self._account, 0
        settings = account.shared.settings.stream
        while True:
            client = None
            try:
                client = await account.watcher()
                if client.has.get("watchOrders") is not True:
                    return
                call = account.library.call(await account.now_ms())
                call.clock = account.shared.clock.estimate_ms
                with during(call):
                    while True:
                        await client.watch_orders()
                        attempt = 0
                        self._rung.set()
            except VenueError as error:
                _LOG.info("an account's bell is silent: %s", error.code)
            except Exception as error:  # noqa: BLE001 - the library may raise anything
                _LOG.info("an account's bell is silent: %s", type(error).__name__)
            finally:
                if client is not None:
                    await close_watcher(client)
            await asyncio.sleep(full_jitter(attempt, settings.backoff_base_s, settings.backoff_cap_s))
            attempt += 1
