"""Registering people, and stopping and restoring their new risk."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.shared.clock import Clock
from app.domain.shared.errors import InvalidValue
from app.domain.shared.ids import UserId
from app.domain.users.user import Role, User, user_name

_REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class RegisterUser:
    """Register a person.

    - Only an operator registers people; a new person has no token until one is issued.
    - A name has 1 to 80 printable characters; names need not be unique.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, name: str, role: Role) -> User:
        """Return the new user, or raise InvalidValue."""
        usable = user_name(name)
        async with self.uow() as work:
            user = await work.users.add(usable, role)
            await work.commit()
        return user


@dataclass(frozen=True, slots=True)
class SuspendUser:
    """Stop all new risk of a user.

    - None of the user's follows copies an entry until the user is restored.
    - Exits go on: what is held is closed when the leader closes, or by the user.
    - The user's tokens keep working, so that positions can be seen and closed.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, user_id: UserId, reason: str) -> User:
        """Return the suspended user; NotFound or IllegalTransition otherwise."""
        why = stated_reason(reason)
        async with self.uow() as work:
            user = await work.users.get(user_id)
            user.suspend(why, self.clock.now())
            await work.users.save(user)
            await work.commit()
        return user


@dataclass(frozen=True, slots=True)
class RestoreUser:
    """Allow a suspended user new risk again.

    - Entries are copied from the next signal on; what was missed is not copied later.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, user_id: UserId) -> User:
        """Return the restored user; NotFound or IllegalTransition otherwise."""
        async with self.uow() as work:
            user = await work.users.get(user_id)
            user.restore()
            await work.users.save(user)
            await work.commit()
        return user


def stated_reason(text: str) -> str:
    """Return a usable reason, or raise InvalidValue."""
    reason = text.strip()
    if not reason or len(reason) > _REASON_MAX or not reason.isprintable():
        raise InvalidValue(f"A reason has 1 to {_REASON_MAX} printable characters.")
    return reason
