"""Which files there are: what git tracks or would track, or every file below the root where there is no git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from tools.tidy.source import Source

ROOT: Final = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "build", "dist", "htmlcov"})
BYTES_MAX: Final = 2_000_000


def sources_under(root: Path) -> list[Source]:
    """Every text file of the tree, by path. Files that are binary, huge or gone meanwhile are left out."""
    found: list[Source] = []
    for path in sorted(_tracked(root) or _walked(root)):
        file = root / path
        try:
            if file.is_symlink() or not file.is_file() or file.stat().st_size > BYTES_MAX:
                continue
            found.append(Source(path, file.read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return found


def _tracked(root: Path) -> set[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except FileNotFoundError:  # no git here, as in an unpacked archive
        return set()
    return {path for path in answer.stdout.decode().split("\0") if path}


def _walked(root: Path) -> set[str]:
    found: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith(".")]
        found.update((Path(folder) / name).relative_to(root).as_posix() for name in files)
    return found
