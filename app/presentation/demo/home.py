"""The demo's folder: secrets made once and kept, one folder of logs for each run."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_KEEP_RUNS: Final = 10


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not change between runs, or sealed keys would not open and ids would not be the same."""

    vault_key: str = field(repr=False)
    id_secret: str = field(repr=False)


class DemoHome:
    """Files under `<home>/demo`; the servers' own folders lie beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._folder = self.home / "demo"

    def make(self) -> None:
        """Create the folders; a new home gets a .gitignore, so that nobody commits it by accident."""
        if not self.home.exists():
            self.home.mkdir(parents=True, mode=0o755)
            (self.home / ".gitignore").write_text("*\n", encoding="ascii")
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def secrets(self) -> Secrets:
        """Return the secrets, making them the first time; the file is its owner's alone from its first byte on."""
        file = self._folder / "secrets.json"
        if not file.exists():
            made = {
                "vault_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "id_secret": secrets.token_urlsafe(32),
            }
            new = file.with_suffix(".new")
            new.unlink(missing_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as output:
                json.dump(made, output)
            new.replace(file)
        kept = json.loads(file.read_text(encoding="ascii"))
        return Secrets(kept["vault_key"], kept["id_secret"])

    def new_run(self) -> tuple[str, Path]:
        """Return a new run's name and its log folder; the oldest runs' logs are removed."""
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        for old in sorted(path for path in logs.iterdir() if path.is_dir())[: -_KEEP_RUNS + 1]:
            shutil.rmtree(old, ignore_errors=True)
        name = f"{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        (logs / name).mkdir()
        return name, logs / name
