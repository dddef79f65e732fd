"""A child program under test: its output by lines, its end in every way, and nothing left of it afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 0.01
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def wait_until(condition: Callable[[], bool], seconds: float = 30.0, *, what: str = "the condition") -> None:
    """Poll until `condition` holds; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        pause.wait(POLL_SECONDS)


def is_running(pid: int) -> bool:
    """Whether `pid` exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it ended before or while the file was read
        return not Path("/proc/self").exists()


class ChildProcess:
    """A program in its own process group, as a context manager: at the block's end the group is killed and reaped.

    Standard output and error come as one, line by line. The child dies with the test run, even if that is killed.
    """

    def __init__(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        """`env` is added to this process's environment."""
        self.argv = [str(part) for part in argv]
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._closed = False
        self._process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
        )
        self._reader = threading.Thread(target=self._collect, name=f"output of {self.pid}", daemon=True)
        self._reader.start()

    @classmethod
    def python(cls, *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Self:
        """The child `python *arguments`, by this interpreter and with the project importable."""
        return cls([sys.executable, *arguments], env={"PYTHONPATH": str(ROOT), **(env or {})}, cwd=cwd)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """All that it has written up to now."""
        with self._changed:
            return "".join(self._lines)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_for_line(self, pattern: str, seconds: float = 30.0) -> re.Match[str]:
        """The first line, past or to come, in which the regular expression is found."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if found := re.search(pattern, line):
                        return found
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    why = "its output ended" if self._closed else f"{seconds} s passed"
                    raise AssertionError(f"no line like {pattern!r}, {why}: {self._told()}")
                self._changed.wait(left)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code (negative: the signal that ended it), once it has ended and its output is complete."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self._told()}") from None
        self._reader.join(seconds)
        return code

    def terminate(self, seconds: float = 30.0) -> int:
        """SIGTERM, then wait()."""
        self._process.terminate()
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL its whole group, as the kernel's memory killer or an operator would, and reap it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._reader.join(5)
        if error is not None:
            error.add_note(f"output of {' '.join(self.argv)}:\n{self.output[-8000:]}")

    def _told(self) -> str:
        return f"{' '.join(self.argv)} (exit code {self._process.poll()})\n{''.join(self._lines)[-8000:]}"

    def _collect(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
