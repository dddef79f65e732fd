"""Limits as Hyperliquid counts them: weight per address and minute, actions per account for what it traded, nonces used
once, and users heard per address.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.engine.account import Account
from simulator.hyperliquid.errors import ActionError
from simulator.limits import Limiter

LIGHT = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus"}
)
LISTS = frozenset({"userFills", "userFillsByTime", "historicalOrders", "userFunding"})
DAY_MS = 86_400_000
ACTIONS_AT_FIRST = 10_000
NONCES_KEPT = 100
USERS_MAX = 10
SUBSCRIPTIONS_MAX = 1000


def info_weight(kind: str) -> int:
    """Return what a question costs before its rows are counted."""
    if kind in LIGHT:
        return 2
    return 60 if kind == "userRole" else 20


def rows_weight(kind: str, answer: object) -> int:
    """Return what the rows of an answer cost."""
    return len(answer) // 20 if kind in LISTS and isinstance(answer, list) else 0


@dataclass(slots=True)
class Weights:
    """Weight per address. Half of the operator's `weight_per_minute` is the limit: 1200 when it is the default."""

    limiter: Limiter

    def take(self, peer: str, weight: int, now_ms: int) -> None:
        """Count; raise Throttled when it is too much."""
        self.limiter.take_weight(f"hyperliquid:{peer}", 2 * weight, now_ms)


@dataclass(slots=True)
class Actions:
    """Actions per account: 10,000, and one more for each USDC traded; `at_first` may be set lower."""

    at_first: int = ACTIONS_AT_FIRST
    used: Counter[str] = field(default_factory=Counter)
    _traded: dict[str, tuple[int, Decimal]] = field(default_factory=dict)

    def traded(self, account: Account) -> Decimal:
        """Return what an account has traded, in USDC."""
        counted, total = self._traded.get(account.account_id, (0, Decimal(0)))
        for fill in account.fills[counted:]:
            total += fill.price * fill.quantity
        self._traded[account.account_id] = len(account.fills), total
        return total

    def take(self, account: Account, count: int, *, cancels: bool) -> None:
        """Count; raise ActionError when the account has used up what it has. Cancellations have twice as many."""
        account_id, traded = account.account_id, self.traded(account)
        cap = self.at_first + int(traded)
        room = min(cap + 100_000, 2 * cap) if cancels else cap
        if self.used[account_id] + count > room:
            raise ActionError(
                f"Too many cumulative requests sent ({self.used[account_id] + count} > {cap}) for cumulative volume "
                f"traded ${traded:.2f}. Place taker orders to free up 1 request per USDC traded."
            )
        self.used[account_id] += count


@dataclass(slots=True)
class Nonces:
    """The highest nonces of each signer: a new one is none of them, and above the lowest."""

    _kept: dict[str, list[int]] = field(default_factory=dict)

    def take(self, signer: str, nonce: int, now_ms: int) -> None:
        """Use a nonce; raise ActionError when it may not be used."""
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            raise ActionError(f"Invalid nonce: {nonce} is too far from the time of the block.")
        kept = self._kept.setdefault(signer, [])
        place = bisect_left(kept, nonce)
        if place < len(kept) and kept[place] == nonce:
            raise ActionError(f"Invalid nonce: duplicate nonce {nonce}")
        if len(kept) >= NONCES_KEPT and place == 0:
            raise ActionError(f"Invalid nonce: {nonce} is below all that are kept")
        insort(kept, nonce)
        del kept[:-NONCES_KEPT]


@dataclass(slots=True)
class Heard:
    """Users and topics that each peer hears."""

    _users: dict[str, Counter[str]] = field(default_factory=dict)
    _topics: Counter[str] = field(default_factory=Counter)

    def add(self, peer: str, user: str) -> str:
        """Count a topic, of a user or of nobody (empty); return why not, empty when it may be heard."""
        users = self._users.setdefault(peer, Counter())
        if user and user not in users and len(users) >= USERS_MAX:
            return f"Cannot track more than {USERS_MAX} total users."
        if self._topics[peer] >= SUBSCRIPTIONS_MAX:
            return f"Cannot subscribe to more than {SUBSCRIPTIONS_MAX} channels."
        self._topics[peer] += 1
        if user:
            users[user] += 1
        return ""

    def drop(self, peer: str, users: Mapping[str, int], topics: int) -> None:
        """Forget the topics of a connection that ended, or that it does not want any more."""
        self._topics[peer] -= topics
        heard = self._users.get(peer, Counter())
        for user, count in users.items():
            heard[user] -= count
            if heard[user] <= 0:
                del heard[user]
