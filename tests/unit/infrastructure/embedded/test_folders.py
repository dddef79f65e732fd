from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from app.infrastructure.embedded.folders import ServerFolder, discard_home, reaches
from app.infrastructure.embedded.processes import Account, EmbeddedServerError


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    made = ServerFolder(tmp_path / "home", "postgres")
    made.make()
    return made


def test_the_password_and_the_port_outlive_a_restart(folder: ServerFolder) -> None:
    state = folder.load()
    state.port = 5433
    folder.save(state)
    again = folder.load()
    assert (again.port, again.password) == (5433, state.password)


def test_every_folder_has_its_own_long_password(tmp_path: Path) -> None:
    passwords = set()
    for name in ("a", "b"):
        folder = ServerFolder(tmp_path / name, "postgres")
        folder.make()
        passwords.add(folder.load().password)
    assert len(passwords) == 2
    assert all(len(password) == 48 for password in passwords)


def test_the_state_file_is_for_its_owner_alone(folder: ServerFolder) -> None:
    folder.load()
    assert stat.S_IMODE((folder.folder / "state.json").stat().st_mode) == 0o600


def test_the_state_does_not_show_its_password(folder: ServerFolder) -> None:
    state = folder.load()
    assert state.password not in repr(state)


@pytest.mark.parametrize("damage", ["", "{", "[]", json.dumps({"port": 1})])
def test_a_damaged_state_is_said_and_not_replaced(folder: ServerFolder, damage: str) -> None:
    (folder.folder / "state.json").write_text(damage)
    with pytest.raises(EmbeddedServerError) as caught:
        folder.load()
    assert caught.value.code == "embedded.state_damaged"
    assert (folder.folder / "state.json").read_text() == damage


def test_a_second_owner_is_refused_while_the_first_lives(folder: ServerFolder) -> None:
    with folder.locked(), pytest.raises(EmbeddedServerError) as caught, folder.locked():
        pass
    assert caught.value.code == "embedded.in_use"
    assert str(os.getpid()) in str(caught.value)


def test_a_lock_left_by_a_process_that_is_gone_is_free(folder: ServerFolder) -> None:
    (folder.folder / "lock").write_text("999999999 1")
    with folder.locked(seconds=0):
        assert (folder.folder / "lock").read_text().startswith(f"{os.getpid()} ")


def test_a_lock_that_a_dead_owners_supervisor_still_holds_is_waited_for(folder: ServerFolder) -> None:
    with folder.locked() as handle:
        os.ftruncate(handle, 0)
        os.pwrite(handle, b"999999999 1", 0)
        with pytest.raises(EmbeddedServerError, match="still stopping"), folder.locked(seconds=0.05):
            pass


def test_a_new_home_is_ignored_by_git(folder: ServerFolder) -> None:
    assert (folder.home / ".gitignore").read_text() == "*\n"


def test_discarding_a_home_removes_what_is_ours_and_nothing_else(folder: ServerFolder) -> None:
    folder.load()
    (folder.home / "notes.txt").write_text("mine")
    discard_home(folder.home)
    assert {path.name for path in folder.home.iterdir()} == {".gitignore", "notes.txt"}
    (folder.home / "notes.txt").unlink()
    discard_home(folder.home)
    assert not folder.home.exists()


def test_discarding_a_home_in_use_is_refused(folder: ServerFolder) -> None:
    with folder.locked(), pytest.raises(EmbeddedServerError) as caught:
        discard_home(folder.home)
    assert caught.value.code == "embedded.in_use"
    assert folder.log.exists()


@pytest.mark.parametrize(
    ("mode", "uid_is_owner", "gid_is_owner", "passes"),
    [
        (0o700, False, False, False),
        (0o701, False, False, True),
        (0o710, False, True, True),
        (0o701, False, True, False),  # the group's bits are the ones that count for its members
        (0o700, True, False, True),
    ],
)
def test_an_account_reaches_a_folder_by_the_bits_that_are_meant_for_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    uid_is_owner: bool,
    gid_is_owner: bool,
    passes: bool,
) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001 and parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    owner = tmp_path.stat()
    account = Account(
        "someone",
        owner.st_uid if uid_is_owner else owner.st_uid + 4321,
        owner.st_gid if gid_is_owner else owner.st_gid + 4321,
    )
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    (closed / "inner").chmod(0o755)
    closed.chmod(mode)
    assert reaches(account, closed / "inner") is passes
