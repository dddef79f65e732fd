"""Rows and aggregates: for each aggregate one function that reads a row and one that gives the values to write.

Pure, and exact in both directions: what is read back equals what was written. Values leave out what the database or
the repositories own: identity, version and lease.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeAlias

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId, SignalId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity, Ratio
from app.domain.shared.protection_terms import of_plain, to_plain
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource, SignalState
from app.domain.users.account import KeyState, TradingAccount
from app.domain.users.follow import Follow, FollowState
from app.domain.users.user import Role, User, UserState
from app.domain.whales.whale import Whale, WhaleState, WhaleTier


class Columns(Protocol):
    """A row as the driver gives it: column name to value."""

    def __getitem__(self, name: str, /) -> Any: ...


Values: TypeAlias = dict[str, object]
"""Column name to the value to write."""

LOOKS_STORED_MAX: Final = 32_767
"""A doubt of a week looks more often than a SMALLINT counts; no rule counts that far."""
LIMIT_NAMES: Final = (
    "order_notional_max",
    "symbol_notional_max",
    "total_notional_max",
    "daily_loss_max",
    "drawdown_max",
    "leverage_max",
    "positions_max",
)


def user_of(row: Columns) -> User:
    """Read a row of `users`."""
    return User(
        id=UserId(row["id"]),
        name=row["name"],
        role=Role(row["role"]),
        state=UserState(row["state"]),
        version=row["version"],
    )


def user_values(user: User) -> Values:
    """Write to `users`."""
    return {"name": user.name, "role": user.role.value, "state": user.state.value}


def account_of(row: Columns) -> TradingAccount:
    """Read a row of `accounts`."""
    return TradingAccount(
        id=AccountId(row["id"]),
        user_id=UserId(row["user_id"]),
        venue=Venue(row["venue"]),
        label=row["label"],
        sealed=bytes(row["sealed"]),
        key_state=KeyState(row["key_state"]),
        key_reason=row["key_reason"],
        hedged=row["hedged"],
        version=row["version"],
    )


def account_values(account: TradingAccount) -> Values:
    """Write to `accounts`."""
    return {
        "user_id": account.user_id,
        "venue": account.venue.value,
        "label": account.label,
        "sealed": account.sealed,
        "key_state": account.key_state.value,
        "key_reason": account.key_reason,
        "hedged": account.hedged,
    }


def terms_of(row: Columns) -> CopyTerms:
    """Read the terms out of a row of `follows`."""
    notional_max = row["order_notional_max"]
    return CopyTerms(
        mode=CopyMode(row["mode"]),
        value=row["value"],
        leverage_max=row["leverage_max"],
        order_notional_max=None if notional_max is None else Money(notional_max),
        drift_max=Ratio(row["drift_max"]),
        sides=frozenset(Side(side) for side in row["sides"]),
        symbols_allowed=frozenset(Symbol(name) for name in row["symbols_allowed"]),
        symbols_denied=frozenset(Symbol(name) for name in row["symbols_denied"]),
        protection=of_plain(row["protection"]),
        tiny=TinyPolicy(row["tiny"]),
        tiny_factor_max=Ratio(row["tiny_factor_max"]),
    )


def terms_values(terms: CopyTerms) -> Values:
    """Write the terms to `follows`; sets become sorted arrays, so that equal terms are equal rows."""
    return {
        "mode": terms.mode.value,
        "value": terms.value,
        "leverage_max": terms.leverage_max,
        "order_notional_max": terms.order_notional_max,
        "drift_max": terms.drift_max,
        "sides": sorted(side.value for side in terms.sides),
        "symbols_allowed": sorted(terms.symbols_allowed),
        "symbols_denied": sorted(terms.symbols_denied),
        "protection": to_plain(terms.protection),
        "tiny": terms.tiny.value,
        "tiny_factor_max": terms.tiny_factor_max,
    }


def follow_of(row: Columns) -> Follow:
    """Read a row of `follows`."""
    return Follow(
        id=FollowId(row["id"]),
        user_id=UserId(row["user_id"]),
        whale_id=WhaleId(row["whale_id"]),
        account_id=AccountId(row["account_id"]),
        terms=terms_of(row),
        state=FollowState(row["state"]),
        version=row["version"],
    )


def follow_values(follow: Follow) -> Values:
    """Write to `follows`."""
    return {
        "user_id": follow.user_id,
        "whale_id": follow.whale_id,
        "account_id": follow.account_id,
        "state": follow.state.value,
        **terms_values(follow.terms),
    }


def whale_of(row: Columns) -> Whale:
    """Read a row of `whales`."""
    return Whale(
        id=WhaleId(row["id"]),
        name=row["name"],
        venue=Venue(row["venue"]),
        account_id=AccountId(row["account_id"]),
        tier=WhaleTier(row["tier"]),
        state=WhaleState(row["state"]),
        version=row["version"],
    )


def whale_values(whale: Whale) -> Values:
    """Write to `whales`."""
    return {
        "name": whale.name,
        "venue": whale.venue.value,
        "account_id": whale.account_id,
        "tier": whale.tier.value,
        "state": whale.state.value,
    }


def signal_of(row: Columns) -> Signal:
    """Read a row of `signals`; sequence number, owner and lease stay behind."""
    equity, scope = row["leader_equity"], row["scope"]
    return Signal(
        id=SignalId(row["id"]),
        source=SignalSource(row["source"]),
        whale_id=WhaleId(row["whale_id"]),
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        action=Action(row["action"]),
        side=Side(row["side"]),
        quantity=Quantity(row["quantity"]),
        fraction=row["fraction"],
        reference_price=Price(row["reference_price"]),
        priority=Priority(row["priority"]),
        leader_at=row["leader_at"],
        created_at=row["created_at"],
        trace_id=row["trace_id"],
        leader_equity=None if equity is None else Money(equity),
        leader_leverage=row["leader_leverage"],
        expires_at=row["expires_at"],
        scope=None if scope is None else FollowId(scope),
        flip=row["flip"],
        state=SignalState(row["state"]),
        version=row["version"],
    )


def signal_values(signal: Signal) -> Values:
    """Write to `signals`, the id included: it is a function of what asked for the signal."""
    return {
        "id": signal.id,
        "source": signal.source.value,
        "whale_id": signal.whale_id,
        "venue": signal.venue.value,
        "symbol": signal.symbol,
        "action": signal.action.value,
        "is_exit": signal.is_exit,
        "side": signal.side.value,
        "quantity": signal.quantity,
        "fraction": signal.fraction,
        "reference_price": signal.reference_price,
        "leader_equity": signal.leader_equity,
        "leader_leverage": signal.leader_leverage,
        "priority": int(signal.priority),
        "lane": signal.lane.value,
        "leader_at": signal.leader_at,
        "created_at": signal.created_at,
        "expires_at": signal.expires_at,
        "scope": signal.scope,
        "flip": signal.flip,
        "trace_id": signal.trace_id,
        "state": signal.state.value,
    }


def limits_of(row: Columns) -> Limits:
    """Read a row of `user_limits`."""
    return Limits(**{name: row[name] for name in LIMIT_NAMES})


def limits_values(limits: Limits) -> Values:
    """Write to `user_limits`."""
    return {name: getattr(limits, name) for name in LIMIT_NAMES}


def halt_of(row: Columns) -> Halt:
    """Read a row of `halts`."""
    return Halt(scope=HaltScope(row["scope"]), target=row["target"], reason=row["reason"], at=row["at"])


def halt_values(halt: Halt) -> Values:
    """Write to `halts`."""
    return {"scope": halt.scope.value, "target": halt.target, "reason": halt.reason, "at": halt.at}
