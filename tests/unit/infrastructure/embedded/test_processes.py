from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

import pytest

from app.infrastructure.embedded.processes import (
    Account,
    EmbeddedServerError,
    birth,
    end_stale_server,
    free_port,
    is_running,
    server_account,
)

NO_SUCH_PID = 999_999_999


def test_an_ordinary_user_runs_the_server_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_account() is None


def test_root_drops_to_an_unprivileged_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    account = server_account()
    assert account is not None
    assert account.name in {"postgres", "nobody"}
    assert account.uid != 0


def test_root_drops_to_the_owner_of_existing_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    nobody = pwd.getpwnam("nobody")
    assert server_account(nobody.pw_uid) == Account("nobody", nobody.pw_uid, nobody.pw_gid)


def test_root_without_any_account_to_drop_to_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_here(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", nobody_here)
    with pytest.raises(EmbeddedServerError, match="DATABASE_URL") as caught:
        server_account()
    assert caught.value.code == "embedded.no_account"


def test_a_kept_port_is_used_again_when_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_kept_port_that_another_program_took_is_given_up() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert free_port(taken) != taken


def test_a_process_is_known_again_by_its_birth() -> None:
    assert birth(os.getpid()) == birth(os.getpid()) != birth(1)
    assert birth(NO_SUCH_PID) == ""


def test_only_a_living_process_is_running() -> None:
    assert is_running(os.getpid())
    assert not is_running(NO_SUCH_PID)


@pytest.mark.parametrize("content", ["", "nonsense\n", f"{NO_SUCH_PID}\n"])
def test_a_pid_file_of_no_process_is_left_to_the_server(tmp_path: Path, content: str) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(content)
    end_stale_server(pid_file, tmp_path, Path("/bin/true"), [])
    assert pid_file.exists()


def test_a_pid_file_whose_pid_now_belongs_to_a_stranger_is_removed(tmp_path: Path) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n")
    end_stale_server(pid_file, tmp_path, Path("/bin/true"), [])
    assert not pid_file.exists()
