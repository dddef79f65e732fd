"""Users, their trading accounts and their follows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Venue
from app.domain.shared.terms import CopyTerms
from app.domain.users.account import KeyState, TradingAccount
from app.domain.users.follow import Follow, FollowState
from app.domain.users.user import Role, User, UserState
from app.infrastructure.postgres.entry_gate import hold_account, shut_entry_gate
from app.infrastructure.postgres.repositories_saving import Collect, found, insert_row, save_versioned
from app.infrastructure.postgres.rows import (
    account_of,
    account_values,
    follow_of,
    follow_values,
    terms_values,
    user_of,
    user_values,
)
from app.infrastructure.postgres.schema import accounts, follows, funds, positions, trades, users, whales


class PostgresUsers:
    """UserRepository."""

    def __init__(self, connection: AsyncConnection, collect: Collect) -> None:
        self._connection = connection
        self._collect = collect

    async def add(self, name: str, role: Role) -> User:
        """Store a new user."""
        statement = insert(users).values(name=name, role=role.value, state=UserState.ACTIVE.value)
        return user_of(await insert_row(self._connection, statement, users))

    async def get(self, user_id: UserId) -> User:
        """Return the user, or raise NotFound."""
        result = await self._connection.execute(select(users).where(users.c.id == user_id))
        return user_of(found(result.mappings().one_or_none(), "user", user_id))

    async def save(self, user: User) -> None:
        """Store the user under its version, or raise ConcurrencyConflict.

        Where it is not active no entry of its follows commits after this transaction.
        """
        if user.state is not UserState.ACTIVE:
            await shut_entry_gate(self._connection)
        await save_versioned(self._connection, users, user.id, user, user_values(user))
        self._collect(user.events, "")


class PostgresAccounts:
    """AccountRepository; a new account begins with its row of funds."""

    def __init__(self, connection: AsyncConnection, collect: Collect) -> None:
        self._connection = connection
        self._collect = collect

    async def add(self, user: UserId, venue: Venue, label: str) -> TradingAccount:
        """Store a new account without a key; NotFound when there is no such user."""
        statement = insert(accounts).values(
            user_id=user, venue=venue.value, label=label, sealed=b"", key_state=KeyState.UNVERIFIED.value
        )
        account = account_of(await insert_row(self._connection, statement, accounts))
        await self._connection.execute(insert(funds).values(account_id=account.id))
        return account

    async def get(self, account_id: AccountId) -> TradingAccount:
        """Return the account, or raise NotFound."""
        result = await self._connection.execute(select(accounts).where(accounts.c.id == account_id))
        return account_of(found(result.mappings().one_or_none(), "account", account_id))

    async def save(self, account: TradingAccount) -> None:
        """Store the account under its version, or raise ConcurrencyConflict."""
        await save_versioned(self._connection, accounts, account.id, account, account_values(account))
        self._collect(account.events, "")

    async def of_user(self, user_id: UserId) -> Sequence[TradingAccount]:
        """Return the user's accounts, oldest first."""
        statement = select(accounts).where(accounts.c.user_id == user_id).order_by(accounts.c.id)
        result = await self._connection.execute(statement)
        return tuple(account_of(row) for row in result.mappings())

    async def with_streams(self, venue: Venue) -> Sequence[TradingAccount]:
        """Return the verified accounts that lead, follow, or still hold something, oldest first."""
        mine = accounts.c.id
        followed = exists().where(follows.c.account_id == mine, follows.c.state != FollowState.STOPPED.value)
        held = exists().where(positions.c.account_id == mine, positions.c.quantity != 0)
        working = exists().where(trades.c.account_id == mine, ~trades.c.settled)
        statement = (
            select(accounts)
            .where(
                accounts.c.venue == venue.value,
                accounts.c.key_state == KeyState.VERIFIED.value,
                or_(exists().where(whales.c.account_id == mine), followed, held, working),
            )
            .order_by(accounts.c.id)
        )
        result = await self._connection.execute(statement)
        return tuple(account_of(row) for row in result.mappings())


class PostgresFollows:
    """FollowRepository."""

    def __init__(self, connection: AsyncConnection, collect: Collect) -> None:
        self._connection = connection
        self._collect = collect

    async def add(self, user: UserId, whale: WhaleId, account: AccountId, terms: CopyTerms) -> Follow:
        """Store a new follow; AlreadyExists when this account follows the whale already."""
        statement = insert(follows).values(
            user_id=user,
            whale_id=whale,
            account_id=account,
            state=FollowState.ACTIVE.value,
            **terms_values(terms),
        )
        return follow_of(await insert_row(self._connection, statement, follows))

    async def get(self, follow_id: FollowId) -> Follow:
        """Return the follow, or raise NotFound."""
        result = await self._connection.execute(select(follows).where(follows.c.id == follow_id))
        return follow_of(found(result.mappings().one_or_none(), "follow", follow_id))

    async def save(self, follow: Follow) -> None:
        """Store the follow under its version, or raise ConcurrencyConflict.

        One that is not active holds its account first: no entry of it commits after this transaction.
        """
        if follow.state is not FollowState.ACTIVE:
            await hold_account(self._connection, follow.account_id)
        await save_versioned(self._connection, follows, follow.id, follow, follow_values(follow))
        self._collect(follow.events, "")

    async def of_user(self, user_id: UserId) -> Sequence[Follow]:
        """Return the user's follows, oldest first."""
        statement = select(follows).where(follows.c.user_id == user_id).order_by(follows.c.id)
        result = await self._connection.execute(statement)
        return tuple(follow_of(row) for row in result.mappings())
