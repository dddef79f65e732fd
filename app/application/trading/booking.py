"""Booking: from locked rows and evidence to everything that changes. Pure; the rules of money live here once.

Rules.
 - A fill is booked by the venue's trade id, once, whatever told of it.
 - A status never goes back: evidence that is older than what is stored adds its fills and nothing else.
 - A fill captures its margin and fee from the trade's hold; when the trade is over and all that the venue executed is
   booked, the rest of the hold goes back, once.
 - The wallet moves by the venue's own figures (its realised PnL and fee of each fill), so that it stays equal to the
   venue's; what a follow has earned is reckoned from its own fills, since an account's average entry may mix leaders.
 - Only the newest attempt moves the trade; a late execution of an older one is booked all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.application.trading.evidence import Evidence, backoff
from app.application.trading.execution_ports import (
    AttemptKey,
    BookedFill,
    Changes,
    DecisionChange,
    FundsChange,
    LedgerEntry,
    OrderChange,
    StoredAttempt,
    TradeChange,
)
from app.domain.shared.errors import InvariantBroken
from app.domain.shared.events import Event
from app.domain.shared.execution import Fill
from app.domain.shared.ids import AccountId, FollowId, SignalId
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode, DecisionOutcome
from app.domain.trading.events import OrdersRefused
from app.domain.trading.hold import Hold
from app.domain.trading.order import ORDER_LIFECYCLE, Order, OrderState, check_same_order, event_of
from app.domain.trading.position import Position, apply_fill
from app.domain.trading.trade import HOLD_IS_OVER, TRADE_AFTER_ORDER, TRADE_LIFECYCLE, TradeState

PositionKey = tuple[AccountId, Symbol, FollowId]
FillKey = tuple[AccountId, Symbol, str]

NO_PAUSE: Final = timedelta(0)
_TRADE_STEPS: Final = frozenset((source, target) for (source, _), target in TRADE_LIFECYCLE.table.items())


@dataclass(slots=True)
class _Sheet:
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


@dataclass(slots=True)
class _Funds:
    wallet: Money = NO_MONEY
    held: Money = NO_MONEY
    margin: Money = NO_MONEY
    realised: Money = NO_MONEY


@dataclass(slots=True)
class Booking:
    """One batch: give it the evidence in order, then take the changes.

    `positions` must hold every position that a fill may touch, `seen` the fills that are booked already.
    `quarantined` collects evidence that contradicts what was sent; nothing of it is booked.
    """

    attempts: Mapping[str, StoredAttempt]
    seen: frozenset[FillKey]
    positions: Mapping[PositionKey, Position]
    now: datetime
    quarantined: list[tuple[Evidence, str]] = field(default_factory=list)
    _sheets: dict[str, _Sheet] = field(default_factory=dict)
    _positions: dict[PositionKey, Position] = field(default_factory=dict)
    _funds: dict[AccountId, _Funds] = field(default_factory=dict)
    _fills: dict[FillKey, BookedFill] = field(default_factory=dict)
    _ledger: list[LedgerEntry] = field(default_factory=list)

    def take(self, evidence: Evidence) -> None:
        """Work one piece of evidence in; evidence on orders that are not ours is left alone."""
        stored = self.attempts.get(evidence.client_order_id)
        if stored is None:
            return
        sheet = self._sheets.get(evidence.client_order_id) or self._open(stored)
        try:
            self._judge(sheet, evidence)
        except InvariantBroken as error:
            self.quarantined.append((evidence, error.message))
            return
        for fill in evidence.fills:
            self._book(sheet, fill)
        self._move_trade(sheet, evidence)

    def _open(self, stored: StoredAttempt) -> _Sheet:
        sheet = _Sheet(
            stored=stored,
            order_state=stored.order_state,
            order_executed=stored.order_executed,
            trade_state=stored.trade_state,
            trade_executed=stored.trade_executed,
            booked=stored.trade_booked,
            hold=Hold(stored.hold, stored.hold_left),
            venue_order_id=stored.venue_order_id,
            looks=stored.looks,
            look_at=stored.look_at,
            retry_at=stored.retry_at,
        )
        self._sheets[stored.client_order_id] = sheet
        return sheet

    def _judge(self, sheet: _Sheet, evidence: Evidence) -> None:
        event = evidence.event
        if any(fill.side is not sheet.stored.side for fill in evidence.fills):
            raise InvariantBroken("The venue reports an execution against the order's side.")
        if evidence.report is not None:
            report = evidence.report
            check_same_order(
                Order(
                    sheet.stored.client_order_id,
                    sheet.stored.side,
                    sheet.stored.order_quantity,
                    sheet.stored.reduce_only,
                    sheet.order_state,
                    sheet.stored.signed_ms,
                    sheet.stored.valid_ms,
                ),
                report,
            )
            event = event_of(report)
            sheet.venue_order_id = sheet.venue_order_id or report.order_id
            if report.executed > sheet.order_executed:
                sheet.trade_executed = Quantity(sheet.trade_executed + report.executed - sheet.order_executed)
                sheet.order_executed = report.executed
                sheet.average_price = report.average_price
        if event is not None and ORDER_LIFECYCLE.allows(sheet.order_state, event):
            sheet.order_state = ORDER_LIFECYCLE.after(sheet.order_state, event)
            sheet.look_at = evidence.look_at
            sheet.retry_at = evidence.retry_at
            sheet.code = evidence.code
            sheet.message = evidence.message
        elif event is None and evidence.look_at is not None:
            sheet.look_at = evidence.look_at  # nothing was learned; it is looked up again later
        if evidence.looks is not None:
            sheet.looks = evidence.looks
        sheet.acked = sheet.acked or evidence.acked

    def _book(self, sheet: _Sheet, fill: Fill) -> None:
        stored = sheet.stored
        fill_key = (stored.account_id, stored.symbol, fill.trade_id)
        if fill_key in self.seen or fill_key in self._fills:
            return
        key = (stored.account_id, stored.symbol, stored.key.follow_id)
        position = self._positions.get(key) or self.positions[key]
        effect = apply_fill(position, fill.side, fill.price, fill.quantity, fill.fee, stored.leverage)
        self._positions[key] = effect.position
        sheet.booked = Quantity(sheet.booked + fill.quantity)
        if sheet.booked > sheet.trade_executed:
            sheet.order_executed = Quantity(sheet.order_executed + sheet.booked - sheet.trade_executed)
            sheet.trade_executed = sheet.booked
        needed = Money(max(effect.margin_added + (fill.fee if effect.margin_added else NO_MONEY), NO_MONEY))
        sheet.hold, captured = sheet.hold.capture(needed)
        funds = self._funds.setdefault(stored.account_id, _Funds())
        funds.held = Money(funds.held - captured)
        funds.margin = Money(funds.margin + effect.margin_added - effect.margin_freed)
        funds.wallet = Money(funds.wallet + fill.realised_pnl - fill.fee)
        funds.realised = Money(funds.realised + fill.realised_pnl - fill.fee)
        self._fills[fill_key] = BookedFill(stored.key, stored.account_id, fill)
        for kind, amount in (("REALISED_PNL", fill.realised_pnl), ("FEE", Money(-fill.fee))):
            if amount:
                entry_key = f"{kind}:{stored.symbol}:{fill.trade_id}"
                self._ledger.append(
                    LedgerEntry(stored.account_id, entry_key, kind, amount, stored.symbol, fill.at)
                )

    def _move_trade(self, sheet: _Sheet, evidence: Evidence) -> None:
        if sheet.stored.key.attempt == sheet.stored.trade_attempt:
            target = TRADE_AFTER_ORDER[sheet.order_state]
            if _leaves_a_rest(sheet, evidence):
                target = TradeState.WAITING
                pause = (
                    backoff(sheet.stored.key.attempt)
                    if sheet.order_state is not OrderState.FILLED
                    else NO_PAUSE
                )
                sheet.retry_at = self.now + pause
            if sheet.order_state is OrderState.ABSENT and evidence.resend:
                target = TradeState.WAITING
                sheet.retry_at = evidence.retry_at or self.now
            if (sheet.trade_state, target) in _TRADE_STEPS:
                sheet.trade_state = target
        if (
            sheet.trade_state in HOLD_IS_OVER
            and sheet.booked >= sheet.trade_executed
            and sheet.hold.remaining
        ):
            sheet.hold, rest = sheet.hold.release()
            funds = self._funds.setdefault(sheet.stored.account_id, _Funds())
            funds.held = Money(funds.held - rest)

    def changes(self) -> Changes:
        """Return everything that the batch changes."""
        sheets = tuple(self._sheets.values())
        return Changes(
            orders=tuple(_order_change(sheet) for sheet in sheets),
            trades=tuple(_trade_change(sheet) for sheet in sheets),
            positions=dict(self._positions),
            funds=tuple(
                FundsChange(account, change.wallet, change.held, change.margin, change.realised)
                for account, change in self._funds.items()
            ),
            fills=tuple(self._fills.values()),
            ledger=tuple(self._ledger),
            decisions=tuple(_failures(sheets)),
            events=tuple(_refusals(sheets, self.now)),
        )

    def outcomes_known(self) -> tuple[FollowId, ...]:
        """Return the follows of which a trade was open and is not any more."""
        open_states = (TradeState.WAITING, TradeState.WORKING, TradeState.ABSENT)
        return tuple(
            sheet.stored.key.follow_id
            for sheet in self._sheets.values()
            if sheet.stored.trade_state in open_states and sheet.trade_state not in open_states
        )


def _leaves_a_rest(sheet: _Sheet, evidence: Evidence) -> bool:
    """Return whether an order that ended leaves something of its trade to be sent again.

    An order that ran out in whole was a part, since the venue caps one order's size. An exit that the venue ended
    before it was done (an empty book, its own reasons) goes on: no close is lost.
    """
    stored = sheet.stored
    if sheet.trade_executed >= stored.trade_quantity:
        return False
    if sheet.order_state is OrderState.FILLED:
        return sheet.order_executed >= stored.order_quantity
    refused_late = sheet.order_state is OrderState.REJECTED and evidence.report is not None
    return stored.reduce_only and (refused_late or sheet.order_state is OrderState.CANCELED)


def positions_touched(attempts: Iterable[StoredAttempt]) -> tuple[PositionKey, ...]:
    """Return the positions that fills of these attempts change."""
    return tuple({(a.account_id, a.symbol, a.key.follow_id) for a in attempts})


def _order_change(sheet: _Sheet) -> OrderChange:
    in_doubt = sheet.order_state in (OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT)
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
        look_at=sheet.look_at if in_doubt else None,
    )


def _trade_change(sheet: _Sheet) -> TradeChange:
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


def _failed(sheets: Iterable[_Sheet], matches: Callable[[_Sheet], bool]) -> Iterable[_Sheet]:
    return (sheet for sheet in sheets if sheet.trade_state is not sheet.stored.trade_state and matches(sheet))


def _failures(sheets: Iterable[_Sheet]) -> Iterable[DecisionChange]:
    for sheet in _failed(sheets, lambda s: s.trade_state in (TradeState.REJECTED, TradeState.ABSENT)):
        refused = sheet.trade_state is TradeState.REJECTED
        code = DecisionCode.VENUE_REFUSED if refused else DecisionCode.ORDER_ABSENT
        words = " ".join(part for part in (sheet.code, sheet.message) if part) or "it said no more than that"
        yield _decided(sheet, DecisionOutcome.FAILED, code, words)
    copied = (TradeState.WORKING, TradeState.FILLED, TradeState.ENDED)
    for sheet in _failed(
        sheets, lambda s: s.stored.trade_state is TradeState.ABSENT and s.trade_state in copied
    ):
        yield _decided(sheet, DecisionOutcome.COPIED, DecisionCode.APPEARED_LATE, "")


def _decided(sheet: _Sheet, outcome: DecisionOutcome, code: DecisionCode, words: str) -> DecisionChange:
    return DecisionChange(
        follow_id=sheet.stored.key.follow_id,
        signal_id=sheet.stored.key.signal_id,
        outcome=outcome,
        code=code.value,
        reason=DECISION_SENTENCES[code].format(venue=words),
    )


def _refusals(sheets: Iterable[_Sheet], now: datetime) -> Iterable[Event]:
    by_signal: dict[SignalId, list[AttemptKey]] = {}
    for sheet in _failed(sheets, lambda s: s.trade_state is TradeState.REJECTED):
        by_signal.setdefault(sheet.stored.key.signal_id, []).append(sheet.stored.key)
    for signal_id, keys in by_signal.items():
        yield OrdersRefused(at=now, signal_id=signal_id, follow_ids=tuple(key.follow_id for key in keys))
