"""Trading accounts: adding one with its API key, and verifying the key at the venue.

The venue is asked outside any unit of work; what it says is judged by the account, never trusted blindly: a check that
fails or does not come leaves the key unusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.exchanges.outcomes import RefusalKind, VenueError, VenueRefused, VenueUnsupported
from app.domain.exchanges.ports import ExchangeGateway, GatewayFactory
from app.domain.exchanges.requests import PositionMode
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.errors import InvalidValue, NotFound
from app.domain.shared.ids import AccountId, UserId
from app.domain.shared.market import MarketKind, Venue
from app.domain.shared.money import Money
from app.domain.users.account import ApiKey, KeyPermissions, KeyState, TradingAccount
from app.domain.users.ports import Vault

_LABEL_MAX = 80


class WalletBook(Protocol):
    """Where an account's wallet is written down."""

    async def sync_wallet(
        self, account: AccountId, wallet: Money, at: datetime, *, beside_coins: bool = False
    ) -> None:
        """Store what the venue says the wallet holds, in a transaction of its own.

        With `beside_coins` the word is of quote currency alone, and what the coins held were bought for is added.
        """
        ...


@dataclass(frozen=True, slots=True)
class VerifyAccount:
    """Ask the venue what an account's key may do, and judge it.

    - A key that may withdraw, or may not trade futures, is refused; a refused key takes no new risk. A key that may
      withdraw is forgotten at once.
    - A venue that does not tell a key's rights cannot be asked for them: the key counts as verified when a private read
      works, and the account says that its rights are for the user to make sure of.
    - The wallet is read once and written as the account's funds before the key counts as verified.
    - When the venue does not answer, nothing changes: verify again later. When it refuses the key, so do we.
    """

    uow: UnitOfWorkFactory
    clock: Clock
    gateways: GatewayFactory
    wallets: WalletBook

    async def __call__(self, user_id: UserId, account_id: AccountId) -> TradingAccount:
        """Return the judged account; NotFound, IllegalTransition (a revoked key) or VenueError otherwise."""
        account = await owned_account(self.uow, user_id, account_id)
        if not account.sealed:
            raise NoKey("The account has no key. Give it one by rotating its key.")
        gateway = self.gateways.gateway(account.id, account.venue, account.sealed)
        hedged = account.hedged
        try:
            permissions = await permissions_of(gateway)
            if permissions is None or (permissions.can_trade and not permissions.can_withdraw):
                hedged = await _is_hedged(gateway, account.venue)
                if CAPABILITIES[account.venue].collateral is not None:
                    balance = await gateway.balance()
                    is_spot = CAPABILITIES[account.venue].kind is MarketKind.SPOT
                    await self.wallets.sync_wallet(
                        account.id, balance.wallet, self.clock.now(), beside_coins=is_spot
                    )
        except VenueRefused as refusal:
            if refusal.kind is not RefusalKind.KEY:
                raise
            return await self._conclude(account, None, hedged=hedged, refused=True)
        return await self._conclude(account, permissions, hedged=hedged)

    async def _conclude(
        self,
        seen: TradingAccount,
        permissions: KeyPermissions | None,
        *,
        hedged: bool,
        refused: bool = False,
    ) -> TradingAccount:
        async with self.uow() as work:
            account = await work.accounts.get(seen.id)
            if account.sealed != seen.sealed:
                return account  # the key was changed meanwhile: this answer was about another one
            if refused:
                account.refuse("The venue does not accept the key.", self.clock.now())
            else:
                account.judge(permissions, self.clock.now())
                account.hedged = hedged
                if permissions is not None and permissions.can_withdraw:
                    account.sealed = b""
            await work.accounts.save(account)
            await work.commit()
        return account


async def permissions_of(gateway: ExchangeGateway) -> KeyPermissions | None:
    """Return what the venue says the key may do; None where it tells no rights and took the key for a private read.

    Raises VenueError, VenueRefused of kind KEY for a key that the venue does not accept.
    """
    try:
        facts = await gateway.key_facts()
    except VenueUnsupported:
        await gateway.balance()
        return None
    return KeyPermissions(facts.can_trade, facts.can_withdraw, facts.ip_restricted)


async def _is_hedged(gateway: ExchangeGateway, venue: Venue) -> bool:
    """Return whether the account nets no positions; where we could not serve both sides anyway, an untold mode is no."""
    try:
        return await gateway.position_mode() is PositionMode.HEDGE
    except VenueUnsupported:
        if CAPABILITIES[venue].hedges:
            raise
        return False


@dataclass(frozen=True, slots=True)
class AddAccount:
    """Add a trading account with its API key.

    - The key is sealed under the account's own id and is never shown again.
    - The key is verified at the venue: it must be able to trade and unable to withdraw. The reply says what came of
      it; an account whose key is not VERIFIED copies nothing.
    - If the venue does not answer now, the account is kept as UNVERIFIED and can be verified later.
    """

    uow: UnitOfWorkFactory
    vault: Vault
    verify: VerifyAccount

    async def __call__(self, user_id: UserId, venue: Venue, label: str, key: ApiKey) -> TradingAccount:
        """Return the new account; InvalidValue for an unusable label."""
        name = label.strip()
        if not name or len(name) > _LABEL_MAX or not name.isprintable():
            raise InvalidValue(f"A label has 1 to {_LABEL_MAX} printable characters.")
        async with self.uow() as work:
            account = await work.accounts.add(user_id, venue, name)
            account.sealed = self.vault.seal(account.id, venue, key)
            await work.accounts.save(account)
            await work.commit()
        try:
            return await self.verify(user_id, account.id)
        except VenueError:
            return account  # UNVERIFIED says it: nobody could ask the venue


class NoKey(InvalidValue):
    """The account has no stored key to ask the venue with."""

    code = "no_key"


class KeyNotUsable(InvalidValue):
    """The account's key is not verified, so nothing may be started on it."""

    code = "key_not_usable"


async def owned_account(uow: UnitOfWorkFactory, user_id: UserId, account_id: AccountId) -> TradingAccount:
    """Return the user's own account, or raise NotFound: another user's is not said to exist."""
    async with uow() as work:
        account = await work.accounts.get(account_id)
    return only_if_owned(account, user_id)


def only_if_owned(account: TradingAccount, user_id: UserId) -> TradingAccount:
    """Return the account if it is the user's, else raise NotFound in the words of an absent one."""
    if account.user_id != user_id:
        raise NotFound("There is no such account.")
    return account


def check_usable(account: TradingAccount) -> None:
    """Raise KeyNotUsable unless the account's key is verified."""
    if account.key_state is not KeyState.VERIFIED:
        raise KeyNotUsable(f"The account's API key is {account.key_state.value}; it must be VERIFIED.")
