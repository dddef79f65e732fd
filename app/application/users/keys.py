"""Changing and giving up the API key of a trading account."""

from __future__ import annotations

from dataclasses import dataclass

from app.application.readers import HeldMarkets
from app.application.shared.uow import UnitOfWorkFactory
from app.application.users.accounts import only_if_owned, owned_account, permissions_of
from app.domain.exchanges.ports import GatewayFactory
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError, IllegalTransition, InvalidValue
from app.domain.shared.ids import AccountId, UserId
from app.domain.users.account import ApiKey, KeyState, TradingAccount
from app.domain.users.follow import FollowState
from app.domain.users.ports import Vault


class KeyRejected(InvalidValue):
    """The offered key may do too much or too little; the key in use is unchanged."""

    code = "key_rejected"


class AccountInUse(DomainError):
    """The account still has follows or open markets that need its key."""

    code = "account_in_use"


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Replace an account's API key.

    - The new key is verified at the venue before it replaces the old one: a bad key leaves the old one in use.
    - The new key must be able to trade and unable to withdraw, where the venue tells; elsewhere a private read must
      work, and the account says that the rights are for the user to make sure of.
    - The new key must belong to the same account at the venue.
    - A revoked key cannot be replaced; add the account anew.
    """

    uow: UnitOfWorkFactory
    clock: Clock
    vault: Vault
    gateways: GatewayFactory

    async def __call__(self, user_id: UserId, account_id: AccountId, key: ApiKey) -> TradingAccount:
        """Return the account with its new key; NotFound, KeyRejected, IllegalTransition or VenueError otherwise."""
        account = await owned_account(self.uow, user_id, account_id)
        if account.key_state is KeyState.REVOKED:
            raise IllegalTransition("A revoked key cannot be replaced; add the account anew.")
        sealed = self.vault.seal(account.id, account.venue, key)
        permissions = await permissions_of(self.gateways.gateway(account.id, account.venue, sealed))
        if permissions is not None and permissions.can_withdraw:
            raise KeyRejected("The key may withdraw funds. Make a key that can trade and read only.")
        if permissions is not None and not permissions.can_trade:
            raise KeyRejected("The key may not trade futures. Allow it at the venue.")
        async with self.uow() as work:
            account = only_if_owned(await work.accounts.get(account_id), user_id)
            account.sealed = sealed
            account.judge(permissions, self.clock.now())
            await work.accounts.save(account)
            await work.commit()
        return account


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Give up an account's API key for good.

    - Refused while a follow on the account is not stopped, or the account holds positions or has orders on their way:
      without the key nobody could close them. Stop the follows with `close_positions` first. In an emergency, delete
      the key at the venue.
    - The sealed key is erased.
    """

    uow: UnitOfWorkFactory
    held: HeldMarkets

    async def __call__(self, user_id: UserId, account_id: AccountId) -> TradingAccount:
        """Return the account without its key; NotFound, AccountInUse or IllegalTransition otherwise."""
        await owned_account(self.uow, user_id, account_id)
        if markets := await self.held.of_account(account_id):
            raise AccountInUse(
                "The account still holds positions or orders: close them first.", markets=markets
            )
        async with self.uow() as work:
            account = only_if_owned(await work.accounts.get(account_id), user_id)
            for follow in await work.follows.of_user(user_id):
                if follow.account_id == account_id and follow.state is not FollowState.STOPPED:
                    raise AccountInUse("A follow still uses the account: stop it first.", follow_id=follow.id)
            account.revoke()
            await work.accounts.save(account)
            await work.commit()
        return account
