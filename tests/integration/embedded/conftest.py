"""A home for embedded servers, and programs that own them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.infrastructure.embedded.folders import discard_home
from tests.support.processes import ROOT, ChildProcess, is_running, wait_until

OWNER = Path(__file__).with_name("owner.py")


class Owner(ChildProcess):
    """A program that runs both servers; `told` is what it said of them."""

    told: dict[str, Any]

    @property
    def server_pids(self) -> list[int]:
        """PostgreSQL, its supervisor, Valkey, its supervisor."""
        return list(self.told["pids"])

    def kill_everything(self) -> None:
        """SIGKILL the program, its supervisors and the servers: a power cut without the loss of the disk's cache."""
        for pid in (self.pid, *self.server_pids):
            os.kill(pid, signal.SIGKILL)
        self.kill()
        self.wait_for_servers_end()

    def wait_for_servers_end(self, seconds: float = 20.0) -> None:
        wait_until(
            lambda: not any(is_running(pid) for pid in self.server_pids), seconds, what="the servers' end"
        )


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home in a folder that every account may pass through."""
    parent = Path(tempfile.mkdtemp(prefix="copytrade-embedded-"))
    parent.chmod(0o711)
    yield parent / "home"
    discard_home(parent / "home")
    shutil.rmtree(parent)


@pytest.fixture
def start_owner(home: Path) -> Iterator[Callable[..., Owner]]:
    """Starts owners of `home`; all are killed at the end, and their servers have ended before the home is removed."""
    with ExitStack() as children:
        started: list[Owner] = []

        def start(*, durable: bool = False, uid: int | None = None, python: str = sys.executable) -> Owner:
            options = ["durable" if durable else "throw-away", "" if uid is None else str(uid)]
            owner = children.enter_context(
                Owner(
                    [python, "-m", "tests.integration.embedded.owner", home, *options],
                    env={"PYTHONPATH": os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))},
                )
            )
            owner.told = json.loads(owner.wait_for_line(r"^\{.*\}$", 60).group())
            started.append(owner)
            return owner

        yield start
        for owner in started:
            owner.kill()
            if "pids" in owner.told:
                owner.wait_for_servers_end()
