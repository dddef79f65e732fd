"""Follows: starting one, pausing and resuming it, and changing its terms."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.shared.uow import UnitOfWork, UnitOfWorkFactory
from app.application.users.accounts import check_usable, only_if_owned
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError, InvalidValue, NotFound
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.terms import CopyTerms
from app.domain.users.events import FollowStarted
from app.domain.users.follow import Follow
from app.domain.users.user import UserState
from app.domain.whales.whale import WhaleState


class CannotFollow(InvalidValue):
    """This leader cannot be followed on this account."""

    code = "cannot_follow"


class UserNotActive(DomainError):
    """A suspended user takes no new risk."""

    code = "user_not_active"


@dataclass(frozen=True, slots=True)
class StartFollow:
    """Begin to copy a leader on one of the caller's own accounts.

    - The account is the caller's, its key is verified, and it trades at the leader's venue.
    - A banned leader cannot be followed; a paused one can, and is copied once resumed.
    - A leader's own account cannot follow: copies would feed on copies.
    - One account follows one leader once; positions that the leader already holds are not copied.
    - A suspended user starts nothing.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(
        self, user_id: UserId, whale_id: WhaleId, account_id: AccountId, terms: CopyTerms
    ) -> Follow:
        """Return the new follow; NotFound, KeyNotUsable, CannotFollow, UserNotActive or AlreadyExists otherwise."""
        async with self.uow() as work:
            account = only_if_owned(await work.accounts.get(account_id), user_id)
            whale = await work.whales.get(whale_id)
            if (await work.users.get(user_id)).state is not UserState.ACTIVE:
                raise UserNotActive("The user is suspended and takes no new risk.")
            check_usable(account)
            if whale.state is WhaleState.BANNED:
                raise CannotFollow("The leader is banned.")
            if whale.venue is not account.venue:
                raise CannotFollow("The leader trades at another venue than the account.")
            if any(leader.account_id == account_id for leader in await work.whales.watched()):
                raise CannotFollow("The account is itself a leader's account.")
            follow = await work.follows.add(user_id, whale_id, account_id, terms)
            work.record(FollowStarted(at=self.clock.now(), follow_id=follow.id, whale_id=whale_id))
            await work.commit()
        return follow


@dataclass(frozen=True, slots=True)
class PauseFollow:
    """Take no entries until resumed.

    - Exits of what the follow holds go on.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, user_id: UserId, follow_id: FollowId) -> Follow:
        """Return the paused follow; NotFound or IllegalTransition otherwise."""
        async with self.uow() as work:
            follow = await owned_follow(work, user_id, follow_id)
            follow.pause(self.clock.now())
            await work.follows.save(follow)
            await work.commit()
        return follow


@dataclass(frozen=True, slots=True)
class ResumeFollow:
    """Take entries again.

    - Entries are copied from the next signal on; what was missed is not copied later.
    """

    uow: UnitOfWorkFactory
    clock: Clock

    async def __call__(self, user_id: UserId, follow_id: FollowId) -> Follow:
        """Return the resumed follow; NotFound or IllegalTransition otherwise."""
        async with self.uow() as work:
            follow = await owned_follow(work, user_id, follow_id)
            follow.resume(self.clock.now())
            await work.follows.save(follow)
            await work.commit()
        return follow


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """Agree on new copy terms, all of them at once.

    - They hold from the next signal on; what is held is not resized.
    - A stopped follow's terms cannot change.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, user_id: UserId, follow_id: FollowId, terms: CopyTerms) -> Follow:
        """Return the follow on its new terms; NotFound or IllegalTransition otherwise."""
        async with self.uow() as work:
            follow = await owned_follow(work, user_id, follow_id)
            follow.change_terms(terms)
            await work.follows.save(follow)
            await work.commit()
        return follow


async def owned_follow(work: UnitOfWork, user_id: UserId, follow_id: FollowId) -> Follow:
    """Return the user's own follow, or raise NotFound: another user's is not said to exist."""
    follow = await work.follows.get(follow_id)
    if follow.user_id != user_id:
        raise NotFound("There is no such follow.")
    return follow
