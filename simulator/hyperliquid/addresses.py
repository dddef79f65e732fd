"""Accounts by address. An account whose key is an address is that address, and its secret the private key of its agent;
any other account is the address of its own secret, as a wallet that signs for itself.
"""

from __future__ import annotations

import re
from itertools import islice

from simulator.engine.account import Account
from simulator.engine.state import State
from simulator.hyperliquid.auth import address_of

ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class Addresses:
    """An index over the accounts, brought up to date when it is asked."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._seen = 0
        self._users: dict[str, Account] = {}
        self._signers: dict[str, list[Account]] = {}
        self._of: dict[str, str] = {}

    def _learn(self) -> None:
        accounts = self._state.accounts
        if self._seen == len(accounts):
            return
        for account in islice(accounts.values(), self._seen, None):
            signer = address_of(account.secret)
            key = account.api_key.lower()
            user = key if ADDRESS.fullmatch(key) else signer
            if user:
                self._users[user] = account
                self._of[account.account_id] = user
            if signer:
                self._signers.setdefault(signer, []).append(account)
        self._seen = len(accounts)

    def user(self, address: str) -> Account | None:
        """Return the account that an address is."""
        self._learn()
        return self._users.get(address.lower())

    def address(self, account: Account) -> str:
        """Return an account's address, empty when it has none in this dialect."""
        self._learn()
        return self._of.get(account.account_id, "")

    def signed_for(self, signer: str, vault: str | None) -> Account | None:
        """Return the account that a signer may trade for: its master's, or the one that `vault` names."""
        self._learn()
        allowed = [account for account in self._signers.get(signer, ()) if account.permissions.futures]
        if vault is None:
            return allowed[0] if allowed else None
        return next((account for account in allowed if self.address(account) == vault.lower()), None)

    def agents(self, account: Account) -> list[str]:
        """Return who may sign for an account besides itself."""
        signer = address_of(account.secret)
        approved = signer and account.permissions.futures and signer != self.address(account)
        return [signer] if approved else []

    def master(self, signer: str) -> str:
        """Return whose agent an address is, empty when it is nobody's."""
        account = self.signed_for(signer.lower(), None)
        return self.address(account) if account is not None and self.agents(account) else ""
