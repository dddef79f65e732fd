"""Command line: `python -m tools.docs` writes the generated pages, `--check` changes nothing and exits 1 when one is stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.docs.pages import stale, write
from tools.docs.prose import faults

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Write or check; return 1 when a page is stale or a document says what is not so."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is stale or wrong")
    options = parser.parse_args(arguments)
    rows: list[str] = []
    if options.check:
        rows += [f"{path}: stale, run `make docs`" for path in stale(ROOT)]
    else:
        for path in write(ROOT):
            print(f"wrote {path}")
    rows += [str(fault) for fault in faults(ROOT)]
    for row in rows:
        print(row, file=sys.stderr)
    return 1 if rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
