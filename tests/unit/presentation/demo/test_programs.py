"""A child that ends is noticed with the end of its log; none outlives the demo, however that ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from app.presentation.demo.home import DemoHome
from app.presentation.demo.programs import ProgramFailed, Programs
from app.presentation.demo.stack import free_port
from tests.support.processes import ChildProcess, is_running, wait_until

OWNER = """
import signal, sys
from pathlib import Path
from app.presentation.demo.programs import Programs
print(Programs(Path(sys.argv[1])).start("child", "http.server", "--bind", "127.0.0.1", "0").pid, flush=True)
signal.pause()
"""


async def test_a_child_that_ends_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    programs.start("child", "no_such_module")
    with pytest.raises(ProgramFailed, match=r"child ended with status 1; .*child\.log:\n.*no_such_module"):
        await programs.until(lambda: False, "the impossible", 30)
    await programs.stop()


async def test_what_does_not_come_about_in_time_is_said_with_the_place_of_the_logs(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    with pytest.raises(
        ProgramFailed, match=f"the impossible did not come about within 0 s; logs: {tmp_path}"
    ):
        await programs.until(lambda: False, "the impossible", 0)


async def test_children_are_stopped_and_killed_when_they_do_not_stop(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    started = [programs.start(name, "http.server", "--bind", "127.0.0.1", "0") for name in ("a", "b")]
    stubborn = started[1].pid
    os.kill(stubborn, signal.SIGSTOP)  # it cannot hear SIGTERM
    started[1].ask_to_stop()
    await started[1].gone(seconds=0.1)
    await programs.stop()
    assert not any(is_running(program.pid) for program in started)


def test_no_child_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    with ChildProcess.python("-c", OWNER, tmp_path) as owner:
        child = int(owner.wait_for_line(r"^\d+$")[0])
        assert is_running(child)
        owner.kill()
        wait_until(lambda: not is_running(child), what="the child's end")


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    home = DemoHome(tmp_path / "home")
    home.make()
    kept = home.secrets()
    assert DemoHome(tmp_path / "home").secrets() == kept
    assert (tmp_path / "home" / "demo" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert kept.vault_key not in repr(kept)
    assert kept.id_secret not in repr(kept)


def test_only_the_newest_runs_logs_are_kept(tmp_path: Path) -> None:
    home = DemoHome(tmp_path)
    home.make()
    runs = [home.new_run() for _ in range(14)]
    assert len({name for name, _ in runs}) == 14
    assert sum(folder.exists() for _, folder in runs) == 10
    assert runs[-1][1].is_dir()


def test_a_taken_port_is_exchanged_for_a_free_one() -> None:
    free = free_port(0)
    assert free_port(free) == free
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free))
        taken.listen()
        assert free_port(free) not in {0, free}
