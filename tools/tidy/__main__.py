"""Command line: `python -m tools.tidy [PATH...]` prints one row a breach and exits 1 when there is any."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.tidy.run import RULES, findings_in
from tools.tidy.tree import ROOT, sources_under


def main(arguments: list[str]) -> int:
    """Lint the whole tree, since some rules need it, and report what lies under the paths given (all, when none is).

    Returns 0 when clean, 1 with breaches, 2 for a path that does not exist or lies outside the project.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.tidy", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="report only what lies under these"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules with their reasons")
    options = parser.parse_args(arguments)
    if options.rules:
        for lint in sorted(RULES, key=lambda lint: lint.code):
            print(f"{lint.code}: {lint.message} - {lint.reason}")
        return 0
    wanted: list[str] = []
    for path in options.paths:
        if not path.exists() or not path.resolve().is_relative_to(ROOT):
            print(f"{path}: no such file or folder in the project", file=sys.stderr)
            return 2
        wanted.append(path.resolve().relative_to(ROOT).as_posix())
    sources = sources_under(ROOT)
    rows = [
        finding
        for finding in findings_in(sources)
        if not wanted or any(_lies_under(finding.path, at) for at in wanted)
    ]
    for row in rows:
        print(row)
    print(
        f"tidy: {len(rows)} breaches of {len(RULES)} rules in {len(sources)} files",
        file=sys.stderr,
    )
    return 1 if rows else 0


def _lies_under(path: str, folder: str) -> bool:
    return folder in {".", path} or path.startswith(f"{folder}/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
