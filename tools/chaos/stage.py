"""The stage of a rehearsal: PostgreSQL, Valkey and the simulated exchange, started here, and a leader with followers."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from app.domain.shared.ids import WhaleId
from app.domain.shared.money import Ratio
from app.domain.shared.protection_terms import NO_PROTECTION, ProtectionTerms
from app.domain.shared.terms import CopyTerms
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.valkey import EmbeddedValkey
from app.infrastructure.postgres import migrate
from tests.support.servers import MEMORY
from tests.support.simulator import SimulatorProcess
from tests.support.system import Follower, System, fixed, running_system
from tools.chaos.market import home_prices
from tools.chaos.nursery import Nursery
from tools.chaos.plan import INSTRUMENTS

AMOUNTS: Final = ("400", "500", "650", "800", "1200")
DRIFT_MAX: Final = Ratio(Decimal("0.1"))
"""Entries are copied wherever the market has gone meanwhile."""
_ROOM_BYTES: Final = 2_000_000_000


@dataclass(frozen=True)
class Stage:
    """Everything that a rehearsal plays on."""

    system: System
    whale: WhaleId
    followers: Sequence[Follower]
    nursery: Nursery
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    logs: Path
    home: Mapping[str, Decimal]


def terms_of(number: int, protections: Sequence[ProtectionTerms]) -> CopyTerms:
    """Return what the follower of this number agrees to."""
    amount, protection = AMOUNTS[number % len(AMOUNTS)], protections[number % len(protections)]
    return fixed(amount, protection=protection, drift_max=DRIFT_MAX)


def _folder(parent: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="copytrade-rehearsal-", dir=parent))
    folder.chmod(0o711)  # under root the servers run as another user, who must get through
    return folder


@asynccontextmanager
async def stage(
    seed: int, followers: int, *, protections: Sequence[ProtectionTerms] = (), **settings: object
) -> AsyncIterator[Stage]:
    """Start the servers, migrate, open the accounts; stop and remove everything at the end.

    Each follower has the next one of `protections`, in turn.
    PostgreSQL is durable, so that a restart in the middle loses nothing that it said was committed.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > _ROOM_BYTES
    folder = _folder(MEMORY if in_memory else None)
    postgres = EmbeddedPostgres(folder / "postgres-home", durable=True)
    valkey = EmbeddedValkey(folder / "valkey-home", durable=False)
    simulator = SimulatorProcess(seed=seed)
    try:
        dsn, redis_url = await asyncio.gather(
            asyncio.to_thread(postgres.start), asyncio.to_thread(valkey.start)
        )
        await asyncio.to_thread(migrate.upgrade, dsn)
        await asyncio.to_thread(simulator.start)
        simulator.operator.post("/sim/instruments", {"instruments": list(INSTRUMENTS)})
        chosen: dict[str, Any] = {
            "entry_ttl_s": 600,
            "hot_pool": 8,
            "chunk_max": 4,
            "log_level": "WARNING",
        } | settings
        async with running_system(dsn, redis_url, simulator=simulator, **chosen) as system:
            whale = await system.make_leader(balance="10000000")
            terms = [terms_of(number, protections or (NO_PROTECTION,)) for number in range(followers)]
            made = await system.make_followers(whale, terms, balance="20000")
            home = await asyncio.to_thread(home_prices, simulator.operator)
            async with Nursery(system.env, folder) as nursery:
                yield Stage(system, whale, made, nursery, postgres, valkey, folder, home)
    finally:
        simulator.stop()
        await asyncio.gather(asyncio.to_thread(valkey.stop), asyncio.to_thread(postgres.stop))
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
