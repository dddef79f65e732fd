"""The limits that a user sets, beside those of the platform."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.risk.limits import Limits, tightest
from app.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True)
class LimitsView:
    """A user's own limits, the platform's, and what holds: for each limit the tighter of both."""

    own: Limits
    platform: Limits
    effective: Limits


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Show the caller's limits.

    - For each limit the tightest of the platform's and the user's own holds.
    """

    uow: UnitOfWorkFactory
    platform: Limits

    async def __call__(self, user_id: UserId) -> LimitsView:
        """Return the limits at every level."""
        async with self.uow() as work:
            own = await work.limits.of_user(user_id)
        return LimitsView(own, self.platform, tightest((self.platform, own)))


@dataclass(frozen=True, slots=True)
class SetLimits:
    """Replace the caller's own limits, all of them at once.

    - A limit that is left out is not set; the platform's still holds.
    - Limits stop new risk only: exits are never blocked. They hold from the next signal on.
    """

    uow: UnitOfWorkFactory
    platform: Limits

    async def __call__(self, user_id: UserId, limits: Limits) -> LimitsView:
        """Return the limits at every level after the change."""
        async with self.uow() as work:
            await work.limits.set_for_user(user_id, limits)
            await work.commit()
        return LimitsView(limits, self.platform, tightest((self.platform, limits)))
