"""Leaders: making a verified account one, and stopping, resuming and ending the copying of its entries."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.shared.clock import Clock
from app.domain.shared.errors import InvalidValue
from app.domain.shared.ids import AccountId, WhaleId
from app.domain.users.account import KeyState
from app.domain.users.follow import FollowState
from app.domain.whales.whale import Whale, WhaleTier

_NAME_MAX = 80
_REASON_MAX = 200


class CannotLead(InvalidValue):
    """This account cannot be a leader's account."""

    code = "cannot_lead"


@dataclass(frozen=True, slots=True)
class RegisterWhale:
    """Make a trading account a leader's account.

    - The account is registered here and its key is verified: its private stream tells what the leader does.
    - One account is at most one leader, and an account that follows somebody cannot lead: copies would feed on copies.
    - The tier orders the queue of entries, never that of exits.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, name: str, account_id: AccountId, tier: WhaleTier) -> Whale:
        """Return the new leader; NotFound, CannotLead, InvalidValue or AlreadyExists otherwise."""
        usable = _text("name", name, _NAME_MAX)
        async with self.uow() as work:
            account = await work.accounts.get(account_id)
            if account.key_state is not KeyState.VERIFIED:
                raise CannotLead(f"The account's API key is {account.key_state.value}; it must be VERIFIED.")
            for follow in await work.follows.of_user(account.user_id):
                if follow.account_id == account_id and follow.state is not FollowState.STOPPED:
                    raise CannotLead("The account follows a leader; stop that follow first.")
            whale = await work.whales.add(usable, account.venue, account_id, tier)
            await work.commit()
        return whale


@dataclass(frozen=True, slots=True)
class PauseWhale:
    """Stop the copying of a leader's entries for now.

    - Exits go on: followers leave with the leader.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, whale_id: WhaleId, reason: str) -> Whale:
        """Return the paused leader; NotFound or IllegalTransition otherwise."""
        why = _text("reason", reason, _REASON_MAX)
        async with self.uow() as work:
            whale = await work.whales.get(whale_id)
            whale.pause(why, self.clock.now())
            await work.whales.save(whale)
            await work.commit()
        return whale


@dataclass(frozen=True, slots=True)
class ResumeWhale:
    """Copy a paused leader's entries again, from the next signal on."""

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, whale_id: WhaleId) -> Whale:
        """Return the active leader; NotFound or IllegalTransition otherwise."""
        async with self.uow() as work:
            whale = await work.whales.get(whale_id)
            whale.resume(self.clock.now())
            await work.whales.save(whale)
            await work.commit()
        return whale


@dataclass(frozen=True, slots=True)
class BanWhale:
    """Stop the copying of a leader's entries for good.

    - Exits go on until nobody holds anything after this leader.
    - A banned leader stays banned and cannot be followed.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, whale_id: WhaleId, reason: str) -> Whale:
        """Return the banned leader; NotFound or IllegalTransition otherwise."""
        why = _text("reason", reason, _REASON_MAX)
        async with self.uow() as work:
            whale = await work.whales.get(whale_id)
            whale.ban(why, self.clock.now())
            await work.whales.save(whale)
            await work.commit()
        return whale


def _text(kind: str, text: str, length_max: int) -> str:
    usable = text.strip()
    if not usable or len(usable) > length_max or not usable.isprintable():
        raise InvalidValue(f"A {kind} has 1 to {length_max} printable characters.")
    return usable
