from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.infrastructure.embedded.folders import ServerFolder
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.server import EmbeddedServer
from app.infrastructure.embedded.valkey import EmbeddedValkey
from tests.integration.embedded.conftest import Owner
from tests.integration.embedded.contents import recall, remember, sql
from tests.support.processes import is_running, wait_until

BOTH = pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])


@BOTH
def test_a_server_that_died_is_started_afresh(kind: type[EmbeddedServer], home: Path) -> None:
    with kind(home) as server:
        url = server.start()
        remember(kind, url, "kept")
        died = server.pid
        assert died
        os.kill(died, 9)
        wait_until(lambda: not is_running(server.supervisor_pid or 0), what="the supervisor's end")
        assert server.start() == url
        assert server.pid != died
        assert recall(kind, url) == "kept"


def test_what_was_committed_survives_the_kill_of_everything(
    home: Path, start_owner: Callable[..., Owner]
) -> None:
    first = start_owner(durable=True)
    remember(EmbeddedPostgres, first.told["postgres"], "kept")
    remember(EmbeddedValkey, first.told["valkey"], "kept")
    first.kill_everything()
    second = start_owner(durable=True)
    assert "error" not in second.told, second.told
    assert recall(EmbeddedPostgres, second.told["postgres"]) == "kept"
    assert recall(EmbeddedValkey, second.told["valkey"]) == "kept"


def test_servers_do_not_outlive_a_killed_owner(start_owner: Callable[..., Owner]) -> None:
    owner = start_owner()
    owner.kill()
    owner.wait_for_servers_end()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the parent-death signal is Linux's")
def test_servers_do_not_outlive_their_killed_supervisors(start_owner: Callable[..., Owner]) -> None:
    owner = start_owner()
    for supervisor in owner.server_pids[1::2]:
        os.kill(supervisor, 9)
    owner.wait_for_servers_end()


def test_a_new_owner_may_start_while_the_killed_ones_servers_are_ending(
    start_owner: Callable[..., Owner],
) -> None:
    first = start_owner()
    first.kill()
    second = start_owner()
    assert second.told["postgres"] == first.told["postgres"]
    assert second.told["valkey"] == first.told["valkey"]


def test_servers_left_running_without_owner_and_supervisor_are_stopped_first(
    home: Path, start_owner: Callable[..., Owner]
) -> None:
    first = start_owner()
    owners = [first.pid, *first.server_pids[1::2]]
    for pid in first.server_pids[::2]:
        os.kill(pid, 19)  # SIGSTOP: the parent-death signal waits, as on a system that has none
    for pid in owners:
        os.kill(pid, 9)
    first.kill()
    for pid in first.server_pids[::2]:
        os.kill(pid, 18)
    second = start_owner()
    assert set(second.server_pids).isdisjoint(first.server_pids)
    first.wait_for_servers_end()


def test_a_second_program_is_refused_while_the_first_lives(start_owner: Callable[..., Owner]) -> None:
    first = start_owner()
    second = start_owner()
    assert second.told["error"] == "embedded.in_use"
    assert str(first.pid) in second.told["message"]
    assert all(is_running(pid) for pid in first.server_pids)


@BOTH
def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(
    kind: type[EmbeddedServer], home: Path
) -> None:
    with kind(home, durable=False):
        pass
    folder = ServerFolder(home, kind.name)
    (folder.folder / "data" / kind.pid_file).write_text(f"{os.getpid()}\n{folder.folder / 'data'}\n")
    with kind(home, durable=False) as server:
        assert server.pid
    assert is_running(os.getpid())


def test_a_first_start_that_was_cut_short_is_begun_again(home: Path) -> None:
    cut_short = home / "postgres" / "data.new"
    cut_short.mkdir(parents=True)
    (cut_short / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(home, durable=False) as server:
        assert sql(server.start(), "SELECT current_database()") == "copytrade"
