"""One venue's instruments: loaded once, refreshed by time and when somebody asks for what is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from app.domain.shared.errors import NotFound
from app.domain.shared.market import Instrument, Symbol
from app.infrastructure.exchanges.listing import Listing

_ASK_AGAIN_S: Final = 60.0
"""A stranger's name does not make the venue be asked more often than this."""


class InstrumentTable:
    """Instruments by our symbol and names by the venue's; `load` asks the venue, `now_s` is monotonic."""

    def __init__(self, load: Callable[[], Awaitable[Listing]], now_s: Callable[[], float]) -> None:
        self._load = load
        self._now_s = now_s
        self._by_symbol: dict[Symbol, Instrument] = {}
        self._loading: asyncio.Task[None] | None = None
        self._loaded_at: float | None = None
        self.names: Mapping[str, Symbol] = {}

    @property
    def is_loaded(self) -> bool:
        """Whether the venue has answered once."""
        return self._loaded_at is not None

    async def refresh(self, older_than_s: float = 0.0) -> None:
        """Load anew unless somebody just did; what was known stays when the venue does not answer (VenueError)."""
        if self._loaded_at is not None and self._now_s() - self._loaded_at < older_than_s:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._read(), name="listing")
            self._loading.add_done_callback(_heard)
        # A caller that loses patience must not end what others wait for, and the next caller finds loaded.
        await asyncio.shield(self._loading)

    async def _read(self) -> None:
        listing = await self._load()
        self._by_symbol = {entry.symbol: entry for entry in listing.instruments}
        self.names = listing.names
        self._loaded_at = self._now_s()

    async def ready(self) -> None:
        """Load if that never succeeded; raises VenueError."""
        if self._loaded_at is None:
            await self.refresh(_ASK_AGAIN_S)

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return one instrument, or raise NotFound; a name not known is looked up at the venue once a minute."""
        found = self._by_symbol.get(symbol)
        if found is None:
            await self.refresh(_ASK_AGAIN_S)
            found = self._by_symbol.get(symbol)
        if found is None:
            raise NotFound(f"The venue does not trade {symbol}.", symbol=symbol)
        return found

    async def learn(self, strangers: Sequence[str]) -> bool:
        """Return whether a refresh named one of these contracts, new at the venue."""
        before = self.names
        await self.refresh(_ASK_AGAIN_S)
        return self.names is not before and any(name in self.names for name in strangers)

    def known(self) -> Sequence[Instrument]:
        """Return what may be traded, as last loaded."""
        return tuple(self._by_symbol.values())


def _heard(loading: asyncio.Task[None]) -> None:
    """Take the error of a load that nobody waits for any more."""
    if not loading.cancelled():
        loading.exception()
