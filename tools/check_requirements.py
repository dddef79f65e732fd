"""Whether pyproject.toml, poetry.lock and the requirements files say the same: `python -m tools.check_requirements`.

Looked at: every dependency of pyproject.toml is locked at a version it allows; each requirements file has exactly the
locked packages of its groups, at the locked version, with exactly the locked hashes; no file names a package index.
Not looked at: environment markers, which Poetry rewrites when it exports.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]
FILES: Final[Mapping[str, frozenset[str]]] = {
    "requirements.txt": frozenset({"main"}),
    "requirements-dev.txt": frozenset({"main", "dev"}),
}
ADDRESS: Final = re.compile(
    r"^\s*(--(extra-)?index-url|--find-links|--trusted-host)|https?://|file://", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version, with the hashes of all files that may be installed."""

    version: str
    hashes: frozenset[str]


def main() -> int:
    found = complaints(ROOT)
    for line in found:
        print(line)
    return bool(found)


def complaints(root: Path) -> list[str]:
    """One line for each disagreement under `root`; empty when all agree."""
    missing = [name for name in ("pyproject.toml", "poetry.lock", *FILES) if not (root / name).is_file()]
    if missing:
        return [f"{name}: missing - `make lock` makes it" for name in missing]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((root / "poetry.lock").read_text(encoding="utf-8"))
    found = list(_unlocked(project, lock))
    for name, groups in FILES.items():
        text = (root / name).read_text(encoding="utf-8")
        found += [f"{name}: {line}" for line in _differences(locked(lock, groups), pinned(text))]
    for name in ("poetry.lock", *FILES):
        if address := ADDRESS.search((root / name).read_text(encoding="utf-8")):
            found.append(f"{name}: names a place to fetch from, {address.group().strip()!r}")
    return found


def locked(lock: Mapping[str, Any], groups: frozenset[str]) -> dict[str, Pin]:
    """The packages of a parsed poetry.lock that belong to any of `groups`, by normalised name."""
    return {
        canonicalize_name(package["name"]): Pin(
            package["version"], frozenset(file["hash"] for file in package["files"])
        )
        for package in lock["package"]
        if groups & set(package["groups"])
    }


def pinned(text: str) -> dict[str, Pin]:
    """The packages of a requirements file, by normalised name. Raises ValueError for a line that pins nothing."""
    pins: dict[str, Pin] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.lstrip().startswith("-"):
            raise ValueError(f"not pinned to one version: {line}")
        requirement = Requirement(line.partition(" --hash")[0])
        versions = [part.version for part in requirement.specifier if part.operator == "=="]
        if len(versions) != 1:
            raise ValueError(f"not pinned to one version: {line}")
        hashes = frozenset(re.findall(r"--hash=(\S+)", line))
        pins[canonicalize_name(requirement.name)] = Pin(versions[0], hashes)
    return pins


def _unlocked(project: Mapping[str, Any], lock: Mapping[str, Any]) -> Iterator[str]:
    everything = {canonicalize_name(package["name"]): package["version"] for package in lock["package"]}
    asked = list(project["project"]["dependencies"])
    for group in project.get("dependency-groups", {}).values():
        asked += [entry for entry in group if isinstance(entry, str)]
    for text in asked:
        requirement = Requirement(text)
        version = everything.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"poetry.lock: lacks {text!r} of pyproject.toml"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"poetry.lock: {requirement.name} {version} is not what pyproject.toml allows, {text!r}"


def _differences(lock: Mapping[str, Pin], file: Mapping[str, Pin]) -> Iterator[str]:
    for name in sorted(lock.keys() - file.keys()):
        yield f"lacks {name} {lock[name].version}"
    for name in sorted(file.keys() - lock.keys()):
        yield f"has {name}, which poetry.lock has not for its groups"
    for name in sorted(lock.keys() & file.keys()):
        if lock[name].version != file[name].version:
            yield f"{name} is {file[name].version}, poetry.lock has {lock[name].version}"
        elif lock[name].hashes != file[name].hashes:
            yield f"the hashes of {name} are not those of poetry.lock"


if __name__ == "__main__":
    sys.exit(main())
