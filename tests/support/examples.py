"""How many examples a rule-based machine runs: few with every change, thousands in the night (COPYTRADE_EXAMPLES=nightly)."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

NIGHTLY: Final = 5_000, 50
PARTS_NIGHTLY: Final = 10


def examples(number: int, steps: int, *, parts: int = 1) -> settings:
    """Return the settings of a machine: `number` examples of `steps` steps, or the nightly ones; of which one of `parts` parts.

    COPYTRADE_EXAMPLES may also be a number, which stands for that many examples of the nightly length.
    """
    asked = os.environ.get("COPYTRADE_EXAMPLES", "")
    if asked:
        number, steps = (int(asked) if asked.isdigit() else NIGHTLY[0]), NIGHTLY[1]
    return settings(
        max_examples=-(-number // parts),
        stateful_step_count=steps,
        deadline=None,
        derandomize=settings().derandomize and not asked,  # else every part draws the same on a CI machine
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


def parts() -> range:
    """Return the parts of a machine that is worth running on several processors: one, or the night's."""
    return range(PARTS_NIGHTLY if os.environ.get("COPYTRADE_EXAMPLES") else 1)
