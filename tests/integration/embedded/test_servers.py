from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from app.infrastructure.embedded.folders import ServerFolder, discard_home
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.processes import EmbeddedServerError
from app.infrastructure.embedded.server import EmbeddedServer
from app.infrastructure.embedded.valkey import EmbeddedValkey
from tests.integration.embedded.contents import recall, remember, sql
from tests.support.processes import is_running

BOTH = pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])


@BOTH
def test_a_restart_keeps_the_data_and_the_address(kind: type[EmbeddedServer], home: Path) -> None:
    with kind(home) as server:
        url = server.start()
        remember(kind, url, "kept")
    with kind(home) as server:
        assert server.start() == url
        assert recall(kind, url) == "kept"


@BOTH
def test_stop_ends_the_server_and_may_be_called_twice(kind: type[EmbeddedServer], home: Path) -> None:
    server = kind(home, durable=False)
    server.stop()
    server.start()
    pids = [server.pid, server.supervisor_pid]
    server.stop()
    server.stop()
    assert not any(is_running(pid) for pid in pids if pid)
    assert (server.pid, server.supervisor_pid) == (None, None)


@BOTH
def test_a_port_taken_meanwhile_is_replaced(kind: type[EmbeddedServer], home: Path) -> None:
    with kind(home, durable=False) as server:
        port = urlsplit(server.start()).port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port or 0))
        other.listen()
        with kind(home, durable=False) as server:
            assert urlsplit(server.start()).port != port


def test_data_of_another_major_version_is_refused_and_left_alone(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 17") as caught:
        EmbeddedPostgres(home).start()
    assert caught.value.code == "embedded.wrong_version"
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_start_that_fails_says_what_the_server_said_and_leaves_nothing_running(home: Path) -> None:
    with EmbeddedPostgres(home, durable=False):
        pass
    (home / "postgres" / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    server = EmbeddedPostgres(home, durable=False)
    with pytest.raises(EmbeddedServerError, match="no_such_setting") as caught:
        server.start()
    assert caught.value.code == "embedded.start_failed"
    assert server.pid is None
    with ServerFolder(home, "postgres").locked(seconds=0):
        pass


@pytest.mark.parametrize(
    ("setting", "durable", "throw_away"),
    [
        ("fsync", "on", "off"),
        ("synchronous_commit", "on", "off"),
        ("track_commit_timestamp", "on", "on"),
        ("max_connections", "300", "300"),
        ("idle_in_transaction_session_timeout", "1min", "1min"),
        ("listen_addresses", "127.0.0.1", "127.0.0.1"),
        ("server_encoding", "UTF8", "UTF8"),
        ("TimeZone", "UTC", "UTC"),
    ],
)
def test_postgres_is_set_up_for_its_use(
    two_postgres: tuple[str, str], setting: str, durable: str, throw_away: str
) -> None:
    assert [sql(dsn, f"SHOW {setting}") for dsn in two_postgres] == [durable, throw_away]


@pytest.fixture(scope="module")
def two_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    homes = [tmp_path_factory.mktemp(name) for name in ("durable", "throw-away")]
    with EmbeddedPostgres(homes[0]) as durable, EmbeddedPostgres(homes[1], durable=False) as throw_away:
        yield durable.start(), throw_away.start()
    for home in homes:
        discard_home(home)


def test_valkey_never_evicts_and_keeps_what_is_durable(home: Path) -> None:
    with EmbeddedValkey(home) as server, redis.Redis.from_url(server.start()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
