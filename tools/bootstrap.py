"""Make the environment `.venv` and keep it at the locked versions: `python3 tools/bootstrap.py [--is-ready]`.

Runs under a bare Python 3.11 to 3.13 with only the standard library. A stamp in `.venv` holds the hash of what it was made
from, so a second call does nothing. `--is-ready` only tells, by its exit code, whether there is nothing to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".made-from"
REQUIREMENTS = ROOT / "requirements-dev.txt"
OLDEST, NEWEST = (3, 11), (3, 13)


def main() -> int:
    if "--is-ready" in sys.argv[1:]:
        return 0 if is_ready() else 1
    VENV.mkdir(exist_ok=True)
    with (VENV / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two terminals may call make at once
        if is_ready():
            return 0
        return make()


def is_ready() -> bool:
    """Whether `.venv` works and was made from the present requirements, here."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="ascii") == fingerprint()


def fingerprint() -> str:
    """What decides whether the environment is the right one: the pins, what the project installs, and where it lies."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (REQUIREMENTS, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make() -> int:
    print(
        f"Setting up .venv with Python {sys.version.split()[0]} (about a minute the first time)", flush=True
    )
    if not usable():
        if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
            minor = ".".join(map(str, sys.version_info[:2]))
            print(
                f"The venv module is missing. On Debian and Ubuntu: sudo apt-get install -y python{minor}-venv"
            )
            return 1
        STAMP.unlink(missing_ok=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *cache_options(), "install", "--quiet"]
    for what in (
        ["--require-hashes", "--requirement", str(REQUIREMENTS)],
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    ):
        done = subprocess.run([*pip, *what], cwd=ROOT, check=False)
        if done.returncode:
            print(
                f"pip failed with exit code {done.returncode}; its reason is above. `make setup` tries again."
            )
            return 1
    STAMP.write_text(fingerprint(), encoding="ascii")
    return 0


def usable() -> bool:
    """Whether `.venv` holds a working Python of a version that the project supports."""
    if not PYTHON.exists():
        return False
    ask = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    return subprocess.run([str(PYTHON), "-c", ask], capture_output=True, check=False).returncode == 0


def cache_options() -> list[str]:
    """Without a home folder that can be written there is no cache; pip would warn about it at length."""
    cache = Path(
        os.environ.get("PIP_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    )
    while not cache.exists():
        cache = cache.parent
    return [] if os.access(cache, os.W_OK) and cache.stat().st_uid == os.geteuid() else ["--no-cache-dir"]


if __name__ == "__main__":
    sys.exit(main())
