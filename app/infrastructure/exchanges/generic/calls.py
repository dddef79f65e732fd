"""One call into the library: which timestamp it is signed with, what it sent, and what came back.

The call travels in a context variable, so calls of one account may overlap on one library object: each task sees its
own. The library's decimal context is kept apart as well, for it changes rounding and traps of whoever calls it.
"""

from __future__ import annotations

import decimal
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply, TooLate, Transport

_READS: Final = frozenset({"GET", "HEAD"})


class Unheard(Exception):
    """Raised through the library: no reply, or one that is no answer. The call says which."""


@dataclass(slots=True)
class Call:
    """`now_ms` is the timestamp to sign with, `clock` tells it anew to what goes on for long. `once` allows a single request that may change something, which must
    leave within `leave_within_s`. Afterwards `left` counts the requests that changed or may have changed something,
    `reply` is the last whole reply and `payload` what it holds.
    """

    transport: Transport
    base_url: str
    now_ms: int
    timeout_s: float
    once: bool = False
    leave_within_s: float | None = None
    speaks: Callable[[object], bool] = lambda payload: True
    clock: Callable[[], int] | None = None
    left: int = 0
    unsent: NeverLeft | None = None
    reply: Reply | None = field(default=None, repr=False)
    payload: object = field(default=None, repr=False)

    @property
    def too_late(self) -> bool:
        """Whether no connection came free in time."""
        return isinstance(self.unsent, TooLate)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> Reply:
        """Send once; raises Unheard, and keeps what was learned."""
        self.reply = self.payload = None
        changes = method not in _READS
        if changes and self.once:
            if self.left:
                raise Unheard("a second request for one order")
            self.left += 1
        try:
            self.reply = await self.transport.request(
                method,
                self._rebased(url),
                headers,
                None if body is None else body.encode(),
                self.timeout_s,
                self.leave_within_s if changes else None,
            )
        except NeverLeft as error:
            self.unsent = error
            self.left = 0
            raise Unheard(f"never left: {error}") from None
        except NoReply as error:
            raise Unheard(f"no reply: {error}") from None
        return self.reply

    def _rebased(self, url: str) -> str:
        return rebased(url, self.base_url)


def rebased(url: str, base_url: str) -> str:
    """Return the address that is really asked (the same without a base): the library always sees the exchange's own, by
    which it tells apart whose error codes it reads.
    """
    if not base_url:
        return url
    parts = urlsplit(url)
    return base_url + url[len(parts.scheme) + 3 + len(parts.netloc) :]


_CURRENT: ContextVar[Call | None] = ContextVar("library_call", default=None)


@contextmanager
def during(call: Call) -> Iterator[Call]:
    """Make `call` the one that the library object in hand is steered by."""
    token = _CURRENT.set(call)
    try:
        with decimal.localcontext():
            yield call
    finally:
        _CURRENT.reset(token)


def current() -> Call | None:
    """Return the call in hand; None while a library object is only being built."""
    return _CURRENT.get()


def signing_ms() -> int:
    """Return the timestamp of the call in hand."""
    call = _CURRENT.get()
    if call is None:
        return time.time_ns() // 1_000_000
    return call.now_ms if call.clock is None else call.clock()


def decoded(text: str, *, whole_as_text: bool) -> object:
    """Read JSON without making a float of anything; None when it is none. Integers stay integers where the library
    computes with them.
    """
    try:
        found: object = json.loads(
            text, parse_float=str, parse_int=str if whole_as_text else int, parse_constant=str
        )
    except (ValueError, RecursionError):
        return None
    return found
