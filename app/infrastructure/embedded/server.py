"""The life of an embedded server: what PostgreSQL and Valkey have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from app.infrastructure.embedded.binaries import Package, server_program
from app.infrastructure.embedded.folders import ServerFolder, ServerState
from app.infrastructure.embedded.processes import (
    Account,
    EmbeddedServerError,
    StopPlan,
    SupervisedServer,
    end_stale_server,
    free_port,
    server_account,
    wait_until,
)

START_SECONDS = 60.0  # recovery after a crash reads the log of everything since the last checkpoint
START_ATTEMPTS = 5


class EmbeddedServer(ABC):
    """A server over `home/<name>`, ours from start() to stop(); also a context manager.

    `durable`: what is committed survives a power cut. Otherwise the data is throw-away and several times faster.
    The data, the port and the password are kept from one start to the next. start() blocks for about a second the first
    time, a tenth of a second later; call it in a thread from asyncio.
    """

    name: str
    package: Package
    pid_file: str  # relative to the data folder
    stop_plan: StopPlan

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self._folder = ServerFolder(home.absolute(), self.name)
        self._durable = durable
        self._running: SupervisedServer | None = None
        self._url = ""

    def __repr__(self) -> str:
        state = f"pid {self._running.pid}" if self._running else "stopped"
        return f"{type(self).__name__}({str(self._folder.folder)!r}, {state})"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._running.pid if self._running else None

    @property
    def supervisor_pid(self) -> int | None:
        """The process id of its supervisor while it runs."""
        return self._running.supervisor_pid if self._running else None

    def start(self) -> str:
        """Start the server and wait until it serves; return its URL, password included. A second call returns it again.

        Raises EmbeddedServerError: embedded.in_use, .missing, .unusable, .not_ours, .no_account, .wrong_version,
        .state_damaged, .start_failed.
        """
        if self._running is not None:
            if self._running.is_alive():
                return self._url
            self.stop()  # it died under us: start afresh
        folder = self._folder
        folder.make()
        with folder.locked() as lock:
            account = server_account(folder.data_owner())
            program = server_program(self.package, account)
            data = folder.data(account)
            state = folder.load()
            end_stale_server(data / self.pid_file, data, program, self.stop_plan)
            self._create(program, data, account, state)
            for attempt in range(1, START_ATTEMPTS + 1):
                state.port = free_port(state.port)
                folder.save(state)
                failure = self._launch(program, data, account, state, lock)
                if failure is None:
                    self._url = self._address(state)
                    return self._url
                if attempt == START_ATTEMPTS or not self._passes(failure):
                    raise EmbeddedServerError(
                        "embedded.start_failed",
                        f"{self.name} did not start; the end of {folder.log}:\n"
                        + failure.replace(state.password, "***"),
                    )
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stop(self) -> None:
        """Stop the server cleanly and wait until it is gone. Safe to call twice, or before start()."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(
        self, program: Path, data: Path, account: Account | None, state: ServerState, lock: int
    ) -> str | None:
        """One attempt: None when the server serves, else what it wrote last."""
        written = self._folder.log.stat().st_size
        argv, stdin = self._command(program, data, state)
        server = SupervisedServer(
            argv, stdin=stdin, log=self._folder.log, lock=lock, account=account, stop=self.stop_plan
        )
        try:
            wait_until(lambda: not server.is_alive() or self._serves(data, state, server.pid), START_SECONDS)
            if server.is_alive() and self._serves(data, state, server.pid):
                self._running = server
                return None
        except BaseException:
            server.stop()
            raise
        server.stop()
        with self._folder.log.open("rb") as log:
            log.seek(written)
            return log.read()[-2000:].decode(errors="replace")

    @abstractmethod
    def _create(self, program: Path, data: Path, account: Account | None, state: ServerState) -> None:
        """Make the data folder if there is none; all or nothing."""

    @abstractmethod
    def _command(self, program: Path, data: Path, state: ServerState) -> tuple[list[str], str]:
        """The command line, without a secret, and what goes to its standard input."""

    @abstractmethod
    def _serves(self, data: Path, state: ServerState, pid: int) -> bool:
        """Whether the server of that pid answers."""

    @abstractmethod
    def _passes(self, failure: str) -> bool:
        """Whether another attempt may succeed."""

    @abstractmethod
    def _address(self, state: ServerState) -> str:
        """The URL that clients use."""
