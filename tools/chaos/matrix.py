"""The matrix: every fault of an exchange, at every kind of order, in every mode of its client order ids, once each.

One account of its own stands for each fault, so that many faults strike in one leader's trade without meeting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from app.domain.shared.money import Ratio
from app.domain.shared.protection_terms import ProtectionTerms
from tools.chaos.cancels import cancels
from tools.chaos.cells import LEGS, Cell, applies, told, waves
from tools.chaos.faults import FAULTS, UNIQUENESS, Fault
from tools.chaos.legs import orders
from tools.chaos.protections import protections
from tools.chaos.rehearsal import warm_up
from tools.chaos.stage import stage

STOP: Final = ProtectionTerms(stop_loss=Ratio(Decimal("0.05")))
"""So far from the market that it rests and does not trigger."""


async def run_matrix(
    seed: int,
    *,
    say: Callable[[str], None],
    faults: Sequence[Fault] = FAULTS,
    uniqueness: Sequence[str] = UNIQUENESS,
    legs: Sequence[str] = LEGS,
) -> list[Cell]:
    """Play every cell of the chosen legs and return what came of it; entry, add and exit are played together."""
    cells: list[Cell] = []
    together = list(waves(faults))

    def keep(mode: str, what: str, made: Sequence[Cell]) -> None:
        cells.extend(made)
        say(f"ids {mode}: {what}: {told(made)}")

    if "cancel" in legs:
        for mode in uniqueness:
            keep(
                mode, "cancellations", await cancels(seed, mode, [f for f in faults if applies(f, "cancel")])
            )
    for play, terms in ((orders, ()), (protections, (STOP,))):
        if (not terms and not {"entry", "add", "exit"} & set(legs)) or (terms and "protection" not in legs):
            continue
        async with stage(seed, max(len(wave) for wave in together), protections=terms) as set_up:
            await warm_up(set_up)
            await set_up.nursery.kill_all()
            for mode in uniqueness:
                for wave in together:
                    what = ", ".join(fault.name for fault in wave)
                    keep(mode, what, await play(set_up, mode, wave))
    return cells
