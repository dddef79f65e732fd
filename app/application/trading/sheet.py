"""The work sheet of one attempt and its trade while a batch of evidence is worked through, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import (
    AttemptKey,
    DecisionChange,
    OrderChange,
    StoredAttempt,
    TradeChange,
)
from app.domain.shared.events import Event
from app.domain.shared.ids import SignalId
from app.domain.shared.money import Price, Quantity
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode, DecisionOutcome
from app.domain.trading.events import ExitGivenUp, OrdersRefused
from app.domain.trading.hold import Hold
from app.domain.trading.order import OrderState
from app.domain.trading.trade import HOLD_IS_OVER, TradeState

_LOOKED_UP: Final = frozenset(
    {OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT, OrderState.OPEN, OrderState.PARTIAL}
)
"""States in which an attempt stays on the list of what is looked up: in doubt, given up, or resting at the venue."""


@dataclass(slots=True)
class Sheet:
    """One attempt and its trade while the batch is worked through."""

    stored: StoredAttempt
    order_state: OrderState
    order_executed: Quantity
    trade_state: TradeState
    trade_executed: Quantity
    booked: Quantity
    hold: Hold
    venue_order_id: str | None
    looks: int
    average_price: Price | None = None
    code: str | None = None
    message: str | None = None
    look_at: datetime | None = None
    retry_at: datetime | None = None
    acked: bool = False
    nothing_left: bool = False


def leaves_a_rest(sheet: Sheet, evidence: Evidence) -> bool:
    """Return whether an order that ended leaves something of its trade to be sent again.

    An order that ran out in whole was a part, since the venue caps one order's size. An exit that the venue ended
    before it was done (an empty book, its own reasons) goes on: no close is lost.
    """
    stored = sheet.stored
    if sheet.trade_executed >= stored.trade_quantity:
        return False
    if sheet.order_state is OrderState.FILLED:
        return sheet.order_executed >= stored.order_quantity
    told_late = evidence.report is not None or evidence.resend
    refused_late = sheet.order_state is OrderState.REJECTED and told_late
    return stored.reduce_only and (refused_late or sheet.order_state is OrderState.CANCELED)


def order_change(sheet: Sheet) -> OrderChange:
    """Return what the attempt becomes."""
    return OrderChange(
        key=sheet.stored.key,
        state=sheet.order_state,
        venue_order_id=sheet.venue_order_id,
        executed=sheet.order_executed,
        average_price=sheet.average_price,
        code=sheet.code,
        message=sheet.message,
        acked=sheet.acked,
        looks=sheet.looks,
        look_at=sheet.look_at if sheet.order_state in _LOOKED_UP else None,
    )


def trade_change(sheet: Sheet) -> TradeChange:
    """Return what the trade becomes."""
    over = sheet.trade_state in HOLD_IS_OVER
    return TradeChange(
        key=sheet.stored.key,
        state=sheet.trade_state,
        executed=sheet.trade_executed,
        booked=sheet.booked,
        hold_left=sheet.hold.remaining,
        settled=over and sheet.booked >= sheet.trade_executed,
        retry_at=sheet.retry_at if sheet.trade_state is TradeState.WAITING else None,
    )


def _changed(sheets: Iterable[Sheet], matches: Callable[[Sheet], bool]) -> Iterable[Sheet]:
    return (sheet for sheet in sheets if sheet.trade_state is not sheet.stored.trade_state and matches(sheet))


def failures(sheets: Iterable[Sheet]) -> Iterable[DecisionChange]:
    """Return the decisions that fail now, and those whose order appeared late."""
    for sheet in _changed(sheets, lambda s: s.trade_state in (TradeState.REJECTED, TradeState.ABSENT)):
        refused = sheet.trade_state is TradeState.REJECTED
        absent = DecisionCode.COINS_MISSING if _coins_are_missing(sheet) else DecisionCode.ORDER_ABSENT
        code = DecisionCode.VENUE_REFUSED if refused else absent
        words = " ".join(part for part in (sheet.code, sheet.message) if part) or "it said no more than that"
        yield _decided(sheet, DecisionOutcome.FAILED, code, words)
    copied = (TradeState.WORKING, TradeState.WAITING, TradeState.FILLED, TradeState.ENDED)
    for sheet in _changed(
        sheets, lambda s: s.stored.trade_state is TradeState.ABSENT and s.trade_state in copied
    ):
        yield _decided(sheet, DecisionOutcome.COPIED, DecisionCode.APPEARED_LATE, "")


def _decided(sheet: Sheet, outcome: DecisionOutcome, code: DecisionCode, words: str) -> DecisionChange:
    return DecisionChange(
        follow_id=sheet.stored.key.follow_id,
        signal_id=sheet.stored.key.signal_id,
        outcome=outcome,
        code=code.value,
        reason=DECISION_SENTENCES[code].format(venue=words),
    )


def refusals(sheets: Iterable[Sheet], now: datetime) -> Iterable[Event]:
    """Return the news of what the venue refused, and of exits that are given up."""
    by_signal: dict[SignalId, list[AttemptKey]] = {}
    for sheet in _changed(sheets, lambda s: s.trade_state is TradeState.REJECTED):
        by_signal.setdefault(sheet.stored.key.signal_id, []).append(sheet.stored.key)
    for signal_id, keys in by_signal.items():
        yield OrdersRefused(at=now, signal_id=signal_id, follow_ids=tuple(key.follow_id for key in keys))
    for sheet in _changed(sheets, _gives_an_exit_up):
        stored = sheet.stored
        yield ExitGivenUp(
            at=now,
            account_id=stored.account_id,
            follow_id=stored.key.follow_id,
            signal_id=stored.key.signal_id,
            symbol=stored.symbol,
        )


def _coins_are_missing(sheet: Sheet) -> bool:
    return sheet.code == DecisionCode.COINS_MISSING


def _gives_an_exit_up(sheet: Sheet) -> bool:
    """Return whether an exit is not sent again though its follow holds what it was to close."""
    if sheet.trade_state is TradeState.REJECTED:
        return sheet.stored.reduce_only and not sheet.nothing_left
    return sheet.trade_state is TradeState.ABSENT and _coins_are_missing(sheet)
