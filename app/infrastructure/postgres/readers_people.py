"""Users, trading accounts, follows and halts as they are served. No query names a sealed key or a token hash."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, or_, select

from app.application.queries import AccountRow, FollowRow, Keyset, Page, UserRow
from app.application.readers import Viewer
from app.domain.risk.halts import Halt, HaltScope
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Venue
from app.domain.users.account import KeyState
from app.domain.users.follow import FollowState
from app.domain.users.user import Role, UserState
from app.infrastructure.postgres.readers import Query, Reader, followed, owned
from app.infrastructure.postgres.rows import halt_of, terms_of
from app.infrastructure.postgres.schema import accounts, follows, halts, users

_USERS = select(users.c.id, users.c.name, users.c.role, users.c.state, users.c.created_at)
_ACCOUNTS = select(
    accounts.c.id,
    accounts.c.user_id,
    accounts.c.venue,
    accounts.c.label,
    accounts.c.key_state,
    accounts.c.key_reason,
    accounts.c.created_at,
)


class PostgresPeopleReader(Reader):
    """PeopleReader."""

    async def users(self, *, limit: int, after: Keyset | None = None) -> Page[UserRow]:
        """Return users, newest first."""
        query = _USERS.order_by(users.c.id.desc())
        if after is not None:
            query = query.where(users.c.id < after[0])
        return await self.page(query, limit, _user, _by_id)

    async def user(self, user_id: UserId) -> UserRow:
        """Return one user, or raise NotFound."""
        return _user(await self.one(_USERS.where(users.c.id == user_id), "user"))

    async def accounts(self, viewer: Viewer, *, limit: int, after: Keyset | None = None) -> Page[AccountRow]:
        """Return the viewer's accounts, newest first."""
        query = _ACCOUNTS.where(owned(accounts.c.user_id, viewer)).order_by(accounts.c.id.desc())
        if after is not None:
            query = query.where(accounts.c.id < after[0])
        return await self.page(query, limit, _account, _by_id)

    async def account(self, viewer: Viewer, account_id: AccountId) -> AccountRow:
        """Return one account of the viewer's, or raise NotFound."""
        query = _ACCOUNTS.where(accounts.c.id == account_id, owned(accounts.c.user_id, viewer))
        return _account(await self.one(query, "account"))

    async def follows(
        self, viewer: Viewer, *, limit: int, after: Keyset | None = None, whale_id: WhaleId | None = None
    ) -> Page[FollowRow]:
        """Return the viewer's follows, newest first."""
        query = select(follows).where(followed(viewer)).order_by(follows.c.id.desc())
        if whale_id is not None:
            query = query.where(follows.c.whale_id == whale_id)
        if after is not None:
            query = query.where(follows.c.id < after[0])
        return await self.page(query, limit, _follow, _by_id)

    async def follow(self, viewer: Viewer, follow_id: FollowId) -> FollowRow:
        """Return one follow of the viewer's, or raise NotFound."""
        query = select(follows).where(follows.c.id == follow_id, followed(viewer))
        return _follow(await self.one(query, "follow"))


class PostgresHaltReader(Reader):
    """HaltReader."""

    async def halts(self, viewer: Viewer) -> Sequence[Halt]:
        """Return the halts that concern the viewer, newest first."""
        query: Query = select(halts).order_by(halts.c.at.desc(), halts.c.scope, halts.c.target)
        if viewer is not None:
            mine = and_(halts.c.scope == HaltScope.USER.value, halts.c.target == str(viewer))
            query = query.where(or_(halts.c.scope != HaltScope.USER.value, mine))
        return [halt_of(row) for row in await self.all(query)]


def _by_id(row: RowMapping) -> Keyset:
    return (row["id"],)


def _user(row: RowMapping) -> UserRow:
    return UserRow(
        id=UserId(row["id"]),
        name=row["name"],
        role=Role(row["role"]),
        state=UserState(row["state"]),
        created_at=row["created_at"],
    )


def _account(row: RowMapping) -> AccountRow:
    return AccountRow(
        id=AccountId(row["id"]),
        user_id=UserId(row["user_id"]),
        venue=Venue(row["venue"]),
        label=row["label"],
        key_state=KeyState(row["key_state"]),
        key_reason=row["key_reason"],
        created_at=row["created_at"],
    )


def _follow(row: RowMapping) -> FollowRow:
    return FollowRow(
        id=FollowId(row["id"]),
        user_id=UserId(row["user_id"]),
        whale_id=WhaleId(row["whale_id"]),
        account_id=AccountId(row["account_id"]),
        terms=terms_of(row),
        state=FollowState(row["state"]),
        created_at=row["created_at"],
    )
