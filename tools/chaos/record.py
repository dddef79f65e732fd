"""What the last recorded runs came to: written by `--record`, read by the document of the fault matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from tools.chaos.cells import LEGS, Cell, applies
from tools.chaos.counts import Counts
from tools.chaos.faults import FAULTS, UNIQUENESS
from tools.chaos.figures import Figure
from tools.chaos.rehearsal import Rehearsal

FILE: Final = Path(__file__).with_name("recorded.json")


def recorded() -> dict[str, Any]:
    """Return what is recorded; empty where nothing is."""
    if not FILE.exists():
        return {}
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def record(part: str, value: Mapping[str, Any]) -> None:
    """Replace one part of the record."""
    lines = json.dumps(recorded() | {part: value}, indent=1, sort_keys=True)
    FILE.write_text(lines + "\n", encoding="utf-8")


def matrix_part(seed: int, played: Sequence[Cell]) -> dict[str, Any]:
    """Return the matrix as it is recorded: these cells in the place of earlier ones of theirs, all others kept."""
    kept = cells() | {(cell.fault, cell.uniqueness, cell.leg): cell for cell in played}
    return {"seed": seed, "cells": [asdict(cell) for cell in kept.values()]}


def rehearsal_part(done: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal as it is recorded."""
    counts = done.counts
    return {
        "seed": done.seed,
        "rounds": len(done.rounds),
        "seconds": round(done.seconds),
        "followers": done.followers,
        "leader_trades": sum(told.moves for told in done.rounds),
        "in_reach": len(done.in_reach),
        "swings": sum(told.swings for told in done.rounds),
        "errands": done.answers.total(),
        "touches": sum(told.touches for told in done.rounds),
        "kills": dict(sorted(done.kills.items())),
        "besides": dict(sorted(done.besides.items())),
        "servers": dict(sorted(done.servers.items())),
        "longest_convergence_s": round(max((told.converged_s for told in done.rounds), default=0), 1),
        "counts": {one.name: len(getattr(counts, one.name)) for one in fields(Counts)},
    }


def figures_part(seed: int, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return figures as they are recorded."""
    return {"seed": seed, "figures": [asdict(one) for one in figures]}


def cells() -> dict[tuple[str, str, str], Cell]:
    """Return the recorded cells by fault, uniqueness and leg."""
    rows = recorded().get("matrix", {}).get("cells", [])
    return {(row["fault"], row["uniqueness"], row["leg"]): Cell(**row) for row in rows}


def lacking() -> list[tuple[str, str, str]]:
    """Return the cells of the definition that are not recorded."""
    found = cells()
    return [
        (fault.name, mode, leg)
        for fault in FAULTS
        for mode in UNIQUENESS
        for leg in LEGS
        if applies(fault, leg) and (fault.name, mode, leg) not in found
    ]
