"""How many examples a rule-based machine runs: few with every change, thousands in the night (COPYTRADE_EXAMPLES=nightly)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

NIGHTLY = 5_000, 50


def examples(number: int, steps: int) -> settings:
    """Return the settings of a machine: `number` examples of `steps` steps, or the nightly ones.

    COPYTRADE_EXAMPLES may also be a number, which stands for that many examples of the nightly length.
    """
    asked = os.environ.get("COPYTRADE_EXAMPLES", "")
    if asked:
        number, steps = (int(asked) if asked.isdigit() else NIGHTLY[0]), NIGHTLY[1]
    return settings(
        max_examples=number,
        stateful_step_count=steps,
        deadline=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
