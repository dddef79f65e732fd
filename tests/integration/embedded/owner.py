"""Starts the embedded servers over the home given, says in one JSON line where they are, and lives until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.processes import EmbeddedServerError
from app.infrastructure.embedded.valkey import EmbeddedValkey


def main(home: str, durable: str, user: str) -> None:
    if user:
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    postgres = EmbeddedPostgres(Path(home), durable=durable == "durable")
    valkey = EmbeddedValkey(Path(home), durable=durable == "durable")
    try:
        told: dict[str, object] = {"postgres": postgres.start(), "valkey": valkey.start()}
        told["pids"] = [postgres.pid, postgres.supervisor_pid, valkey.pid, valkey.supervisor_pid]
        told["repr"] = f"{postgres!r} {valkey!r} {vars(postgres)!r}"
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        signal.pause()
    except EmbeddedServerError as error:
        sys.stdout.write(json.dumps({"error": error.code, "message": str(error)}) + "\n")
    finally:
        postgres.stop()
        valkey.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
