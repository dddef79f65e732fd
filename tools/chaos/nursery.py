"""The rehearsal's side of the fork server: children are asked for, awaited, continued and killed here."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
_READY_S: Final = 60.0


@dataclass(eq=False)
class Child:
    """One forked worker, feed or crowd of people: the trap that it was born with, and what became of it."""

    pid: int
    role: str
    trap: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    point: str = ""
    action: str = ""
    status: int | None = None
    done: list[Mapping[str, Any]] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal unless it is dead; only its own process is meant, never a group."""
        if not self.dead.is_set():
            os.kill(self.pid, number)


class Nursery:
    """Children of one fork server; leaving kills all that are left."""

    def __init__(self, env: Mapping[str, str], logs: Path) -> None:
        self._env = dict(env)
        self._logs = logs
        self._children: dict[int, Child] = {}
        self._asked: list[tuple[str, str, asyncio.Future[Child]]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tools.chaos.zygote",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read(), name="fork server")
        self.tell_env({})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        for child in self.living():
            child.signal(signal.SIGKILL)
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    def tell_env(self, more: Mapping[str, str]) -> None:
        """Set the environment of the children to come."""
        self._env.update(more)
        self._write({"env": self._env})

    async def born(
        self, role: str, trap: str = "", *, short: bool = True, work: Sequence[Mapping[str, Any]] = ()
    ) -> Child:
        """Return a new child that serves; `short` shortens the waits of production. One that dies at once is returned dead.

        `work` is what a child of that role is to do in turn; each result is appended to the child's `done`.
        """
        made: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._asked.append((role, trap, made))
        log = str(self._logs / f"{role}.log")
        self._write({"role": role, "trap": trap, "short": short, "log": log, "work": list(work)})
        child = await made
        first = [asyncio.create_task(event.wait()) for event in (child.ready, child.dead)]
        try:
            await asyncio.wait(first, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in first:
                task.cancel()
        if not child.ready.is_set() and not child.dead.is_set():
            child.signal(signal.SIGKILL)
            raise AssertionError(f"a {role} did not serve within {_READY_S} s; see {self._logs}")
        return child

    def living(self) -> list[Child]:
        """Return the children that were not seen dead."""
        return [child for child in self._children.values() if not child.dead.is_set()]

    async def kill_all(self) -> None:
        """SIGKILL every living child and wait until it is gone."""
        for child in (living := self.living()):
            child.signal(signal.SIGKILL)
        await asyncio.gather(*(child.dead.wait() for child in living))

    def _write(self, order: Mapping[str, object]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(json.loads(line))
        for _, _, made in self._asked:
            made.set_exception(AssertionError("the fork server ended"))

    def _hear(self, told: dict[str, Any]) -> None:
        if told["event"] == "born":
            role, trap, made = self._asked.pop(0)
            child = self._children.setdefault(told["pid"], Child(told["pid"], role, trap))
            child.role, child.trap = role, trap
            if not made.done():
                made.set_result(child)
            return
        # A child may speak before the server has said that it was born.
        child = self._children.setdefault(told["pid"], Child(told["pid"], "", ""))
        if told["event"] == "ready":
            child.ready.set()
        elif told["event"] == "struck":
            child.point = told["point"]
            child.action = told["action"]
            child.struck.set()
        elif told["event"] == "done":
            child.done.append(told["result"])
        else:
            child.status = told["status"]
            child.dead.set()
            del self._children[told["pid"]]
