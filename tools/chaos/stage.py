"""The stage of a rehearsal: PostgreSQL, Valkey and the simulated exchange, started here, and a leader with followers."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.domain.shared.ids import WhaleId
from app.domain.shared.protection_terms import ProtectionTerms
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.valkey import EmbeddedValkey
from app.infrastructure.postgres import migrate
from tests.support.servers import MEMORY
from tests.support.simulator import SimulatorProcess
from tests.support.system import Follower, System, fixed, running_system
from tools.chaos.nursery import Nursery
from tools.chaos.plan import INSTRUMENTS

AMOUNTS: Final = ("400", "500", "650", "800", "1200")
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


def _folder(parent: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="copytrade-rehearsal-", dir=parent))
    folder.chmod(0o711)  # under root the servers run as another user, who must get through
    return folder


@asynccontextmanager
async def stage(
    seed: int, followers: int, *, protection: ProtectionTerms | None = None, **settings: object
) -> AsyncIterator[Stage]:
    """Start the servers, migrate, open the accounts; stop and remove everything at the end.

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
            more = {} if protection is None else {"protection": protection}
            terms = [fixed(AMOUNTS[number % len(AMOUNTS)], **more) for number in range(followers)]
            made = await system.make_followers(whale, terms, balance="20000")
            async with Nursery(system.env, folder) as nursery:
                yield Stage(system, whale, made, nursery, postgres, valkey, folder)
    finally:
        simulator.stop()
        await asyncio.gather(asyncio.to_thread(valkey.stop), asyncio.to_thread(postgres.stop))
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
