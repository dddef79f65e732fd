"""Options that make no sense are refused in one line, before anything starts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.presentation.cli.main import cli
from app.presentation.demo.options import BadOption, Options, speed_of
from app.presentation.demo.watch import percentile

HERE = Path(__file__)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"followers": 0}, "--followers"),
        ({"followers": 5001}, "--followers"),
        ({"seed": -1}, "--seed"),
        ({"speed": Decimal(2)}, "--speed belongs to --fills"),
        ({"fills": HERE, "speed": Decimal(0)}, "--speed must be above 0"),
        ({"fills": HERE, "speed": Decimal("NaN")}, "--speed must be above 0"),
        ({"fills": HERE.with_name("absent")}, "--fills: there is no file"),
        ({"report": HERE / "no" / "folder"}, "--report: there is no folder"),
    ],
)
def test_a_senseless_option_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadOption, match=words) as refused:
        Options(**given)
    assert "\n" not in str(refused.value)


def test_a_speed_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadOption, match="--speed must be a number"):
        speed_of("quick")


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([], "0.5", None), ([7.0], "0.99", 7.0), ([3.0, 1.0, 2.0], "0.5", 2.0), ([1.0, 2.0], "0.5", 1.0)],
)
def test_a_percentile_is_a_value_that_occurred(values: list[float], share: str, wanted: float | None) -> None:
    assert percentile(values, Decimal(share)) == wanted


@pytest.mark.parametrize(
    "words", [["--followers", "0"], ["--speed", "2"], ["--fills", "absent"], ["--fills", str(HERE)]]
)
def test_the_command_line_answers_a_senseless_option_with_one_line_and_status_2(words: list[str]) -> None:
    result = CliRunner().invoke(cli, ["demo", *words])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
