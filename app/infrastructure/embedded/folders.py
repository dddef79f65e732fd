"""Where one embedded server keeps its data, its state (port and password) and its lock, under a home folder.

Invariants: one living owner per folder; the state file is readable by its owner alone; data that an unprivileged account
could not reach under `home` (a checkout in root's home, say) lies under `SHARED` instead, and `discard` finds it again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.infrastructure.embedded.processes import (
    POLL_SECONDS,
    Account,
    EmbeddedServerError,
    birth,
    is_running,
)

SHARED: Final = Path("/var/lib/copytrade")  # root's own: no one else can lay a trap there
SERVERS: Final = ("postgres", "valkey")
LOCK_SECONDS: Final = 30.0  # an earlier owner's supervisor may still be stopping its server
LOG_BYTES_MAX: Final = 10_000_000


@dataclass(slots=True)
class ServerState:
    """What outlives a restart: the port that clients may have noted, and the password."""

    port: int | None = None
    password: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """The files of one server (`name`) under `home`, both absolute."""

    home: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def _far_data(self) -> Path:
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        return SHARED / f"data-{self.name}-{digest}"

    def make(self) -> None:
        """Create the folder; the home gets a .gitignore so that no one commits a database by accident."""
        try:
            if not self.home.exists():
                self.home.mkdir(parents=True, mode=0o755)
                (self.home / ".gitignore").write_text("*\n", encoding="ascii")
                self._hand_over(self.home / ".gitignore")
            self.folder.mkdir(mode=0o755, exist_ok=True)
            self._hand_over(self.folder)
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
                self.log.replace(self.log.with_suffix(".log.1"))
            self.log.touch(mode=0o600)
            self._hand_over(self.log)
        except PermissionError as error:
            raise _not_writable(self.folder) from error

    def data_owner(self) -> int | None:
        """The uid that owns existing data, None when there is none yet."""
        for place in (self.folder / "data", self._far_data):
            try:
                return place.stat().st_uid
            except (FileNotFoundError, PermissionError):
                continue
        return None

    def data(self, account: Account | None) -> Path:
        """The data folder, which may not exist yet; its parent does and `account` can reach it."""
        near = self.folder.resolve() / "data"
        if account is None:
            if near.exists() and not os.access(near, os.R_OK | os.W_OK | os.X_OK):
                raise _not_writable(near)
            return near
        if reaches(account, self.folder):
            return near
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        return self._far_data

    def load(self) -> ServerState:
        """The state of the last run, or a fresh one with a new password (written at once, before any use)."""
        try:
            kept = json.loads(self._state_file.read_text(encoding="ascii"))
            return ServerState(port=kept["port"], password=kept["password"])
        except FileNotFoundError:
            state = ServerState()
            self.save(state)
            return state
        except PermissionError as error:
            raise _not_writable(self._state_file) from error
        except (ValueError, KeyError, TypeError) as error:
            raise EmbeddedServerError(
                "embedded.state_damaged",
                f"{self._state_file} cannot be read; without its password the data is closed. "
                "Restore it, or remove the folder with `make demo-clean`.",
            ) from error

    def save(self, state: ServerState) -> None:
        """Replace the state file as one step, 0600 from its first byte."""
        new = self._state_file.with_suffix(".new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump({"port": state.port, "password": state.password}, file)
            file.flush()
            os.fsync(file.fileno())
        self._hand_over(new)
        new.replace(self._state_file)

    @contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[int]:
        """Hold the folder's lock; the yielded file descriptor, inherited by a child, holds it on after the block.

        Raises `embedded.in_use` when another program that is alive uses the folder.
        """
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._hand_over(self.folder / "lock")
            deadline = time.monotonic() + seconds
            while not _try_lock(handle):
                holder = _living_holder(handle)
                if holder is not None or time.monotonic() > deadline:
                    who = f"process {holder}" if holder else "a server that is still stopping"
                    raise EmbeddedServerError(
                        "embedded.in_use",
                        f"{self.folder} is used by {who}: stop it first, or choose another COPYTRADE_HOME.",
                    )
                time.sleep(POLL_SECONDS)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()} {birth(os.getpid())}".encode(), 0)
            yield handle
        finally:
            os.close(handle)

    def discard(self) -> None:
        """Remove data, state and log for good. Raises `embedded.in_use` while a program uses them."""
        if not self.folder.is_dir():
            return
        with self.locked(seconds=LOCK_SECONDS):
            shutil.rmtree(self._far_data, ignore_errors=True)
            try:
                shutil.rmtree(self.folder)
            except PermissionError as error:
                raise _not_writable(self.folder) from error

    def _hand_over(self, path: Path) -> None:
        """Give what root makes to the home's owner, who may start the program without root next time."""
        if os.geteuid() == 0:
            owner = self.home.stat()
            os.chown(path, owner.st_uid, owner.st_gid)


def discard_home(home: Path) -> None:
    """Remove every embedded server's folder under `home`, and `home` itself when nothing else is in it."""
    for name in SERVERS:
        ServerFolder(home.absolute(), name).discard()
    if home.is_dir() and {entry.name for entry in home.iterdir()} <= {".gitignore"}:
        (home / ".gitignore").unlink(missing_ok=True)
        home.rmdir()


def reaches(account: Account, folder: Path) -> bool:
    """Whether `account` may pass through every folder down to and including `folder` (mode bits, no ACL)."""
    real = folder.resolve()
    for part in (real, *real.parents):
        found = part.stat()
        if found.st_uid == account.uid:
            wanted = stat.S_IXUSR
        elif found.st_gid == account.gid:
            wanted = stat.S_IXGRP
        else:
            wanted = stat.S_IXOTH
        if not found.st_mode & wanted:
            return False
    return True


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _living_holder(handle: int) -> int | None:
    """The pid that took the lock, if that very process lives; its supervisor holds on a little longer than it."""
    pid, _, born = os.pread(handle, 64, 0).decode("ascii", errors="replace").partition(" ")
    if pid.isdigit() and is_running(int(pid)) and birth(int(pid)) == born:
        return int(pid)
    return None


def _not_writable(path: Path) -> EmbeddedServerError:
    return EmbeddedServerError(
        "embedded.not_ours",
        f"{path} belongs to another user: run as that user, remove it with `make demo-clean` as that user, "
        "or choose another COPYTRADE_HOME.",
    )
