"""Markers by folder, and the fixtures that hand out real servers: lazily, once, isolated per worker and per test.

Under xdist the controller owns PostgreSQL: a worker that has collected tests which ask for it says so, the controller
starts it before the first test is dealt out, and stops it at the very end, whatever the workers came to.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.servers import (
    Databases,
    RunPostgres,
    WorkerRedis,
    in_thread,
    make_run_folder,
    remove_run_folder,
)

TESTS = Path(__file__).resolve().parent
MARKERS = {
    "unit": "unit",
    "architecture": "unit",
    "model": "unit",
    "contract": "integration",
    "integration": "integration",
    "regression": "integration",
    "simulator": "integration",
    "performance": "integration",
    "e2e": "e2e",
    "simulation": "e2e",
}
TEMPLATE = "template"  # in the run's folder: the name of the database to copy
RUN_FOLDER = pytest.StashKey[Path]()
RUN_POSTGRES = pytest.StashKey[RunPostgres]()


def pytest_configure(config: pytest.Config) -> None:
    given = worker_input(config).get("run_folder")
    config.stash[RUN_FOLDER] = Path(str(given)) if given else make_run_folder()
    config.stash[RUN_POSTGRES] = RunPostgres(config.stash[RUN_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not worker_input(config) and RUN_FOLDER in config.stash:
        folder = config.stash[RUN_FOLDER]
        given = os.environ.get("DATABASE_URL")
        if given and (folder / TEMPLATE).exists():
            with Databases(given) as databases:
                databases.adopt((folder / TEMPLATE).read_text(encoding="ascii"))
        config.stash[RUN_POSTGRES].stop()
        remove_run_folder(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder not in MARKERS:
            raise pytest.UsageError(f"{item.path}: no marker is known for tests/{folder}")
        item.add_marker(MARKERS[folder])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if any("postgres_server" in getattr(item, "fixturenames", ()) for item in session.items):
        session.config.stash[RUN_POSTGRES].want()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test that lets a program set up its logging leaves the next test's as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        return (yield)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Xdist, in the controller: tell a worker where the run's folder is."""
    node.workerinput["run_folder"] = str(node.config.stash[RUN_FOLDER])  # type: ignore[attr-defined]  # xdist is untyped


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: object) -> None:
    """Xdist, in the controller: a worker knows its tests; none has begun."""
    if not os.environ.get("DATABASE_URL"):
        node.config.stash[RUN_POSTGRES].start_if_wanted()  # type: ignore[attr-defined]  # xdist is untyped


def worker_input(config: pytest.Config) -> dict[str, object]:
    """What the controller told this xdist worker; empty in the controller and without xdist."""
    found: dict[str, object] = getattr(config, "workerinput", {})
    return found


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """The folder shared by all workers of this test run; removed at its end."""
    return pytestconfig.stash[RUN_FOLDER]


@pytest.fixture(scope="session")
def worker_number(pytestconfig: pytest.Config) -> int:
    """0, 1, 2 …: which xdist worker this is."""
    return int(str(worker_input(pytestconfig).get("workerid", "gw0")).removeprefix("gw"))


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The DSN of the test run's PostgreSQL, of a role that may create databases."""
    return os.environ.get("DATABASE_URL") or pytestconfig.stash[RUN_POSTGRES].dsn()


@pytest.fixture(scope="session")
def databases(postgres_server: str) -> Iterator[Databases]:
    """Makes databases on the server; what is left at the end is dropped."""
    with Databases(postgres_server) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_dsn(databases: Databases) -> str:
    """A database without tables, this worker's own for the whole run."""
    return databases.create("empty")


@pytest.fixture(scope="session")
def migrated_template(databases: Databases, run_folder: Path) -> str:
    """The name of a database with the schema migrated, to copy from; made by whichever worker is first."""
    from app.infrastructure.postgres.migrate import upgrade

    note = run_folder / TEMPLATE
    with (run_folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            made = databases.create("template")
            in_thread(lambda: upgrade(made))
            note.write_text(databases.leave(made), encoding="ascii")
    return note.read_text(encoding="ascii")


@pytest.fixture
def database_dsn(databases: Databases, migrated_template: str) -> Iterator[str]:
    """A database with the schema migrated, this test's own."""
    dsn = databases.create("case", template=migrated_template)
    yield dsn
    databases.drop(dsn)


@pytest.fixture(scope="session")
def worker_redis(run_folder: Path, worker_number: int) -> Iterator[WorkerRedis]:
    """This worker's Redis."""
    server = WorkerRedis(run_folder, worker_number, os.environ.get("REDIS_URL") or None)
    yield server
    server.close()


@pytest.fixture
def redis_url(worker_redis: WorkerRedis) -> str:
    """The URL of a Redis database, empty and this test's own while it runs."""
    worker_redis.flush()
    return worker_redis.url
