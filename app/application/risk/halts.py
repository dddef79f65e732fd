"""Stopping new entries by hand, and allowing them again."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.risk.events import HaltRaised
from app.domain.risk.halts import Halt, HaltScope
from app.domain.shared.clock import Clock
from app.domain.shared.errors import InvalidValue, NotFound
from app.domain.shared.ids import UserId
from app.domain.shared.market import Venue

_REASON_MAX = 200
_ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RaiseHalt:
    """Stop new entries of the platform, of one venue or of one user.

    - Exits are never halted.
    - With `close_positions`, all that follows hold in the scope is closed now, at every venue.
    - A second halt on the same target replaces the reason.
    - The target is empty for the platform, a venue's name, or a user's id.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(
        self, scope: HaltScope, target: str, reason: str, *, close_positions: bool = False
    ) -> Halt:
        """Return the halt; InvalidValue for an unusable target or reason, NotFound for an unknown user."""
        why = reason.strip()
        if not why or len(why) > _REASON_MAX or not why.isprintable():
            raise InvalidValue(f"A reason has 1 to {_REASON_MAX} printable characters.")
        checked = halt_target(scope, target)
        halt = Halt(scope=scope, target=checked, reason=why, at=self.clock.now())
        async with self.uow() as work:
            if scope is HaltScope.USER:
                await work.users.get(UserId(int(checked)))
            await work.halts.raise_halt(halt)
            event = HaltRaised(at=halt.at, scope=scope, target=checked, close_positions=close_positions)
            work.record(event)
            await work.commit()
        return halt


@dataclass(frozen=True, slots=True)
class ClearHalt:
    """Allow new entries again.

    - Entries are copied from the next signal on; what was missed is not copied later.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, scope: HaltScope, target: str) -> None:
        """Remove the halt; NotFound when there is none."""
        async with self.uow() as work:
            if not await work.halts.clear(scope, halt_target(scope, target)):
                raise NotFound("There is no such halt.")
            await work.commit()


def halt_target(scope: HaltScope, target: str) -> str:
    """Return the target in the spelling that is stored, or raise InvalidValue."""
    if scope is HaltScope.PLATFORM:
        if target:
            raise InvalidValue("A platform halt has no target.")
        return ""
    if scope is HaltScope.VENUE:
        if target not in {venue.value for venue in Venue}:
            raise InvalidValue("A venue halt names a venue that is known here.")
        return target
    if not (target.isascii() and target.isdigit() and len(target) <= 19 and 0 < int(target) <= _ID_MAX):
        raise InvalidValue("A user halt names a user's id.")
    return str(int(target))
