"""Renew poetry.lock and the requirements files made from it: `python -m tools.lock [--upgrade]`.

Poetry runs in an environment of its own, `.venv/poetry`, so that nothing of it is among what is locked. It asks the package
index that pip is set to, through the mirror plugin: Poetry's own default needs an interface that mirrors often lack, and a
source in pyproject.toml would be written into every entry of the lock.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

from tools.check_requirements import ROOT, complaints

POETRY = ROOT / ".venv" / "poetry"
POETRY_REQUIREMENTS = ("poetry>=2.5,<3", "poetry-plugin-export>=1.10,<2", "poetry-plugin-pypi-mirror>=0.6,<1")
EXPORTS = {"requirements.txt": (), "requirements-dev.txt": ("--with", "dev")}
DESCRIPTION_WITH_HOST = re.compile(r'^description = ".*\b[\w-]+\.(org|com|net|io)\b.*"$', re.MULTILINE)
PIP_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.lock", description="Renew the lock and its exports."
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows"
    )
    upgrade: bool = parser.parse_args().upgrade
    poetry = poetry_program()
    run([poetry, "lock", "--no-interaction", *(["--regenerate"] if upgrade else [])])
    drop_hosts(ROOT / "poetry.lock")
    run([poetry, "check", "--lock", "--no-interaction"])
    for name, options in EXPORTS.items():
        run(
            [poetry, "export", "--no-interaction", "--format", "requirements.txt", "--output", name, *options]
        )
        drop_options(ROOT / name)
    found = complaints(ROOT)
    print("\n".join(found) or "poetry.lock, requirements.txt and requirements-dev.txt agree")
    return bool(found)


def poetry_program() -> str:
    """Poetry with its plugins, installed at the first call."""
    program = POETRY / "bin" / "poetry"
    if not program.exists():
        venv.create(POETRY, with_pip=True, clear=True)
        run([str(POETRY / "bin" / "python"), "-m", "pip", "install", "--quiet", *POETRY_REQUIREMENTS])
    return str(program)


def package_index() -> str:
    """The address of the package index that pip is set to here."""
    pip = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    told = subprocess.run(pip, capture_output=True, text=True, check=False).stdout.strip()
    if not told:
        told = subprocess.run(
            [sys.executable, "-c", PIP_INDEX], capture_output=True, text=True, check=True
        ).stdout
    return os.environ.get("PIP_INDEX_URL") or told.strip()


def drop_options(exported: Path) -> None:
    """Leave requirements alone in the file: where they are fetched from is each machine's own affair."""
    lines = exported.read_text(encoding="utf-8").splitlines(keepends=True)
    exported.write_text(
        "".join(line for line in lines if not line.startswith("--")).lstrip("\n"), encoding="utf-8"
    )


def drop_hosts(lock: Path) -> None:
    """Empty the packages' descriptions that name a host: with none in the lock, one that matters is seen at once."""
    text = lock.read_text(encoding="utf-8")
    lock.write_text(DESCRIPTION_WITH_HOST.sub('description = ""', text), encoding="utf-8")


def run(command: list[str]) -> None:
    subprocess.run(
        command,
        cwd=ROOT,
        check=True,
        env={**os.environ, "POETRY_PYPI_MIRROR_URL": package_index(), "POETRY_VIRTUALENVS_CREATE": "false"},
    )


if __name__ == "__main__":
    sys.exit(main())
