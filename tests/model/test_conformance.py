"""The model's books are the program's: every step that the search takes is the one that Booking takes on the same evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.application.trading.booking import Booking
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import AttemptKey, StoredAttempt
from app.domain.shared.execution import Fill, Leg, OrderReport, OrderStatus
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.domain.trading.order import OrderEvent
from app.domain.trading.position import Position
from tests.model import protocol
from tests.model.books import Books, Flaws, News, take
from tests.model.invariants import search
from tests.model.rules import Rules

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BTC = Symbol("BTC-USDT")
ACCOUNT, FOLLOW, SIGNAL = AccountId(1), FollowId(2), SignalId(UUID(int=3))
STATUS = {
    OrderEvent.SEEN_OPEN: OrderStatus.OPEN,
    OrderEvent.SEEN_PARTIAL: OrderStatus.PARTIAL,
    OrderEvent.SEEN_FILLED: OrderStatus.FILLED,
    OrderEvent.SEEN_CANCELED: OrderStatus.CANCELED,
}


@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        Rules(visibility_bound=True),
        Rules(is_exit=True, lots=1),
        Rules(is_exit=True, visibility_bound=True),
    ],
    ids=["entry", "entry-bounded", "reduce", "close-bounded"],
)
def test_every_step_of_the_search_is_the_step_of_the_programs_booking(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[tuple[Books, News], Books] = {}

    def noted(books: Books, news: News, lots: int, *, is_exit: bool, flaws: Flaws) -> Books:
        after = take(books, news, lots, is_exit=is_exit, flaws=flaws)
        ageless = books._replace(rows=tuple(row._replace(age=0) for row in books.rows))
        asked[ageless, news] = after
        return after

    monkeypatch.setattr(protocol, "take", noted)
    search(rules)
    assert len(asked) > 100
    for (books, news), after in asked.items():
        assert booked(books, news, rules) == told(after, news.attempt), f"{books} {news}"


Told = tuple[str, int, int, str, int, int, int, bool]


def told(books: Books, attempt: int) -> Told:
    row = books.rows[attempt]
    return (
        row.state,
        row.executed,
        row.looks,
        books.trade,
        books.executed,
        books.booked,
        books.hold,
        books.settled,
    )


def booked(books: Books, news: News, rules: Rules) -> Told:
    """Let the program book the evidence on the same trade; the rest of the row is as it was where nothing was said of it."""
    stored = _stored(books, news.attempt, rules)
    position = _position(books, rules)
    booking = Booking(
        attempts={stored.client_order_id: stored},
        seen=frozenset((ACCOUNT, BTC, str(fill)) for fill in books.seen),
        positions={(ACCOUNT, BTC, FOLLOW): position},
        now=NOW,
    )
    booking.take(_evidence(stored, news))
    assert not booking.quarantined
    changes = booking.changes()
    [order], [trade] = changes.orders, changes.trades
    return (
        order.state,
        int(order.executed),
        order.looks,
        trade.state,
        int(trade.executed),
        int(trade.booked),
        int(trade.hold_left),
        trade.settled,
    )


def _stored(books: Books, attempt: int, rules: Rules) -> StoredAttempt:
    row = books.rows[attempt]
    return StoredAttempt(
        key=AttemptKey(FOLLOW, SIGNAL, Leg.EXIT if rules.is_exit else Leg.ENTRY, attempt),
        account_id=ACCOUNT,
        venue=Venue.BINANCE_USDM,
        symbol=BTC,
        side=Side.SELL if rules.is_exit else Side.BUY,
        reduce_only=rules.is_exit,
        client_order_id=ClientOrderId(f"c{attempt}"),
        order_state=row.state,
        signed_ms=0,
        valid_ms=5000,
        order_quantity=_lots(row.quantity),
        order_executed=_lots(row.executed),
        venue_order_id=None,
        looks=row.looks,
        trade_state=books.trade,
        trade_attempt=books.attempt,
        trade_quantity=_lots(rules.lots),
        trade_executed=_lots(books.executed),
        trade_booked=_lots(books.booked),
        leverage=1,
        hold=Money(Decimal(0 if rules.is_exit else rules.lots)),
        hold_left=Money(Decimal(books.hold)),
    )


def _position(books: Books, rules: Rules) -> Position:
    held = rules.held - books.booked if rules.is_exit else books.booked
    return Position(quantity=Decimal(held), cost=Money(Decimal(held)), margin=Money(Decimal(held)))


def _evidence(stored: StoredAttempt, news: News) -> Evidence:
    report = None
    if news.event in STATUS and news.executed is not None:
        report = OrderReport(
            venue=stored.venue,
            symbol=BTC,
            order_id="v",
            client_order_id=stored.client_order_id,
            side=stored.side,
            status=STATUS[news.event],
            quantity=stored.order_quantity,
            executed=_lots(news.executed),
            average_price=None,
            reduce_only=stored.reduce_only,
            at=NOW,
        )
    return Evidence(
        stored.client_order_id,
        report=report,
        event=None if report else news.event,
        fills=tuple(_fill(stored, fill) for fill in news.fills),
        looks=news.looks,
        resend=news.resend,
    )


def _fill(stored: StoredAttempt, trade_id: tuple[int, int]) -> Fill:
    return Fill(
        venue=stored.venue,
        symbol=BTC,
        trade_id=str(trade_id),
        order_id="v",
        client_order_id=stored.client_order_id,
        side=stored.side,
        price=Price(Decimal(1)),
        quantity=_lots(1),
        fee=NO_MONEY,
        realised_pnl=NO_MONEY,
        at=NOW,
    )


def _lots(number: int) -> Quantity:
    return Quantity(Decimal(number))
