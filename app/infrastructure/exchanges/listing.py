"""What a venue lists: its tradable instruments, and our name for each of its contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.shared.market import Instrument, Symbol


@dataclass(frozen=True, slots=True)
class Listing:
    """`instruments` may be traded now; `names` also holds contracts that may not, so that positions in them are seen."""

    instruments: tuple[Instrument, ...]
    names: Mapping[str, Symbol]
