"""Rehearse faults: `python -m tools.chaos --points 2000 --seed 7`. Exits 1 when anything was counted or did not converge.

Every round is told in one line with its seed; `--round N` plays only that round of a seed again.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys

from tools.chaos.cells import LEGS
from tools.chaos.faults import FAULTS
from tools.chaos.figures import doubts, measure
from tools.chaos.matrix import run_matrix
from tools.chaos.record import figures_part, matrix_part, record, rehearsal_part
from tools.chaos.rehearsal import rehearse


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--points", type=int, default=200, help="kills at named points, in all")
    parser.add_argument("--seed", type=int, help="decides every choice; drawn and printed if not given")
    parser.add_argument("--round", type=int, help="play only this round of the seed")
    parser.add_argument("--followers", type=int, default=8, help="how many accounts copy the leader")
    parser.add_argument(
        "--matrix", action="store_true", help="play every fault at every kind of order instead"
    )
    parser.add_argument("--fault", action="append", help="with --matrix: only this fault; may be given again")
    parser.add_argument("--leg", action="append", choices=LEGS, help="with --matrix: only this kind of order")
    parser.add_argument("--figures", action="store_true", help="measure recovery and start instead")
    parser.add_argument("--record", action="store_true", help="keep what it came to for docs/reference")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    if options.matrix:
        return _matrix(seed, options)
    if options.figures:
        return _figures(seed, keep=options.record)
    return _rehearse(seed, options)


def _rehearse(seed: int, options: argparse.Namespace) -> int:
    done = asyncio.run(
        rehearse(seed, points=options.points, only=options.round, followers=options.followers, say=_say)
    )
    if options.record and done.is_clean:
        record("rehearsal", rehearsal_part(done))
    return 0 if done.is_clean else 1


def _matrix(seed: int, options: argparse.Namespace) -> int:
    faults = [fault for fault in FAULTS if not options.fault or fault.name in options.fault]
    cells = asyncio.run(run_matrix(seed, say=_say, faults=faults, legs=options.leg or LEGS))
    if options.record:
        record("matrix", matrix_part(seed, cells))
    for one in doubts(cells):
        _say(one.line())
    return 0 if all(cell.is_right for cell in cells) else 1


def _figures(seed: int, *, keep: bool) -> int:
    measured = asyncio.run(measure(seed, kills=30, starts=5, say=_say))
    for one in measured:
        _say(one.line())
    if keep:
        record("figures", figures_part(seed, measured))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
