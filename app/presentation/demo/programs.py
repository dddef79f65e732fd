"""The demo's child programs: started with their output in a file, stopped in order, never outliving the demo."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess  # starting our own programs is what this does
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_POLL_S: Final = 0.02
_STOP_S: Final = 15.0
_TAIL: Final = 1500


class ProgramFailed(RuntimeError):
    """A child program ended or did not come up; the text names its log."""


class Program:
    """One child, `python -m ...`, in a session of its own: a terminal's Ctrl-C reaches the demo alone."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and fixed words
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # one system call, no lock is taken
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise ProgramFailed if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise ProgramFailed(
                f"{self.name} ended with status {code}; the end of {self.log}:\n{self.tail()}"
            )

    def tail(self) -> str:
        """Return the end of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace").strip()
        return ""

    def ask_to_stop(self) -> None:
        """Send SIGTERM, if it runs."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    async def gone(self, seconds: float = _STOP_S) -> None:
        """Wait until it has ended; by force after `seconds`."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                self.kill()
            await asyncio.sleep(_POLL_S)

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Programs:
    """All children: logs in one folder, stopped in the reverse order of their start."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._all: list[Program] = []

    def start(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Program:
        """Start `python -m <arguments>` and return it."""
        program = Program(name, arguments, self.logs / f"{name}.log", os.environ if env is None else env)
        self._all.append(program)
        return program

    def check(self) -> None:
        """Raise ProgramFailed if any has ended."""
        for program in self._all:
            program.check()

    async def stop(self) -> None:
        """Stop all; the exchange (started first) last, so that nobody meets a closed door."""
        if not self._all:
            return
        first, *others = self._all
        for program in others:
            program.ask_to_stop()
        await asyncio.gather(*(program.gone() for program in others))
        first.ask_to_stop()
        await first.gone()
        self._all.clear()

    def kill(self) -> None:
        """End all at once."""
        for program in self._all:
            program.kill()

    async def until(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait until `ready`; raises ProgramFailed when a child ends or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{what} did not come about within {seconds:.0f} s; logs: {self.logs}")
            await asyncio.sleep(_POLL_S)


def listening(program: Program) -> int | None:
    """Return the port that the exchange said it listens on, None before it did."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        line = program.log.read_text(encoding="utf-8").splitlines()[0]
        return int(json.loads(line)["port"])
    return None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
