"""Booking under a venue that tells everything late, twice, out of order or only when asked: nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.application.trading.evidence import Evidence, of_outcome
from app.application.trading.execution_ports import Resend, StoredAttempt
from app.application.trading.ports import Window
from app.domain.exchanges.outcomes import Accepted, DefiniteNo, NotSent, Outcome, RefusalKind, Unknown
from app.domain.shared.execution import Fill, Leg, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.money import Quantity
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.trade import HOLD_IS_OVER, TradeState
from tests.fakes.clock import START
from tests.support.examples import examples
from tests.unit.application.trading.rows import ACCOUNT, Desk, cid, execution, now, put, report
from tests.unit.domain.builders import D

NEVER_LEFT: tuple[Callable[[], Outcome], ...] = (
    lambda: NotSent("no connection"),
    lambda: DefiniteNo(RefusalKind.THROTTLED, "-1003", "slower", timedelta(seconds=1)),
)
ENDED = (OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.NOT_SENT)


@dataclass
class AtVenue:
    """One order as the venue has it."""

    stored: StoredAttempt
    fills: list[Fill] = field(default_factory=list)
    ended: OrderStatus | None = None

    @property
    def executed(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), Decimal(0))

    def says(self) -> Evidence:
        partly = OrderStatus.PARTIAL if self.fills else OrderStatus.OPEN
        told = report(self.stored, self.ended or partly, self.executed)
        return Evidence(self.stored.client_order_id, report=told)


class AnyOrder(RuleBasedStateMachine):
    """Rules act on the venue or hand news over; the invariants look at the books after each."""

    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.venue: dict[ClientOrderId, AtVenue] = {}
        self.in_flight: list[ClientOrderId] = []
        self.news: list[Evidence] = []
        self.told: list[Evidence] = []
        self.last: dict[str, tuple[OrderState, Decimal]] = {}
        self.made = 0

    @rule(size=st.integers(1, 4), way_out=st.booleans(), part=st.booleans())
    def commit(self, size: int, way_out: bool, part: bool) -> None:
        if self.made >= 5:
            return
        self.made += 1
        first = "1" if part else None
        self.in_flight.append(put(self.desk.book, self.made, quantity=str(size), first=first, exit_=way_out))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), lost=st.booleans())
    def the_venue_takes_it(self, data: st.DataObject, lost: bool) -> None:
        one = self._pick(data, self.in_flight)
        order = self.venue[one] = AtVenue(self.desk.book.stored(one))
        told = order.says().report
        assert told is not None
        self._answer(one, Unknown("timeout") if lost else Accepted(told))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), what=st.sampled_from(NEVER_LEFT))
    def it_never_leaves(self, data: st.DataObject, what: Callable[[], Outcome]) -> None:
        self._answer(self._pick(data, self.in_flight), what())

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def the_venue_refuses_it(self, data: st.DataObject) -> None:
        one = self._pick(data, self.in_flight)
        self._answer(one, DefiniteNo(RefusalKind.FILTER, "-1111", "too precise"))

    @rule(data=st.data(), size=st.integers(1, 40), price=st.integers(50, 150), alone=st.booleans())
    def it_executes(self, data: st.DataObject, size: int, price: int, alone: bool) -> None:
        live = [o for o in self.venue.values() if o.ended is None]
        if not live:
            return
        order = data.draw(st.sampled_from(live))
        way_out = order.stored.reduce_only
        quantity = min(D(size) / 10, order.stored.order_quantity - order.executed)
        trade_id = f"{order.stored.client_order_id}/{len(order.fills)}"
        won = D(price - 100)  # the venue's own figure, whatever our lots say
        order.fills.append(
            execution(order.stored, trade_id, quantity, price=D(price), realised=won if way_out else "0")
        )
        if order.executed == order.stored.order_quantity:
            order.ended = OrderStatus.FILLED
        told = order.says()
        fills = (order.fills[-1],)
        self.news.append(Evidence(told.client_order_id, fills=fills, report=None if alone else told.report))

    @rule(data=st.data())
    def it_is_cancelled(self, data: st.DataObject) -> None:
        live = [o for o in self.venue.values() if o.ended is None]
        if live:
            order = data.draw(st.sampled_from(live))
            order.ended = OrderStatus.EXPIRED
            self.news.append(order.says())

    @rule(data=st.data())
    def somebody_asks(self, data: st.DataObject) -> None:
        if self.venue:
            order = data.draw(st.sampled_from(list(self.venue.values())))
            told = order.says()
            self.news.append(Evidence(told.client_order_id, report=told.report, fills=tuple(order.fills)))

    @rule(data=st.data(), many=st.integers(1, 6))
    def news_arrives(self, data: st.DataObject, many: int) -> None:
        batch = [self._pick(data, self.news) for _ in range(min(many, len(self.news)))]
        self._book(batch)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def old_news_arrives_again(self, data: st.DataObject) -> None:
        self._book([data.draw(st.sampled_from(self.told))])

    @rule(data=st.data())
    def an_entry_is_taken_for_absent_too_early(self, data: st.DataObject) -> None:
        doubtful = [
            row.client_order_id
            for row in self.desk.book.orders.values()
            if row.state is OrderState.UNKNOWN and row.key.leg is Leg.ENTRY
        ]
        if doubtful:
            one = data.draw(st.sampled_from(doubtful))
            self._book([Evidence(one, event=OrderEvent.PROVEN_ABSENT, look_at=START)])

    @rule(data=st.data())
    def a_reduction_is_proven_absent_and_waits_to_be_sent_again(self, data: st.DataObject) -> None:
        never_arrived = [
            row.client_order_id
            for row in self.desk.book.orders.values()
            if row.state is OrderState.UNKNOWN
            and row.key.leg is Leg.EXIT
            and row.client_order_id not in self.venue
        ]
        if never_arrived:
            one = data.draw(st.sampled_from(never_arrived))
            when = self.desk.clock.now()
            self._book([Evidence(one, event=OrderEvent.PROVEN_ABSENT, resend=True, retry_at=when)])

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def it_is_lost_on_the_way(self, data: st.DataObject) -> None:
        self._answer(self._pick(data, self.in_flight), Unknown("timeout"))

    @rule()
    def what_waits_is_sent_again(self) -> None:
        self.desk.clock.advance(timedelta(minutes=2))
        for trade in now(self.desk.book.waiting(self.desk.clock.now(), 10, timedelta(seconds=1))):
            attempt = trade.attempt
            number = attempt.key.attempt + 1
            left = Quantity(attempt.trade_quantity - attempt.trade_executed)
            again = cid(attempt.key.signal_id.int, number)
            window = Window(attempt.signed_ms, 5000, self.desk.clock.now())
            self.in_flight.extend(now(self.desk.book.resubmit([Resend(trade, left, again)], window)))

    @invariant()
    def money_adds_up(self) -> None:
        book = self.desk.book
        funds = book.funds.get(ACCOUNT)
        if funds is None:
            return
        assert funds.held == sum(trade.hold_left for trade in book.trades.values())
        assert all(0 <= trade.hold_left <= trade.hold for trade in book.trades.values())
        assert funds.wallet - 10_000 == sum(entry.amount for entry in book.ledger)
        assert funds.margin == sum(position.margin for position in book.kept.values())
        for position in book.kept.values():
            signed = sum(side.sign * quantity for side, quantity, _ in book.fills.values())
            assert position.quantity == signed
        at_venue = [fill for order in self.venue.values() for fill in order.fills]
        booked = [f for f in at_venue if (ACCOUNT, f.symbol, f.trade_id) in book.fills]
        assert funds.wallet - 10_000 == sum(fill.realised_pnl - fill.fee for fill in booked)

    @invariant()
    def nothing_goes_back(self) -> None:
        for name, row in self.desk.book.orders.items():
            before, executed = self.last.get(name, (row.state, row.executed))
            assert row.executed >= executed
            assert before not in ENDED or row.state is before
            self.last[name] = (row.state, row.executed)
        assert self.desk.alarms == []

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        for one in self.in_flight:
            self._answer(one, DefiniteNo(RefusalKind.FILTER, "-1111", "too precise"))
        for order in self.venue.values():
            order.ended = order.ended or OrderStatus.CANCELED
            told = order.says()
            self.news.append(Evidence(told.client_order_id, report=told.report, fills=tuple(order.fills)))
        self._book(self.news)
        self._rule_out_what_never_arrived()
        self.money_adds_up()
        self._everything_is_booked()

    def _rule_out_what_never_arrived(self) -> None:
        book = self.desk.book
        for one, row in list(book.orders.items()):
            if one not in self.venue and row.state in (OrderState.UNKNOWN, OrderState.ABSENT):
                exit_ = row.key.leg is Leg.EXIT
                self._book([Evidence(one, event=OrderEvent.PROVEN_ABSENT, resend=exit_)])
                if self.desk.trade(one).state is TradeState.ABSENT:
                    now(book.abandon([(row.key, "ORDER_ABSENT", "It never appeared.")]))

    def _everything_is_booked(self) -> None:
        book = self.desk.book
        at_venue = {fill.trade_id: fill.quantity for order in self.venue.values() for fill in order.fills}
        assert {trade_id: quantity for (_, _, trade_id), (_, quantity, _) in book.fills.items()} == at_venue
        for name, order in self.venue.items():
            row = book.orders[name]
            assert row.state is (
                OrderState.FILLED if order.ended is OrderStatus.FILLED else OrderState.CANCELED
            )
            assert row.executed == order.executed
        for trade in book.trades.values():
            done = sum(q for _, q, key in book.fills.values() if key.signal_id == trade.key[1])
            assert trade.executed == trade.booked == done
            assert trade.state not in (TradeState.WORKING, TradeState.ABSENT)
            assert trade.settled is (trade.state in HOLD_IS_OVER)
            assert trade.hold_left == 0 or trade.state is TradeState.WAITING

    def _answer(self, one: ClientOrderId, outcome: Outcome) -> None:
        stored = self.desk.book.stored(one)
        when = self.desk.clock.now()
        self.news.append(
            of_outcome(one, outcome, when, is_exit=stored.reduce_only, attempt=stored.key.attempt)
        )

    def _book(self, batch: list[Evidence]) -> None:
        self.told.extend(batch)
        if batch:
            self.desk.take(*batch)

    @staticmethod
    def _pick(data: st.DataObject, where: list[ClientOrderId] | list[Evidence]):  # type: ignore[no-untyped-def]  # one of what it was given
        return where.pop(data.draw(st.integers(0, len(where) - 1)))


AnyOrder.TestCase.settings = examples(120, 30)
test_whatever_the_order_of_the_news_the_books_are_right = AnyOrder.TestCase
