"""A fork server: everything is imported once, and each worker is a fork of it that can be killed for a few milliseconds.

Reads one JSON object a line: `{"env": {...}}` once, then `{"role", "trap", "log", "work"}` for each child. Writes one a
line: `born` with the pid, `ready` when the child serves, `done` with the result of each piece of work in turn, `struck` with
the point just before it strikes, `died` with the wait status.
It has no thread and no loop of its own, so that a fork is safe. It ends, with all its children, when its input ends.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
from typing import Any, Final

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from app.config.logging import configure_logging
from app.config.settings import load
from app.infrastructure import failpoints
from tools.chaos.loops import ROLES, shorten_waits

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_POLL_S: Final = 0.01
_PRELOADED: Final = (asyncpg, dialect)


def main() -> None:
    """Serve until the input ends."""
    gc.collect()
    gc.freeze()
    buffered = b""
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([0], [], [], _POLL_S)
        if readable:
            part = os.read(0, 65536)
            if not part:
                break
            *lines, buffered = (buffered + part).split(b"\n")
            for line in lines:
                _obey(json.loads(line), children)
        _bury(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def tell(**event: object) -> None:
    """Write one line at once: it must be out before the next step, which may be the last."""
    os.write(1, json.dumps({"pid": os.getpid(), **event}).encode() + b"\n")


def _obey(order: dict[str, Any], children: set[int]) -> None:
    if "env" in order:
        os.environ.update(order["env"])
        return
    pid = os.fork()
    if pid == 0:
        _be_child(order)
    children.add(pid)
    tell(event="born", pid=pid)


def _bury(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)
        tell(event="died", pid=pid, status=os.waitstatus_to_exitcode(status))


def _be_child(order: dict[str, Any]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def ready() -> None:
        tell(event="ready")
        failpoints.arm(order["trap"], lambda point, action: tell(event="struck", point=point, action=action))

    code = 1
    try:
        settings = load()
        configure_logging(level=settings.log_level, as_json=True, stream=sys.stderr)
        if order["short"]:
            shorten_waits()
        ROLES[order["role"]](settings, ready, order["work"], lambda result: tell(event="done", result=result))
        code = 0
    except BaseException as error:  # noqa: BLE001 - a fork never returns into its parent's loop
        print(repr(error), file=sys.stderr)
    os._exit(code)


if __name__ == "__main__":
    main()
