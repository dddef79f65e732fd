"""One venue's mark prices as last heard, each with its age: the hot path reads them without asking anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from app.domain.shared.errors import NotFound
from app.domain.shared.market import Symbol
from app.domain.shared.money import Price


class MarkBook:
    """Marks by symbol; `now_ms` is a monotonic clock. A message may tell some marks only, so each has its own age."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._marks: dict[Symbol, Price] = {}
        self._heard_ms: dict[Symbol, int] = {}
        self.marks: Mapping[Symbol, Price] = MappingProxyType(self._marks)
        """A live, read-only view."""

    def hear(self, marks: Mapping[Symbol, Price], *, everything: bool = False) -> None:
        """Take over what the venue said; `everything` also forgets the symbols that it did not name."""
        if everything:
            for symbol in self._marks.keys() - marks.keys():
                del self._marks[symbol], self._heard_ms[symbol]
        self._marks.update(marks)
        self._heard_ms.update(dict.fromkeys(marks, self._now_ms()))

    @property
    def oldest_ms(self) -> int | None:
        """The age of the oldest mark; None when there is none."""
        return self._now_ms() - min(self._heard_ms.values()) if self._heard_ms else None

    def mark(self, symbol: Symbol) -> tuple[Price, int]:
        """Return the mark and its age in ms, or raise NotFound."""
        found = self._marks.get(symbol)
        if found is None:
            raise NotFound(f"No mark price of {symbol} is known.", symbol=symbol)
        return found, self._now_ms() - self._heard_ms[symbol]
