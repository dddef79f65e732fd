"""What the demo was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

FOLLOWERS_MAX: Final = 5000
_SPEED_MAX: Final = Decimal(1_000_000_000)


class BadOption(ValueError):
    """An option cannot be used; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class Options:
    """`speed` is how many times as fast as recorded a replay runs, None for as fast as the system keeps up."""

    followers: int = 200
    seed: int = 1
    fast: bool = False
    once: bool = False
    fills: Path | None = None
    speed: Decimal | None = None
    report: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.followers <= FOLLOWERS_MAX:
            raise BadOption(f"--followers must lie between 1 and {FOLLOWERS_MAX}.")
        if not 0 <= self.seed < 2**31:
            raise BadOption("--seed must lie between 0 and 2147483647.")
        if self.speed is not None and self.fills is None:
            raise BadOption("--speed belongs to --fills: the scripted demo has no recorded times.")
        if self.speed is not None and not (self.speed.is_finite() and 0 < self.speed <= _SPEED_MAX):
            raise BadOption(f"--speed must be above 0 and at most {_SPEED_MAX}.")
        if self.fills is not None and not self.fills.is_file():
            raise BadOption(f"--fills: there is no file {self.fills}.")
        if self.report is not None and not self.report.absolute().parent.is_dir():
            raise BadOption(f"--report: there is no folder {self.report.absolute().parent}.")


def speed_of(text: str | None) -> Decimal | None:
    """Read --speed; raises BadOption."""
    if text is None:
        return None
    try:
        return Decimal(text)
    except ArithmeticError:
        raise BadOption(f"--speed must be a number, not {text!r}.") from None
