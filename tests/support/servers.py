"""The servers that the tests run on: PostgreSQL once per test run, Valkey once per worker, or those of DATABASE_URL and
REDIS_URL. Databases made here are dropped here; nothing else on a given server is touched.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import redis

from app.infrastructure.embedded.folders import discard_home
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.processes import EmbeddedServerError
from app.infrastructure.embedded.valkey import EmbeddedValkey
from tests.support.processes import is_running

POSTGRES_VERSION_MIN = 140000  # server_version_num
FOLDER_PREFIX = "copytrade-tests-"
MEMORY = Path("/dev/shm")  # a copied database costs 20 ms here, on a slow disk half a second
MEMORY_BYTES_MIN = 1_000_000_000  # a container may have 64 MB
REDIS_MARK = "copytrade:tests-may-flush-this-database"

T = TypeVar("T")


def in_thread(action: Callable[[], T]) -> T:
    """Run `action` where no event loop runs, whatever runs here."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(action).result()


def make_run_folder() -> Path:
    """A folder for this test run's servers; removes those that killed runs left behind."""
    parent = Path(tempfile.gettempdir())
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN:
        parent = MEMORY
    remove_left_behind(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=parent))
    folder.chmod(0o711)  # under root the servers run as another user, who must get through
    return folder


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of runs that are dead. One whose server a living process still uses, such as a worker that
    outlived its killed run, is left to a later run: it must not stop this one.
    """
    for left in parent.glob(f"{FOLDER_PREFIX}*"):
        owner = left.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        try:
            if left.stat().st_uid == os.geteuid() and owner.isdigit() and not is_running(int(owner)):
                remove_run_folder(left)
        except FileNotFoundError:
            continue  # another run that starts now removed it first
        except EmbeddedServerError as error:
            if error.code != "embedded.in_use":
                raise


def remove_run_folder(folder: Path) -> None:
    for home in folder.iterdir():
        if home.is_dir():
            discard_home(home)
    shutil.rmtree(folder, ignore_errors=True)


class RunPostgres:
    """The test run's one PostgreSQL. The controller (or the only process) starts it, workers read where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dsn = folder / "postgres.dsn"
        self._error = folder / "postgres.error"
        self._wanted = folder / "postgres.wanted"
        self._server: EmbeddedPostgres | None = None

    def want(self) -> None:
        """Said by a worker whose tests will ask for the server."""
        self._wanted.touch()

    def start_if_wanted(self) -> None:
        """Start it once; a failure is kept for the tests that need it, so that all others still run."""
        if not self._wanted.exists() or self._dsn.exists() or self._error.exists():
            return
        try:
            self._dsn.touch(mode=0o600)
            self._dsn.write_text(self._start(), encoding="ascii")
        except (EmbeddedServerError, OSError) as error:
            self._dsn.unlink(missing_ok=True)
            self._error.write_text(str(error), encoding="utf-8")

    def dsn(self) -> str:
        """Where it is; raises with the reason when it could not be started."""
        self.start_if_wanted()
        if self._error.exists():
            raise AssertionError(self._error.read_text(encoding="utf-8"))
        return self._dsn.read_text(encoding="ascii")

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    def _start(self) -> str:
        self._server = EmbeddedPostgres(self._folder / "postgres-home", durable=False)
        return self._server.start()


class Databases:
    """Makes and drops databases on one server, over one connection with its own event loop in its own thread."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test databases", daemon=True)
        self._thread.start()
        self._made: set[str] = set()
        self._connection = self._run(self._connect())

    def create(self, purpose: str, *, template: str = "template0") -> str:
        """The DSN of a new database; `template` names the database to copy, whose users must all have left."""
        name = f"test_{purpose}_{secrets.token_hex(6)}"
        # Copying files beats writing the copy through the log; before 15 there was no other way and no word for it.
        how = "STRATEGY file_copy" if self._connection.get_server_version().major >= 15 else ""
        self._run(self._connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {how}'))
        self._made.add(name)
        return self._dsn_of(name)

    def names(self) -> set[str]:
        """Every database of the server."""
        rows = self._run(self._connection.fetch("SELECT datname FROM pg_database"))
        return {str(row[0]) for row in rows}

    def leave(self, dsn: str) -> str:
        """Do not drop this database at the end: another process will, having said adopt(). Return its name."""
        self._made.discard(database_name(dsn))
        return database_name(dsn)

    def adopt(self, name: str) -> None:
        """Drop at the end a database that another worker left."""
        self._made.add(name)

    def drop(self, dsn: str) -> None:
        """Drop a database made here, and every session on it."""
        name = database_name(dsn)
        if name not in self._made:
            raise AssertionError(f"{name} was not made by the tests")
        self._run(self._connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        self._made.discard(name)

    def close(self) -> None:
        """Drop what is left and end the connection."""
        for name in tuple(self._made):
            self.drop(self._dsn_of(name))
        self._run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _connect(self) -> asyncpg.Connection:
        connection: asyncpg.Connection = await asyncpg.connect(plain_dsn(self._dsn))
        version = int(await connection.fetchval("SHOW server_version_num"))
        if version < POSTGRES_VERSION_MIN:
            await connection.close()
            raise AssertionError(f"DATABASE_URL is PostgreSQL {version // 10000}; 14 or later is needed")
        may = await connection.fetchval(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        )
        if not may:
            await connection.close()
            raise AssertionError("the role of DATABASE_URL may not create databases: ALTER ROLE … CREATEDB")
        return connection

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _dsn_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self._dsn)._replace(path=f"/{name}"))


def database_name(dsn: str) -> str:
    return urlsplit(dsn).path.lstrip("/")


def plain_dsn(dsn: str) -> str:
    """The DSN as asyncpg and psql take it, without SQLAlchemy's driver name."""
    return dsn.replace("postgresql+asyncpg://", "postgresql://", 1)


class WorkerRedis:
    """This worker's Redis: its own Valkey (channels are shared by all databases of a server), or a database of REDIS_URL."""

    def __init__(self, folder: Path, worker: int, given: str | None) -> None:
        """`worker` counts from 0 and picks the database of a given server, of which number 0 is left alone."""
        self._server: EmbeddedValkey | None = None
        if given is None:
            self._server = EmbeddedValkey(folder / f"valkey-home-{worker}", durable=False)
            self.url = self._server.start()
        else:
            self.url = urlunsplit(urlsplit(given)._replace(path=f"/{worker + 1}"))
        self._client = redis.Redis.from_url(self.url)
        if given is not None and self._client.dbsize() and not self._client.exists(REDIS_MARK):
            self._client.close()
            raise AssertionError(f"database {worker + 1} of REDIS_URL holds data; the tests would flush it")

    def flush(self) -> None:
        self._client.flushdb()
        self._client.set(REDIS_MARK, 1)

    def close(self) -> None:
        self._client.flushdb()
        self._client.close()
        if self._server is not None:
            self._server.stop()
