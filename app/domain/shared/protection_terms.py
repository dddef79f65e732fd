"""What a follower asks to be protected by: figures of the follow's own position, executed by orders at the exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.shared.errors import InvalidValue
from app.domain.shared.money import Ratio, exact, plain

RUNGS_MAX: Final = 5


class UnprotectedPolicy(StrEnum):
    """What happens to a position whose stop could not be placed in time: a person is told, or it is closed as well."""

    ALARM = "ALARM"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """One rung of the ladder: at `move` in favour of the position, `share` of it is sold."""

    move: Ratio
    share: Ratio


@dataclass(frozen=True, slots=True)
class ProtectionTerms:
    """All are ratios of a price (0.05 = 5 %), measured from the follow's own average entry.

    `stop_loss` is an adverse move. `trailing` is the distance behind the best mark price since the entry.
    `break_even_after` is the favourable move from which the stop stands at the entry. The tightest of the three is the
    stop. Take-profit rungs are in order, and together sell no more than the position.
    """

    stop_loss: Ratio | None = None
    take_profits: tuple[TakeProfit, ...] = ()
    trailing: Ratio | None = None
    break_even_after: Ratio | None = None
    unprotected: UnprotectedPolicy = UnprotectedPolicy.ALARM

    def __post_init__(self) -> None:
        for figure in (self.stop_loss, self.trailing):
            if figure is not None and not Decimal(0) < exact(figure) < 1:
                raise InvalidValue("A stop or trailing distance must lie between 0 and 1.")
        if self.break_even_after is not None and not Decimal(0) < exact(self.break_even_after) <= 10:
            raise InvalidValue("The break-even move must lie above 0 and at most at 10.")
        if len(self.take_profits) > RUNGS_MAX:
            raise InvalidValue(f"A take-profit ladder has at most {RUNGS_MAX} rungs.")
        moves = [rung.move for rung in self.take_profits]
        if any(not Decimal(0) < exact(move) <= 10 for move in moves) or moves != sorted(set(moves)):
            raise InvalidValue(
                "Take-profit moves must rise from rung to rung and lie above 0 and at most at 10."
            )
        if any(exact(rung.share) <= 0 for rung in self.take_profits) or sum(
            (rung.share for rung in self.take_profits), Decimal(0)
        ) > Decimal(1):
            raise InvalidValue("Take-profit shares must be above 0 and together at most 1.")

    @property
    def wants_stop(self) -> bool:
        """Whether a stop is wanted at all."""
        return self.stop_loss is not None or self.trailing is not None

    @property
    def wants_anything(self) -> bool:
        """Whether anything is to rest at the exchange, now or once the price has moved."""
        return self.wants_stop or self.break_even_after is not None or bool(self.take_profits)


NO_PROTECTION: Final = ProtectionTerms()


def to_plain(terms: ProtectionTerms) -> dict[str, object]:
    """Return the terms as plain JSON values, only what is set: the form in which they are stored."""
    said: dict[str, object] = {}
    for name in ("stop_loss", "trailing", "break_even_after"):
        figure: Ratio | None = getattr(terms, name)
        if figure is not None:
            said[name] = plain(figure)
    if terms.take_profits:
        said["take_profits"] = [[plain(rung.move), plain(rung.share)] for rung in terms.take_profits]
    if terms.unprotected is not UnprotectedPolicy.ALARM:
        said["unprotected"] = terms.unprotected.value
    return said


def of_plain(said: Mapping[str, object]) -> ProtectionTerms:
    """Return what `to_plain` wrote; InvalidValue for anything else."""

    def ratio(name: str) -> Ratio | None:
        text = said.get(name)
        return None if text is None else Ratio(exact(str(text)))

    rungs = said.get("take_profits", [])
    if not isinstance(rungs, list):
        raise InvalidValue("A take-profit ladder is a list.")
    return ProtectionTerms(
        stop_loss=ratio("stop_loss"),
        take_profits=tuple(
            TakeProfit(Ratio(exact(str(move))), Ratio(exact(str(share)))) for move, share in rungs
        ),
        trailing=ratio("trailing"),
        break_even_after=ratio("break_even_after"),
        unprotected=UnprotectedPolicy(str(said.get("unprotected", UnprotectedPolicy.ALARM.value))),
    )
