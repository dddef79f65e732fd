"""Two hundred kills at named points amid faults, counted at the exchange; the seed is printed and repeats the choices."""

from __future__ import annotations

import re
import secrets

import pytest

from tests.support.processes import ChildProcess

POINTS = 200
SECONDS = 1500.0  # a minute or three; ten times that where others use the machine too


@pytest.mark.timeout(SECONDS + 60)
def test_two_hundred_kills_leave_no_duplicate_no_lost_close_no_leaked_hold_and_no_orphan() -> None:
    seed = secrets.randbelow(1_000_000)
    with ChildProcess.python("-m", "tools.chaos", "--points", str(POINTS), "--seed", str(seed)) as program:
        code = program.wait(SECONDS)
        told = program.wait_for_line(rf"seed {seed}: (\d+) kill points of .*; (.*)")
    assert code == 0, program.output  # it tells the seed and every round
    assert int(told[1]) >= POINTS
    assert set(re.findall(r"(\d+) (?:duplicates|lost|leaked|orphans|books|audit)", told[2])) == {"0"}
