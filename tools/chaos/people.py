"""What a rehearsal's people do: each errand is carried out by the use case behind the API, or by the command of the CLI.

One child does its errands in turn and says of each when it is done. An errand that failed for a reason that is not an
answer (the database is away, a trap raised) is asked again, as a person would, with the same key; so is one whose child was killed,
by the next child.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import uvloop

from app.config.api_container import api_services
from app.config.container import build
from app.config.settings import Settings
from app.domain.exchanges.outcomes import VenueError
from app.domain.shared.errors import ConcurrencyConflict, DomainError, StorageUnavailable
from tools.chaos.commands import COMMANDS, Hands, Result

_LOG: Final = logging.getLogger("rehearsal")
_NO_ANSWER: Final = (ConcurrencyConflict, StorageUnavailable, VenueError)
_AGAIN_S: Final = 0.2
_PAUSE_S: Final = 0.1


def ask(
    settings: Settings,
    ready: Callable[[], None],
    work: Sequence[Mapping[str, Any]],
    done: Callable[[Result], None],
) -> None:
    """Be the people until all errands are done; the first of `work` is the cast."""
    uvloop.run(_ask(settings, ready, work, done))


async def _ask(
    settings: Settings,
    ready: Callable[[], None],
    work: Sequence[Mapping[str, Any]],
    done: Callable[[Result], None],
) -> None:
    cast, *errands = work
    async with build(settings) as app:
        hands = Hands(app, api_services(app), cast)
        ready()
        for errand in errands:
            result = await _until_answered(hands, errand)
            done(result)
            if result["answer"] == "done":  # who is told that there was nothing to do needs no rest
                await asyncio.sleep(_PAUSE_S)


async def _until_answered(hands: Hands, errand: Mapping[str, Any]) -> Result:
    while True:
        try:
            return {"answer": "done", **(await COMMANDS[errand["do"]](hands, errand) or {})}
        except DomainError as error:
            if not isinstance(error, _NO_ANSWER):
                return {"answer": error.code}
        except Exception as error:  # noqa: BLE001 - no answer at all: a person asks again
            _LOG.warning("errand %s: %r", errand["do"], error)
        await asyncio.sleep(_AGAIN_S)
