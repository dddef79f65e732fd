"""Hypothesis strategies for every stored aggregate, over the whole range that its columns hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId, SignalId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource, SignalState
from app.domain.users.account import KeyState, TradingAccount
from app.domain.users.follow import Follow, FollowState
from app.domain.users.user import Role, User, UserState
from app.domain.whales.whale import Whale, WhaleState, WhaleTier

T = TypeVar("T")

ATOM = "0.000000000000000001"
IDS = st.integers(1, 2**63 - 1)
VERSIONS = st.integers(1, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
SYMBOLS = st.from_regex(r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}", fullmatch=True).map(Symbol)


def amounts(low: str, high: str = "9999999999.999999999999999999") -> st.SearchStrategy[Decimal]:
    """Decimals with 18 places between two bounds, drawn as whole atoms so that nothing is rounded on the way."""
    atoms = [int(Context(prec=60).scaleb(Decimal(bound), 18)) for bound in (low, high)]
    return st.integers(*atoms).map(lambda number: Decimal(f"{number}e-18"))


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


POSITIVE = amounts(ATOM)
USERS = st.builds(
    User,
    id=IDS.map(UserId),
    name=TEXTS,
    role=st.sampled_from(Role),
    state=st.sampled_from(UserState),
    version=VERSIONS,
)
ACCOUNTS = st.builds(
    TradingAccount,
    id=IDS.map(AccountId),
    user_id=IDS.map(UserId),
    venue=st.sampled_from(Venue),
    label=TEXTS,
    sealed=st.binary(max_size=300),
    key_state=st.sampled_from(KeyState),
    key_reason=TEXTS,
    version=VERSIONS,
)
TERMS: st.SearchStrategy[CopyTerms] = st.one_of(
    [
        st.builds(
            CopyTerms,
            mode=st.just(mode),
            value=amounts(ATOM) if mode is CopyMode.FIXED_AMOUNT else amounts(ATOM, "100"),
            leverage_max=st.integers(1, 125),
            order_notional_max=maybe(POSITIVE.map(Money)),
            drift_max=amounts(ATOM, "0.1").map(Ratio),
            sides=st.frozensets(st.sampled_from(Side), min_size=1),
            symbols_allowed=st.frozensets(SYMBOLS, max_size=4),
            symbols_denied=st.frozensets(SYMBOLS, max_size=4),
            tiny=st.sampled_from(TinyPolicy),
            tiny_factor_max=amounts("1", "10").map(Ratio),
        )
        for mode in CopyMode
    ]
)
FOLLOWS = st.builds(
    Follow,
    id=IDS.map(FollowId),
    user_id=IDS.map(UserId),
    whale_id=IDS.map(WhaleId),
    account_id=IDS.map(AccountId),
    terms=TERMS,
    state=st.sampled_from(FollowState),
    version=VERSIONS,
)
WHALES = st.builds(
    Whale,
    id=IDS.map(WhaleId),
    name=TEXTS,
    venue=st.sampled_from(Venue),
    account_id=IDS.map(AccountId),
    tier=st.sampled_from(WhaleTier),
    state=st.sampled_from(WhaleState),
    version=VERSIONS,
)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    action = draw(st.sampled_from([each for each in Action if each is not Action.FLIP]))
    is_exit = action.is_exit
    return Signal(
        id=SignalId(draw(st.uuids().map(lambda found: UUID(int=found.int)))),
        source=draw(st.sampled_from(SignalSource)),
        whale_id=WhaleId(draw(IDS)),
        venue=draw(st.sampled_from(Venue)),
        symbol=draw(SYMBOLS),
        action=action,
        side=draw(st.sampled_from(Side)),
        quantity=Quantity(draw(POSITIVE)),
        fraction=draw(amounts(ATOM, "1")) if is_exit else Decimal(1),
        reference_price=Price(draw(POSITIVE)),
        priority=draw(st.sampled_from(Priority)),
        leader_at=draw(TIMES),
        created_at=draw(TIMES),
        trace_id=draw(TEXTS),
        leader_equity=draw(maybe(amounts("-999999999999999999.999999999999999999").map(Money))),
        leader_leverage=draw(maybe(st.integers(1, 125))),
        expires_at=None if is_exit else draw(maybe(TIMES)),
        scope=draw(maybe(IDS.map(FollowId))),
        flip=draw(st.booleans()),
        state=draw(st.sampled_from(SignalState)),
        version=draw(VERSIONS),
    )


LIMITS = st.builds(
    Limits,
    order_notional_max=maybe(amounts("0")),
    symbol_notional_max=maybe(amounts("0")),
    total_notional_max=maybe(amounts("0")),
    daily_loss_max=maybe(amounts("0")),
    drawdown_max=maybe(amounts("0", "1")),
    leverage_max=maybe(st.integers(0, 125)),
    positions_max=maybe(st.integers(0, 1000)),
)
HALTS = st.builds(
    Halt,
    scope=st.sampled_from([HaltScope.VENUE, HaltScope.USER]),
    target=TEXTS.filter(bool),
    reason=TEXTS.filter(str.strip),
    at=TIMES,
) | st.builds(
    Halt, scope=st.just(HaltScope.PLATFORM), target=st.just(""), reason=TEXTS.filter(str.strip), at=TIMES
)
