"""What the risk context needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.ids import UserId


class LimitsRepository(Protocol):
    """The limits that users set for themselves; the platform's own come from its settings."""

    async def of_user(self, user_id: UserId) -> Limits:
        """Return the user's own limits; all None when none were set."""
        ...

    async def set_for_user(self, user_id: UserId, limits: Limits) -> None:
        """Replace the user's own limits."""
        ...


class HaltRepository(Protocol):
    """Standing halts."""

    async def raise_halt(self, halt: Halt) -> None:
        """Store a halt; a second one on the same target replaces the reason."""
        ...

    async def clear(self, scope: HaltScope, target: str) -> bool:
        """Remove a halt; False when there was none."""
        ...

    async def standing(self) -> Sequence[Halt]:
        """Return all halts, newest first."""
        ...
