"""What all accounts of one venue share, so that an account itself costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.clock import VenueClock
from app.infrastructure.exchanges.guard import VenueGuard
from app.infrastructure.exchanges.http import Transport
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.stream import Sockets


@dataclass(frozen=True, slots=True)
class VenueShared:
    """One venue's pool, clock, instruments, marks, keys and guard; `now` tells our own wall time, aware, in UTC.

    `weight_limit` and `orders_limit` are the venue's limits within its own windows, against which its counters are read.
    """

    venue: Venue
    settings: VenueSettings
    transport: Transport
    sockets: Sockets
    clock: VenueClock
    instruments: InstrumentTable
    marks: MarkBook
    keys: KeyRing
    guard: VenueGuard
    now: Callable[[], datetime]
    weight_limit: int
    orders_limit: int
