"""Processes as the embedded servers need them: under which account, started by the supervisor, known again by pid, stopped.

Invariant: a server started here ends with the process that started it, also when that is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
SPAWN_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.01

StopPlan = Sequence[tuple[signal.Signals, float]]


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be had; `code` is stable, the text says what to do. Never holds a password."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's user that a server runs as."""

    name: str
    uid: int
    gid: int


def server_account(owner_uid: int | None = None) -> Account | None:
    """The account to drop to, or None to run as we are.

    Only root drops: PostgreSQL refuses to run as root. `owner_uid` is the owner of existing data, who goes first.
    """
    if os.geteuid() != 0:
        return None
    if owner_uid:
        try:
            entry = pwd.getpwuid(owner_uid)
        except KeyError:
            pass  # the folder's owner was removed from the system: take one that initdb will accept
        else:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "embedded.no_account",
        "PostgreSQL does not run as root and there is neither a 'postgres' nor a 'nobody' user: "
        "start this program as an ordinary user, or set DATABASE_URL to a server of your own.",
    )


def run_as(
    account: Account | None, argv: Sequence[str], *, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as `account`; the caller judges the return code."""
    return subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )


def free_port(wanted: int | None = None) -> int:
    """`wanted` if no one listens there, else a free port of 127.0.0.1."""
    for port in (wanted or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedServerError("embedded.no_port", "No free TCP port on 127.0.0.1.")


def birth(pid: int) -> str:
    """A mark that changes when `pid` is given to another process; empty where the system does not tell or it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # starttime, field 22 of proc(5)


def is_running(pid: int) -> bool:
    """Whether a process `pid` exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return not Path("/proc/self").exists()
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def processes_over(data: Path, pid: int, binary: Path) -> set[int]:
    """The living processes of a server over `data`, of which `pid` may be the first: all make it their working folder.

    Where there is no /proc, only `pid` is looked at, by its program.
    """
    if not Path("/proc/self").exists():
        shown = run_as(None, ["ps", "-o", "command=", "-p", str(pid)])
        return {pid} if shown.stdout.startswith(str(binary)) else set()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or is another user's; a zombie has no folder
            if (process / "cwd").readlink() == data:
                found.add(int(process.name))
    return found


def end_stale_server(pid_file: Path, data: Path, binary: Path, stop: StopPlan) -> None:
    """Stop what an earlier owner, killed, left running over `data`, and remove a pid file that means nothing.

    Only to be called while the folder's lock is held: then no living owner can be using that server. The file is removed
    because PostgreSQL takes any process of that pid, a stranger or a zombie, for a rival; but never while one of the dead
    server's sessions lives, which PostgreSQL could then no longer tell.
    """
    try:
        pid = abs(int(pid_file.read_text(encoding="ascii").split()[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return
    for number, seconds in stop:
        if pid not in processes_over(data, pid, binary):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        wait_until(lambda: pid not in processes_over(data, pid, binary), seconds)
    if wait_until(lambda: not processes_over(data, pid, binary), SPAWN_SECONDS):
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # PostgreSQL sees for itself that it is gone
            os.kill(pid, 0)
            pid_file.unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until `condition` holds; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class SupervisedServer:
    """A running server with its supervisor. Only the process that started it can stop it; a forked child cannot."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stdin: str,
        log: Path,
        lock: int,
        account: Account | None,
        stop: StopPlan,
    ) -> None:
        """Start it; `lock` is a file descriptor that stays open as long as the server lives. Raises `embedded.start_failed`."""
        self._owner = os.getpid()
        self._stop_seconds = sum(seconds for _, seconds in stop) + SPAWN_SECONDS
        spec = {
            "argv": list(argv),
            "env": ENVIRONMENT,
            "input": stdin,
            "log": str(log),
            "owner": self._owner,
            "uid": None if account is None else account.uid,
            "gid": None if account is None else account.gid,
            "stop": [(int(number), seconds) for number, seconds in stop],
        }
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # nothing is left in a buffer for a closed pipe to complain of
            cwd="/",
            pass_fds=(lock,),
            start_new_session=True,  # a Ctrl-C is for the program, which then stops its servers in order
        )
        try:
            self.pid = self._handshake(json.dumps(spec).encode() + b"\n")
        except BaseException:
            self.stop()
            raise

    @property
    def supervisor_pid(self) -> int:
        return self._supervisor.pid

    def _handshake(self, spec: bytes) -> int:
        to_it, from_it = self._supervisor.stdin, self._supervisor.stdout
        if to_it is None or from_it is None:
            raise EmbeddedServerError("embedded.start_failed", "The supervisor has no pipes.")
        with contextlib.suppress(BrokenPipeError):  # it died: the empty answer below says so
            to_it.write(spec)
        ready, _, _ = select.select([from_it], [], [], SPAWN_SECONDS)
        answer = json.loads(from_it.readline() or b"{}") if ready else {}
        if "pid" not in answer:
            reason = answer.get("error", "its supervisor gave no answer")
            raise EmbeddedServerError("embedded.start_failed", f"The server could not be started: {reason}.")
        return int(answer["pid"])

    def is_alive(self) -> bool:
        return self._supervisor.poll() is None

    def stop(self) -> None:
        """Stop the server in its cleanest way and wait until it is gone. Safe to call twice."""
        if os.getpid() != self._owner:
            return
        if self._supervisor.poll() is None:
            self._supervisor.terminate()
        try:
            self._supervisor.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()  # the server follows by its parent-death signal
            self._supervisor.wait()
        for pipe in (self._supervisor.stdin, self._supervisor.stdout):
            if pipe is not None:
                pipe.close()
