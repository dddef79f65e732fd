"""The embedded servers as entry points see them: start what no address was given for, stop what was started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.infrastructure.embedded.folders import ServerFolder
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.processes import EmbeddedServerError
from app.infrastructure.embedded.server import EmbeddedServer
from app.infrastructure.embedded.valkey import EmbeddedValkey


class ServersUnavailable(RuntimeError):
    """A server could not be started; `code` is stable, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two servers are; both hold a password."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)


class LocalServers:
    """PostgreSQL and Valkey under one home folder; a given address is used as it is and its server left alone."""

    def __init__(self, home: Path, *, database_url: str | None, redis_url: str | None) -> None:
        self._home = home
        self._given = (database_url, redis_url)
        self._running: list[EmbeddedServer] = []

    def start(self) -> Addresses:
        """Start what is missing and wait until it serves (blocking); raises ServersUnavailable."""
        try:
            database_url, redis_url = self._given
            return Addresses(
                database_url or self._run(EmbeddedPostgres(self._home)),
                redis_url or self._run(EmbeddedValkey(self._home)),
            )
        except EmbeddedServerError as error:
            self.stop()
            raise ServersUnavailable(error.code, str(error)) from error
        except OSError as error:
            self.stop()
            raise ServersUnavailable("embedded.folder", f"{self._home}: {error.strerror}.") from error

    def stop(self) -> None:
        """Stop what was started, the last one first; safe to call twice."""
        while self._running:
            self._running.pop().stop()

    def logs(self) -> tuple[Path, ...]:
        """Return the log files of the servers that were started."""
        return tuple(ServerFolder(self._home.absolute(), server.name).log for server in self._running)

    def _run(self, server: EmbeddedServer) -> str:
        self._running.append(server)
        return server.start()
