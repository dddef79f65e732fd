"""The run's people: an operator, the leader and the followers, made by the product's own use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.application.api_services import ApiServices
from app.config.demo import ACCOUNT_MARK
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey, KeyState
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from app.presentation.demo.cast import Profile
from app.presentation.demo.exchange import Exchange, ExchangeAccount

_AT_ONCE: Final = 8
_ISSUED_FOR: Final = "demo"


class CastFailed(RuntimeError):
    """A person of the run could not be set up; the text says who and why."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The leader, as we and as the exchange know it."""

    whale_id: WhaleId
    account_id: AccountId
    at_exchange: ExchangeAccount


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower, as we and as the exchange know it."""

    user_id: UserId
    account_id: AccountId
    follow_id: FollowId
    at_exchange: ExchangeAccount
    profile: Profile


class People:
    """Makes the people of one run; `run` keeps their names apart from other runs'."""

    def __init__(self, services: ApiServices, exchange: Exchange, run: str) -> None:
        self._services = services
        self._exchange = exchange
        self._run = run

    async def operator_token(self) -> str:
        """Make an operator and return a token for it."""
        user = await self._services.register_user(f"demo operator {self._run}", Role.OPERATOR)
        return await self._services.issue_token(user.id, _ISSUED_FOR)

    async def token(self, follower: Follower) -> str:
        """Return a new token of a follower."""
        return await self._services.issue_token(follower.user_id, _ISSUED_FOR)

    async def open_leader(self, balance: Decimal) -> ExchangeAccount:
        """Open the leader's account at the exchange."""
        return (await self._exchange.open_accounts([(f"{ACCOUNT_MARK}{self._run}-leader", balance)]))[0]

    async def leader(self, opened: ExchangeAccount) -> Leader:
        """Register the account as a leader's: from now on it is watched."""
        name = f"demo leader {self._run}"
        _, account_id = await self._account(name, opened)
        whale = await self._services.register_whale(name, account_id, WhaleTier.STANDARD)
        return Leader(whale.id, account_id, opened)

    async def followers(self, leader: Leader, profiles: Sequence[Profile]) -> list[Follower]:
        """Open the followers' accounts and let them follow; keys are verified at the exchange like anybody's."""
        labels = [f"{ACCOUNT_MARK}{self._run}-{number:04d}" for number in range(1, len(profiles) + 1)]
        wanted = [(label, profile.balance) for label, profile in zip(labels, profiles, strict=True)]
        opened = await self._exchange.open_accounts(wanted)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(account: ExchangeAccount, profile: Profile) -> Follower:
            async with gate:
                return await self._follower(leader, account, profile)

        return list(
            await asyncio.gather(*(one(each, who) for each, who in zip(opened, profiles, strict=True)))
        )

    async def _follower(self, leader: Leader, opened: ExchangeAccount, profile: Profile) -> Follower:
        services = self._services
        user_id, account_id = await self._account(f"{opened.label} ({profile.kind})", opened)
        if profile.limits is not None:
            await services.set_limits(user_id, profile.limits)
        follow = await services.start_follow(user_id, leader.whale_id, account_id, profile.terms)
        if profile.paused:
            await services.pause_follow(user_id, follow.id)
        if profile.suspended:
            await services.suspend_user(user_id, "suspended for the demo")
        return Follower(user_id, account_id, follow.id, opened, profile)

    async def _account(self, name: str, opened: ExchangeAccount) -> tuple[UserId, AccountId]:
        user = await self._services.register_user(name, Role.FOLLOWER)
        key = ApiKey(opened.api_key, opened.api_secret)
        account = await self._services.add_account(user.id, Venue.BINANCE_USDM, opened.label, key)
        if account.key_state is not KeyState.VERIFIED:
            raise CastFailed(f"The key of {opened.label} is {account.key_state.value}: {account.key_reason}")
        return user.id, account.id


def exchange_ids(followers: Sequence[Follower]) -> Mapping[str, int]:
    """Map the exchange's account ids to ours."""
    return {follower.at_exchange.account_id: int(follower.account_id) for follower in followers}
