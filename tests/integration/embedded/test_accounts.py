from __future__ import annotations

import json
import os
import pwd
import stat
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis

from app.infrastructure.embedded.folders import SHARED, ServerFolder, discard_home, reaches
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.processes import Account, run_as
from app.infrastructure.embedded.server import EmbeddedServer
from app.infrastructure.embedded.valkey import EmbeddedValkey
from tests.integration.embedded.conftest import Owner
from tests.integration.embedded.contents import recall, remember, sql
from tests.support.processes import ROOT

BOTH = pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_no_password_is_in_a_command_line_an_environment_a_log_or_a_repr(
    home: Path, start_owner: Callable[..., Owner]
) -> None:
    owner = start_owner()
    secrets = [urlsplit(owner.told[name]).password or "" for name in ("postgres", "valkey")]
    assert all(len(secret) == 48 for secret in secrets)
    shown = owner.told["repr"].replace(
        owner.told["postgres"], ""
    )  # vars() holds the URL, which has no repr of its own
    for pid in owner.server_pids:
        shown += Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
    for name in ("postgres", "valkey"):
        shown += (home / name / "server.log").read_text()
        assert stat.S_IMODE((home / name / "state.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((home / name / "data").stat().st_mode) == 0o700
    assert not any(secret in shown for secret in secrets)


@BOTH
def test_a_wrong_password_is_refused(kind: type[EmbeddedServer], home: Path) -> None:
    with kind(home, durable=False) as server:
        url = server.start()
        wrong = url.replace(urlsplit(url).password or "", "wrong")
        with pytest.raises((asyncpg.InvalidPasswordError, redis.AuthenticationError)):
            recall(kind, wrong)


@AS_ROOT
def test_root_serves_from_a_folder_that_the_servers_account_cannot_reach(tmp_path: Path) -> None:
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    before = set(SHARED.glob("data-*"))
    with EmbeddedPostgres(home, durable=False) as server:
        assert sql(server.start(), "SELECT 1") == 1
        assert len(set(SHARED.glob("data-*")) - before) >= 1
    discard_home(home)
    folder = ServerFolder(home, "postgres")
    assert not folder.folder.exists()


@AS_ROOT
def test_the_servers_do_not_run_as_root(home: Path, start_owner: Callable[..., Owner]) -> None:
    owner = start_owner()
    for pid in owner.server_pids[::2]:
        assert Path(f"/proc/{pid}").stat().st_uid != 0


@AS_ROOT
def test_an_ordinary_user_may_own_the_servers_and_root_may_go_on_with_its_data(
    home: Path, start_owner: Callable[..., Owner]
) -> None:
    python = _python_for_nobody()
    nobody = pwd.getpwnam("nobody")
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    first = start_owner(uid=nobody.pw_uid, python=python)
    remember(EmbeddedPostgres, first.told["postgres"], "kept")
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in first.server_pids} == {nobody.pw_uid}
    first.terminate()
    by_root = start_owner()
    assert recall(EmbeddedPostgres, by_root.told["postgres"]) == "kept"
    by_root.terminate()
    again = start_owner(uid=nobody.pw_uid, python=python)
    assert recall(EmbeddedPostgres, again.told["postgres"]) == "kept"


@AS_ROOT
def test_an_ordinary_user_is_told_that_the_data_is_anothers(
    home: Path, start_owner: Callable[..., Owner]
) -> None:
    python = _python_for_nobody()
    start_owner().terminate()
    refused = start_owner(uid=pwd.getpwnam("nobody").pw_uid, python=python)
    assert refused.told["error"] == "embedded.not_ours"
    assert json.dumps(refused.told).find("password") == -1


def _python_for_nobody() -> str:
    """A Python that the user 'nobody' can run: this one may lie in root's home."""
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)
    if not reaches(account, ROOT) or not reaches(account, Path(sysconfig.get_path("purelib"))):
        pytest.skip("the user 'nobody' cannot reach this checkout")
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            told = run_as(account, [python, "-c", "import sys; print(sys.version_info >= (3, 11))"])
        except OSError:
            continue
        if told.stdout.strip() == "True":
            return python
    pytest.skip("there is no Python 3.11 that the user 'nobody' can run")
