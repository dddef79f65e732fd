"""One account's way to an exchange through the library: a method by name, its answer read, VenueError when there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from app.domain.exchanges.outcomes import (
    RefusalKind,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
    VenueUnsupported,
)
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.generic.calls import Call, during
from app.infrastructure.exchanges.generic.library import Library
from app.infrastructure.exchanges.generic.recipe import Recipe, Row
from app.infrastructure.exchanges.generic.refusals import error_of_read, is_not_found
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_HEADER: Final = "key"


class GenericAccount:
    """Holds the sealed key only; the library's object is borrowed for each call."""

    __slots__ = ("account", "library", "sealed", "shared")

    def __init__(self, shared: VenueShared, library: Library, account: AccountId, sealed: bytes) -> None:
        self.shared = shared
        self.library = library
        self.account = account
        self.sealed = sealed

    @property
    def recipe(self) -> Recipe:
        """What is particular about the exchange."""
        return self.library.recipe

    def key(self) -> OpenKey:
        """Return the opened key; raises the vault's error."""
        return self.shared.keys.key(self.account, self.sealed, _HEADER)

    async def client(self) -> Any:
        """Return the library's object of this account; raises VenueError."""
        key = await self._ready()
        return await self.library.client(self.account, key)

    async def watcher(self) -> Any:
        """Return a new object of the library that can watch, for the caller to close; raises VenueError."""
        return await self.library.watcher(await self._ready())

    async def _ready(self) -> OpenKey:
        try:
            key = self.key()
        except DomainError:
            raise VenueRefused("The account's key cannot be opened.", RefusalKind.KEY, "vault") from None
        await self.shared.instruments.ready()
        return key

    async def now_ms(self) -> int:
        """Return the venue's time as far as it is known; raises VenueError."""
        if self.shared.clock.age_ms is None:
            await self.shared.clock.sample()
        return self.shared.clock.estimate_ms()

    def has(self, client: Any, method: str) -> bool:
        """Return whether the exchange itself offers what a method of the library needs."""
        head, *tail = method.split("_")
        return bool(client.has.get(head + "".join(word.title() for word in tail)))

    async def ask(self, do: Callable[[Any], Any], read: Callable[[Any], T]) -> T:
        """Carry out one call of the library and read what it returns; raises VenueError."""
        found = await self.ask_for(do, read)
        if found is None:
            raise VenueUnavailable("The venue does not know what it was asked for.")
        return found

    async def ask_for(self, do: Callable[[Any], Any], read: Callable[[Any], T]) -> T | None:
        """As `ask`, but None where the exchange answered that there is no such order."""
        client = await self.client()
        call = self.library.call(await self.now_ms())
        try:
            with during(call):
                answer = await do(client)
        except Exception as error:  # noqa: BLE001 - the library may raise anything
            if is_not_found(error, call):
                return None
            raise self._failed(error, call) from None
        if answer is None:
            return None
        try:
            return read(answer)
        except Unreadable as error:
            raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None

    def _failed(self, error: Exception, call: Call) -> Exception:
        refusal = error_of_read(error, call, self.recipe)
        if isinstance(refusal, VenueRefused) and refusal.kind is RefusalKind.CLOCK:
            self.shared.clock.suspect()
        elif not isinstance(refusal, VenueRefused | VenueThrottled | VenueUnsupported) and call.reply is None:
            _LOG.debug("the library failed: %s", type(error).__name__)
        return refusal

    def by_unified(self) -> Mapping[str, Instrument]:
        """Return the instruments by the library's names."""
        return {self.unified(entry): entry for entry in self.shared.instruments.known()}

    def unified(self, instrument: Instrument) -> str:
        """Return the library's name of a market."""
        return self.recipe.unified(instrument.symbol.rpartition("-")[0])

    def log_strangers(self, names: Sequence[str]) -> None:
        """Say which markets with positions are not ours to trade."""
        _LOG.warning(
            "account %s holds contracts that are not traded here: %s", self.account, ", ".join(names)
        )


def listed(answer: object) -> list[Row]:
    """Return the rows of an answer that is a list, or raise Unreadable."""
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise Unreadable("no list of rows")
    return answer


def single(answer: object) -> Row:
    """Return an answer that is one row, or raise Unreadable."""
    if not isinstance(answer, dict):
        raise Unreadable("no row")
    return answer
