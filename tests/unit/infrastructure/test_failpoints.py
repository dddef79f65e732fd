"""Failpoints: what a trap does, when it strikes, and that an unarmed process never notices one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.infrastructure import failpoints
from app.infrastructure.failpoints import VARIABLE, PointFailed, Trap, arm, commit_point, failpoint
from tests.support.processes import ROOT, ChildProcess, wait_until


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def test_an_unarmed_point_does_nothing() -> None:
    failpoint("copy.commit.before")
    commit_point("before")


def test_a_trap_strikes_when_its_count_is_reached_and_then_never_again() -> None:
    arm("copy.commit.before:3:raise", lambda *_: None)
    failpoint("copy.commit.before")
    failpoint("copy.commit.after")
    failpoint("copy.commit.before")
    with pytest.raises(PointFailed, match=r"copy\.commit\.before"):
        failpoint("copy.commit.before")
    failpoint("copy.commit.before")


@pytest.mark.parametrize("wanted", ["*", "copy.*", "copy.commit.before"])
def test_a_trap_may_mean_a_family_of_points(wanted: str) -> None:
    arm(f"{wanted}:1:raise", lambda *_: None)
    with pytest.raises(PointFailed):
        failpoint("copy.commit.before")


def test_of_several_traps_the_first_to_strike_ends_all() -> None:
    told: list[str] = []
    arm("a:1:raise|b:1:raise", lambda point, action: told.append(f"{action} {point}"))
    with pytest.raises(PointFailed):
        failpoint("b")
    failpoint("a")
    assert told == ["raise b"]


@pytest.mark.parametrize(
    "spec", ["a", "a:1", "a:0:kill", "a:x:kill", ":1:kill", "a:1:burn", "a:1:kill:x", "a:1:kill:1:1"]
)
def test_what_is_no_trap_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Trap.read(spec)


def test_the_use_case_gives_its_commit_the_name() -> None:
    """The function is made as if it stood in a module of the application: its globals say where it is."""
    space: dict[str, Any] = {
        "__name__": "app.application.signals.ingest",
        "commit": lambda: commit_point("before"),
    }
    exec("def take():\n    commit()", space)
    arm("signals.ingest.take.commit.before:1:raise", lambda *_: None)
    with pytest.raises(PointFailed, match=r"signals\.ingest\.take\.commit\.before"):
        space["take"]()


def program(end: str = "") -> list[str]:
    code = (
        "from app.infrastructure.failpoints import failpoint\nfailpoint('x')\nprint('passed', flush=True)\n"
    )
    return [sys.executable, "-c", code + end]


def test_the_environment_arms_a_process_and_sigkill_leaves_it_no_last_word() -> None:
    done = subprocess.run(
        program(),
        env={**os.environ, VARIABLE: "x:1:kill"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (done.stdout, done.stderr) == ("", "failpoint struck: kill at x\n")


def test_a_late_kill_cuts_off_what_was_begun_at_the_point() -> None:
    with ChildProcess(
        program("import threading\nthreading.Event().wait()"),
        env={VARIABLE: "x:1:kill:1"},
    ) as child:
        child.wait_for_line("passed|struck")
        assert child.wait() == -signal.SIGKILL


def test_a_stopped_process_goes_on_when_it_is_continued() -> None:
    with ChildProcess(program(), env={VARIABLE: "x:1:stop"}) as child:
        child.wait_for_line("struck: stop at x")
        wait_until(lambda: state_of(child.pid) == "T", what="a stopped process")
        assert "passed" not in child.output
        child.send_signal(signal.SIGCONT)
        assert child.wait() == 0
        assert "passed" in child.output


def state_of(pid: int) -> str:
    """T where the kernel has stopped it (Linux)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def test_nothing_is_armed_here() -> None:
    assert failpoints._Board.traps == ()
