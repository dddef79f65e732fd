"""Short ways to make domain values; every default is harmless, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from app.domain.risk.exposure import Exposure
from app.domain.shared.errors import IllegalTransition
from app.domain.shared.execution import Action, Fill
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Instrument, Side, Symbol, Venue, symbol
from app.domain.shared.money import NO_MONEY, NO_QUANTITY, Money, Price, Quantity, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms
from app.domain.trading.copying import Follower, LeaderTrade

D = Decimal
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BTC: Final = symbol("BTC-USDT")
ETH: Final = symbol("ETH-USDT")
PROPERTY: Final = settings(deadline=None, max_examples=100)

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)
Row = tuple[S, E, S | None]


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    """Exact decimals between two bounds, with at most `places` decimals."""
    scale = D(10) ** places
    return st.integers(int(D(low) * scale), int(D(high) * scale)).map(lambda number: D(number) / scale)


def every_pair(table: Lifecycle[S, E], rows: Iterable[tuple[S, E, S]]) -> list[Row[S, E]]:
    """Return each (state, event) with the state that must follow, None where the step must be refused."""
    expected = {(state, event): after for state, event, after in rows}
    state_type = type(next(iter(table.table))[0])
    event_type = type(next(iter(table.table))[1])
    return [(state, event, expected.get((state, event))) for state in state_type for event in event_type]


def check_step(table: Lifecycle[S, E], state: S, event: E, after: S | None) -> None:
    assert table.allows(state, event) is (after is not None)
    assert (state in table.sources(event)) is (after is not None)
    if after is None:
        with pytest.raises(IllegalTransition) as refused:
            table.after(state, event)
        assert refused.value.context["state"] == state.value
    else:
        assert table.after(state, event) is after


def instrument(
    *,
    sym: Symbol = BTC,
    tick: str = "0.1",
    step: str = "0.001",
    least: str = "0.001",
    most: str = "1000",
    notional: str = "5",
    leverage_max: int = 125,
) -> Instrument:
    return Instrument(
        venue=Venue.BINANCE_USDM,
        symbol=sym,
        venue_symbol="BTCUSDT",
        tick=D(tick),
        step=D(step),
        quantity_min=Quantity(D(least)),
        quantity_max=Quantity(D(most)),
        notional_min=Money(D(notional)),
        leverage_max=leverage_max,
    )


def fill(
    trade_id: str = "1",
    side: Side = Side.BUY,
    quantity: str = "1",
    price: str = "100",
    *,
    order_id: str = "7",
    sym: Symbol = BTC,
    final: bool = False,
    at: datetime = NOW,
) -> Fill:
    return Fill(
        venue=Venue.BINANCE_USDM,
        symbol=sym,
        trade_id=trade_id,
        order_id=order_id,
        client_order_id="",
        side=side,
        price=Price(D(price)),
        quantity=Quantity(D(quantity)),
        fee=NO_MONEY,
        realised_pnl=NO_MONEY,
        at=at,
        order_final=final,
    )


TERMS: Final = CopyTerms(mode=CopyMode.FIXED_AMOUNT, value=D(500), leverage_max=10)

BUY_ONE: Final = LeaderTrade(
    action=Action.OPEN,
    side=Side.BUY,
    quantity=Quantity(D(1)),
    fraction=D(1),
    price=Price(D(100)),
    mark_price=Price(D(100)),
    instrument=instrument(),
    equity=Money(D(10_000)),
    leverage=5,
)
"""A leader with 10000 opens one coin at 100 with leverage 5."""

CLOSE_LONG: Final = replace(BUY_ONE, action=Action.CLOSE, side=Side.SELL)

ALICE: Final = Follower(
    follow_id=FollowId(11),
    account_id=AccountId(21),
    terms=TERMS,
    active=True,
    paused=False,
    user_active=True,
    key_usable=True,
    wallet=Money(D(1_000)),
    held=D(0),
    entry_open=False,
    exit_open=False,
    exit_pending=NO_QUANTITY,
    leverage_set=5,
    leverage_limit=None,
)
"""A follower with 1000 in the wallet, flat, who puts 500 into each entry."""

CALM: Final = Exposure(
    wallet=Money(D(1_000)),
    free=Money(D(1_000)),
    high_water=Money(D(1_000)),
    realised_today=NO_MONEY,
    symbol_notional=NO_MONEY,
    total_notional=NO_MONEY,
    positions=0,
    other_quantity=D(0),
    entries_halted=False,
)
"""An account with 1000, all of it free."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proposal of new risk; structurally what risk's rules look at."""

    side: Side = Side.BUY
    quantity: Quantity = Quantity(D(1))
    notional: Money = Money(D(100))
    leverage: int = 5
    reference_price: Price = Price(D(100))
    mark_price: Price = Price(D(100))
    drift_max: Ratio = Ratio(D("0.005"))
    opens_position: bool = True
