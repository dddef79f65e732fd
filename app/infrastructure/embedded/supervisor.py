"""Keeps one server process and lets it not outlive its owner. Run as a program; imports nothing of this package.

Why a process between: a parent-death signal is tied to the *thread* that forked, and nothing else tells a server that
its owner was killed. This process has one thread for ever, notices the owner's end, and asks the server to stop cleanly.

stdin: one JSON line, the keys of `Spec`, then nothing; its end of file means that the owner is gone.
stdout: one JSON line, `{"pid": int}` or `{"error": str}`. Exit code: the server's own.
An inherited lock file descriptor is simply held until the end.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TypedDict

OWNER_CHECK_SECONDS = 0.5  # the lifeline tells at once, unless a forked child of the owner still holds it
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Spec(TypedDict):
    """What to run: `stop` is a list of (signal number, seconds to wait after it), mildest first."""

    argv: list[str]
    env: dict[str, str]
    input: str
    log: str
    owner: int
    uid: int | None
    gid: int | None
    stop: list[tuple[int, float]]


class Supervisor:
    """One server, its owner's lifeline and the signals that end both."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._server: subprocess.Popen[bytes] | None = None
        self._asked_to_stop = False
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)

    def run(self) -> int:
        """Start the server, tell its pid, wait for its end or for a reason to end it; return its exit code."""
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGINT, signal.SIGHUP):  # the owner decides when a terminal says "end"
            signal.signal(ignored, signal.SIG_IGN)
        try:
            self._server = self._spawn()
        except OSError as error:
            tell({"error": f"{self._spec['argv'][0]}: {error.strerror}"})
            return 127
        tell({"pid": self._server.pid})
        while self._server.poll() is None and not self._asked_to_stop and self._owner_lives():
            self._sleep(OWNER_CHECK_SECONDS, lifeline=True)
        return self._stop(self._server)

    def _spawn(self) -> subprocess.Popen[bytes]:
        death_signal = self._spec["stop"][0][0]
        me = os.getpid()
        libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

        def die_with_me() -> None:
            signal.set_wakeup_fd(-1)
            for restored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(restored, signal.SIG_DFL)
            if libc is not None:  # after the change of user, which would clear it
                libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
                if os.getppid() != me:
                    os._exit(1)

        with open(self._spec["log"], "ab") as log:  # noqa: PTH123 - pathlib costs start-up time here
            server = subprocess.Popen(
                self._spec["argv"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._spec["env"],
                preexec_fn=die_with_me,  # noqa: PLW1509 - safe: this process has one thread
                user=self._spec["uid"],
                group=self._spec["gid"],
                extra_groups=None if self._spec["uid"] is None else [],
            )
        stdin = server.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended already: the loop sees that
                stdin.write(self._spec["input"].encode())
                stdin.close()
        return server

    def _on_stop(self, *_: object) -> None:
        self._asked_to_stop = True

    def _owner_lives(self) -> bool:
        return os.getppid() == self._spec["owner"]

    def _sleep(self, seconds: float, *, lifeline: bool) -> None:
        """Wait for a signal, the owner's end (if `lifeline`) or the time, whichever is first."""
        watched = [self._wake_reader, 0] if lifeline else [self._wake_reader]
        readable, _, _ = select.select(watched, [], [], seconds)
        if self._wake_reader in readable:
            os.read(self._wake_reader, 4096)
        if 0 in readable and not os.read(0, 4096):
            self._asked_to_stop = True

    def _stop(self, server: subprocess.Popen[bytes]) -> int:
        for number, seconds in self._spec["stop"]:
            if server.poll() is not None:
                break
            server.send_signal(number)
            deadline = time.monotonic() + seconds
            while server.poll() is None and (left := deadline - time.monotonic()) > 0:
                self._sleep(left, lifeline=False)
        return server.wait()


def tell(message: dict[str, object]) -> None:
    """Write one line to the owner, who may be gone."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(message).encode() + b"\n")


def main() -> int:
    spec: Spec = json.loads(sys.stdin.buffer.readline())
    return Supervisor(spec).run()


if __name__ == "__main__":
    sys.exit(main())
