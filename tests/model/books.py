"""Our side of the model: one trade with its attempts, and what one piece of evidence does to them.

Quantities are lots. States are stepped by the program's own tables; test_conformance.py shows that every step which the
search takes is the step that the program's Booking takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.trading.order import ORDER_LIFECYCLE, OrderEvent, OrderState
from app.domain.trading.trade import HOLD_IS_OVER, TRADE_AFTER_ORDER, TRADE_LIFECYCLE, TradeState

ORDER_STEPS = frozenset((source, target) for (source, _), target in ORDER_LIFECYCLE.table.items())
TRADE_STEPS = frozenset((source, target) for (source, _), target in TRADE_LIFECYCLE.table.items())


class Row(NamedTuple):
    """One attempt as stored; `age` is how long ago it was signed, in ticks, as far as that still matters."""

    state: OrderState
    quantity: int
    age: int = 0
    executed: int = 0
    looks: int = 0


class Books(NamedTuple):
    """One trade as stored. `seen` are the venue's trade ids that are booked, `booked` the lots they came to."""

    rows: tuple[Row, ...] = ()
    trade: TradeState = TradeState.WAITING
    booked: int = 0
    hold: int = 0
    settled: bool = False
    seen: frozenset[tuple[int, int]] = frozenset()

    @property
    def attempt(self) -> int:
        return len(self.rows) - 1

    @property
    def executed(self) -> int:
        return sum(row.executed for row in self.rows)


@dataclass(frozen=True)
class News:
    """Evidence on one attempt: what happened, how much the venue says is executed, and trade ids of one lot each."""

    attempt: int
    event: OrderEvent | None = None
    executed: int | None = None
    fills: tuple[tuple[int, int], ...] = ()
    looks: int | None = None
    resend: bool = False


@dataclass(frozen=True)
class Flaws:
    """Wrong rules of booking, each seen in the wild."""

    by_status: bool = False
    by_cumulative_delta: bool = False
    void_on_cancel: bool = False
    free_on_not_found: bool = False


def take(books: Books, news: News, lots: int, *, is_exit: bool, flaws: Flaws = Flaws()) -> Books:
    """Return the books after one piece of evidence; `lots` is the trade's quantity."""
    row = books.rows[news.attempt]
    if news.executed is not None:
        row = row._replace(executed=max(row.executed, news.executed))
    if news.event is not None and ORDER_LIFECYCLE.allows(row.state, news.event):
        row = row._replace(state=ORDER_LIFECYCLE.after(row.state, news.event))
    if news.looks is not None:
        row = row._replace(looks=news.looks)
    books = _with_row(books, news.attempt, row)
    books = _book(books, news, is_exit=is_exit, flaws=flaws)
    books = _move(books, news, lots, is_exit=is_exit)
    return _release(books, flaws)


def _with_row(books: Books, attempt: int, row: Row) -> Books:
    return books._replace(rows=(*books.rows[:attempt], row, *books.rows[attempt + 1 :]))


def _book(books: Books, news: News, *, is_exit: bool, flaws: Flaws) -> Books:
    if flaws.by_status:
        return books
    new = [fill for fill in news.fills if flaws.by_cumulative_delta or fill not in books.seen]
    if not new:
        return books
    booked = books.booked + len(new)
    row = books.rows[news.attempt]
    if booked > books.executed and not flaws.by_cumulative_delta:
        books = _with_row(books, news.attempt, row._replace(executed=row.executed + booked - books.executed))
    hold = books.hold if is_exit else max(0, books.hold - len(new))
    return books._replace(booked=booked, hold=hold, seen=books.seen | frozenset(new))


def _move(books: Books, news: News, lots: int, *, is_exit: bool) -> Books:
    if news.attempt != books.attempt:
        return books
    row = books.rows[news.attempt]
    target = TRADE_AFTER_ORDER[row.state]
    ran_out = row.state is OrderState.FILLED and row.executed >= row.quantity
    cut_short = is_exit and row.state is OrderState.CANCELED
    leaves_a_rest = books.executed < lots and (ran_out or cut_short)
    if leaves_a_rest or (row.state is OrderState.ABSENT and news.resend):
        target = TradeState.WAITING
    return books._replace(trade=target) if (books.trade, target) in TRADE_STEPS else books


def _release(books: Books, flaws: Flaws) -> Books:
    over = books.trade in HOLD_IS_OVER
    complete = books.booked >= books.executed or flaws.by_status
    if flaws.void_on_cancel and over:
        return books._replace(hold=0, settled=complete)
    if flaws.free_on_not_found and books.trade is TradeState.ABSENT:
        return books._replace(trade=TradeState.ABANDONED, hold=0, settled=True)
    return books._replace(hold=0 if over and complete else books.hold, settled=over and complete)


def commit(books: Books, quantity: int) -> Books:
    """Store a new attempt: the trade is at work, nothing has left yet."""
    return books._replace(rows=(*books.rows, Row(OrderState.SUBMITTING, quantity)), trade=TradeState.WORKING)


def abandon(books: Books, *, whatever_is_unbooked: bool) -> Books:
    """Give the trade up for good: the hold goes back."""
    settled = whatever_is_unbooked or books.booked >= books.executed
    return books._replace(trade=TradeState.ABANDONED, hold=0, settled=settled)


def older(books: Books, oldest: int) -> Books:
    """Let one tick pass."""
    return books._replace(rows=tuple(row._replace(age=min(row.age + 1, oldest)) for row in books.rows))


def illegal_steps(before: Books, after: Books) -> Iterable[str]:
    """Name every change of state that the tables do not hold, and every figure that went back."""
    for old, new in zip(before.rows, after.rows, strict=False):
        if old.state is not new.state and (old.state, new.state) not in ORDER_STEPS:
            yield f"order {old.state} to {new.state}"
        if new.executed < old.executed:
            yield "executed went back"
    if before.trade is not after.trade and (before.trade, after.trade) not in TRADE_STEPS:
        yield f"trade {before.trade} to {after.trade}"
    if before.settled and not after.settled and after.booked >= after.executed:
        yield "settled and then not"
