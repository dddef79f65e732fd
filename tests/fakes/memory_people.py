"""Users, accounts, follows, tokens, whales, limits and halts in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol, TypeVar

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.errors import AlreadyExists, ConcurrencyConflict, NotFound
from app.domain.shared.events import Recorder
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.terms import CopyTerms
from app.domain.users.account import KeyState, TradingAccount
from app.domain.users.follow import Follow, FollowState
from app.domain.users.ports import Caller
from app.domain.users.user import Role, User
from app.domain.whales.whale import Whale, WhaleState, WhaleTier
from tests.fakes.memory_store import Table, Transaction

Collect = Callable[[Recorder, str], None]

USERS = Table[UserId, User]("users")
TOKENS = Table[str, UserId]("tokens")
ACCOUNTS = Table[AccountId, TradingAccount]("accounts")
FOLLOWS = Table[FollowId, Follow]("follows")
WHALES = Table[WhaleId, Whale]("whales")
LIMITS = Table[UserId, Limits]("limits")
HALTS = Table[tuple[HaltScope, str], Halt]("halts")
POSITIONS = Table[tuple[FollowId, Symbol], Decimal]("positions")
WORKING = Table[tuple[FollowId, Symbol], bool]("working")


class Aggregate(Protocol):
    id: int
    version: int
    events: Recorder


A = TypeVar("A", User, TradingAccount, Follow, Whale)
K = TypeVar("K", bound=int)


def _copy(aggregate: A) -> A:
    return replace(aggregate, events=Recorder())


def _get(transaction: Transaction, table: Table[K, A], key: K) -> A:
    found = transaction.get(table, key)
    if found is None:
        raise NotFound(f"There is nothing with that id in {table.name}.", id=str(key))
    return _copy(found)


def _save(transaction: Transaction, table: Table[K, A], key: K, aggregate: A, collect: Collect) -> None:
    if _get(transaction, table, key).version != aggregate.version:
        raise ConcurrencyConflict("It was changed by someone else in the meantime.", table=table.name)
    aggregate.version += 1
    transaction.put(table, key, _copy(aggregate))
    collect(aggregate.events, "")


class MemoryUsers:
    def __init__(self, transaction: Transaction, collect: Collect) -> None:
        self._transaction = transaction
        self._collect = collect

    async def add(self, name: str, role: Role) -> User:
        user = User(id=UserId(self._transaction.number()), name=name, role=role)
        self._transaction.put(USERS, user.id, _copy(user))
        return user

    async def get(self, user_id: UserId) -> User:
        return _get(self._transaction, USERS, user_id)

    async def save(self, user: User) -> None:
        _save(self._transaction, USERS, user.id, user, self._collect)


class MemoryTokens:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def issue(self, user_id: UserId, label: str) -> str:
        _get(self._transaction, USERS, user_id)
        token = f"ct_{secrets.token_urlsafe(32)}"
        self._transaction.put(TOKENS, token, user_id)
        return token

    async def caller(self, token: str) -> Caller | None:
        owner = self._transaction.get(TOKENS, token)
        user = None if owner is None else self._transaction.get(USERS, owner)
        return None if user is None else Caller(user_id=user.id, role=user.role)


class MemoryAccounts:
    def __init__(self, transaction: Transaction, collect: Collect) -> None:
        self._transaction = transaction
        self._collect = collect

    async def add(self, user: UserId, venue: Venue, label: str) -> TradingAccount:
        _get(self._transaction, USERS, user)
        account = TradingAccount(
            id=AccountId(self._transaction.number()), user_id=user, venue=venue, label=label, sealed=b""
        )
        self._transaction.put(ACCOUNTS, account.id, _copy(account))
        return account

    async def get(self, account_id: AccountId) -> TradingAccount:
        return _get(self._transaction, ACCOUNTS, account_id)

    async def save(self, account: TradingAccount) -> None:
        _save(self._transaction, ACCOUNTS, account.id, account, self._collect)

    async def of_user(self, user_id: UserId) -> Sequence[TradingAccount]:
        return tuple(map(_copy, self._transaction.all(ACCOUNTS, lambda row: row.user_id == user_id)))

    async def with_streams(self, venue: Venue) -> Sequence[TradingAccount]:
        busy = {whale.account_id for whale in self._transaction.all(WHALES)}
        busy |= {
            follow.account_id
            for follow in self._transaction.all(FOLLOWS)
            if is_live(self._transaction, follow)
        }
        return tuple(
            _copy(account)
            for account in self._transaction.all(ACCOUNTS)
            if account.id in busy and (account.venue, account.key_state) == (venue, KeyState.VERIFIED)
        )


def is_live(transaction: Transaction, follow: Follow) -> bool:
    """Whether a follow copies, holds something, or waits for an execution."""
    busy = {key[0] for key in transaction.keys(WORKING)}
    busy |= {key[0] for key in transaction.keys(POSITIONS) if transaction.get(POSITIONS, key) != 0}
    return follow.state is not FollowState.STOPPED or follow.id in busy


class MemoryFollows:
    def __init__(self, transaction: Transaction, collect: Collect) -> None:
        self._transaction = transaction
        self._collect = collect

    async def add(self, user: UserId, whale: WhaleId, account: AccountId, terms: CopyTerms) -> Follow:
        _get(self._transaction, USERS, user)
        _get(self._transaction, WHALES, whale)
        _get(self._transaction, ACCOUNTS, account)
        for other in self._transaction.all(FOLLOWS):
            if (other.whale_id, other.account_id) == (
                whale,
                account,
            ) and other.state is not FollowState.STOPPED:
                raise AlreadyExists("This account follows the whale already.")
        follow = Follow(
            id=FollowId(self._transaction.number()),
            user_id=user,
            whale_id=whale,
            account_id=account,
            terms=terms,
        )
        self._transaction.put(FOLLOWS, follow.id, _copy(follow))
        return follow

    async def get(self, follow_id: FollowId) -> Follow:
        return _get(self._transaction, FOLLOWS, follow_id)

    async def save(self, follow: Follow) -> None:
        _save(self._transaction, FOLLOWS, follow.id, follow, self._collect)

    async def of_user(self, user_id: UserId) -> Sequence[Follow]:
        return tuple(map(_copy, self._transaction.all(FOLLOWS, lambda row: row.user_id == user_id)))


class MemoryWhales:
    def __init__(self, transaction: Transaction, collect: Collect) -> None:
        self._transaction = transaction
        self._collect = collect

    async def add(self, name: str, venue: Venue, account: AccountId, tier: WhaleTier) -> Whale:
        _get(self._transaction, ACCOUNTS, account)
        if any(other.account_id == account for other in self._transaction.all(WHALES)):
            raise AlreadyExists("This account is a whale already.")
        whale = Whale(
            id=WhaleId(self._transaction.number()), name=name, venue=venue, account_id=account, tier=tier
        )
        self._transaction.put(WHALES, whale.id, _copy(whale))
        return whale

    async def get(self, whale_id: WhaleId) -> Whale:
        return _get(self._transaction, WHALES, whale_id)

    async def save(self, whale: Whale) -> None:
        _save(self._transaction, WHALES, whale.id, whale, self._collect)

    async def watched(self) -> Sequence[Whale]:
        copied = {
            follow.whale_id for follow in self._transaction.all(FOLLOWS) if is_live(self._transaction, follow)
        }
        return tuple(
            _copy(whale)
            for whale in self._transaction.all(WHALES)
            if whale.state is not WhaleState.BANNED or whale.id in copied
        )


class MemoryLimits:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of_user(self, user_id: UserId) -> Limits:
        return self._transaction.get(LIMITS, user_id) or Limits()

    async def set_for_user(self, user_id: UserId, limits: Limits) -> None:
        _get(self._transaction, USERS, user_id)
        self._transaction.put(LIMITS, user_id, limits)


class MemoryHalts:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def raise_halt(self, halt: Halt) -> None:
        self._transaction.put(HALTS, (halt.scope, halt.target), halt)

    async def clear(self, scope: HaltScope, target: str) -> bool:
        was = self._transaction.get(HALTS, (scope, target))
        self._transaction.put(HALTS, (scope, target), None)
        return was is not None

    async def standing(self) -> Sequence[Halt]:
        return tuple(sorted(self._transaction.all(HALTS), key=lambda halt: halt.at, reverse=True))
