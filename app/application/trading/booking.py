"""Booking: from locked rows and evidence to everything that changes. Pure; the rules of money live here once.

Rules.
 - A fill is booked by the venue's trade id, once, whatever told of it.
 - A status never goes back: evidence that is older than what is stored adds its fills and nothing else.
 - A fill captures its margin and fee from the trade's hold; when the trade is over and all that the venue executed is
   booked, the rest of the hold goes back, once.
 - The wallet moves by the venue's own figures (its realised PnL and fee of each fill), so that it stays equal to the
   venue's; what a follow has earned is reckoned from its own fills, since an account's average entry may mix leaders.
 - A spot venue knows no profit: there it is that of the coins sold, and the wallet is quote currency together with what
   the coins held were bought for. A fee kept in coins makes the lot smaller.
 - Only the newest attempt moves the trade; a late execution of an older one is booked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from app.application.trading.evidence import Evidence, backoff, resting_pause
from app.application.trading.execution_ports import (
    BookedFill,
    Changes,
    FundsChange,
    LedgerEntry,
    StoredAttempt,
)
from app.application.trading.sheet import Sheet, failures, leaves_a_rest, order_change, refusals, trade_change
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.errors import InvariantBroken
from app.domain.shared.execution import Fill
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.market import MarketKind, Symbol
from app.domain.shared.money import NO_MONEY, Money, Quantity
from app.domain.trading.hold import Hold
from app.domain.trading.order import ORDER_LIFECYCLE, Order, OrderState, check_same_order, event_of
from app.domain.trading.position import Position, apply_fill
from app.domain.trading.trade import HOLD_IS_OVER, TRADE_AFTER_ORDER, TRADE_LIFECYCLE, TradeState

PositionKey = tuple[AccountId, Symbol, FollowId]
FillKey = tuple[AccountId, Symbol, str]

NO_PAUSE: Final = timedelta(0)
_TRADE_STEPS: Final = frozenset((source, target) for (source, _), target in TRADE_LIFECYCLE.table.items())


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
    _sheets: dict[str, Sheet] = field(default_factory=dict)
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

    def _open(self, stored: StoredAttempt) -> Sheet:
        sheet = Sheet(
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

    def _judge(self, sheet: Sheet, evidence: Evidence) -> None:
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
            resting = sheet.order_state in (OrderState.OPEN, OrderState.PARTIAL)
            sheet.look_at = self.now + resting_pause(sheet.looks) if resting else evidence.look_at
            if evidence.retry_at is not None and sheet.stored.key.attempt == sheet.stored.trade_attempt:
                sheet.retry_at = evidence.retry_at
            sheet.code = evidence.code
            sheet.message = evidence.message
            sheet.nothing_left = evidence.nothing_left
        elif event is None and evidence.look_at is not None:
            sheet.look_at = evidence.look_at  # nothing was learned; it is looked up again later
        if evidence.forget:
            sheet.look_at = None
        if evidence.looks is not None:
            sheet.looks = evidence.looks
        sheet.acked = sheet.acked or evidence.acked

    def _book(self, sheet: Sheet, fill: Fill) -> None:
        stored = sheet.stored
        fill_key = (stored.account_id, stored.symbol, fill.trade_id)
        if fill_key in self.seen or fill_key in self._fills:
            return
        key = (stored.account_id, stored.symbol, stored.key.follow_id)
        position = self._positions.get(key) or self.positions[key]
        kept = Quantity(fill.quantity - fill.base_fee)
        effect = apply_fill(position, fill.side, fill.price, kept, fill.fee, stored.leverage)
        if CAPABILITIES[stored.venue].kind is MarketKind.SPOT:
            fill = replace(fill, realised_pnl=effect.realised)
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

    def _move_trade(self, sheet: Sheet, evidence: Evidence) -> None:
        if sheet.stored.key.attempt == sheet.stored.trade_attempt:
            target = TRADE_AFTER_ORDER[sheet.order_state]
            if leaves_a_rest(sheet, evidence):
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
            orders=tuple(order_change(sheet) for sheet in sheets),
            trades=tuple(trade_change(sheet) for sheet in sheets),
            positions=dict(self._positions),
            funds=tuple(
                FundsChange(account, change.wallet, change.held, change.margin, change.realised)
                for account, change in self._funds.items()
            ),
            fills=tuple(self._fills.values()),
            ledger=tuple(self._ledger),
            decisions=tuple(failures(sheets)),
            events=tuple(refusals(sheets, self.now)),
        )

    def outcomes_known(self) -> tuple[FollowId, ...]:
        """Return the follows of which a trade was open and is not any more."""
        open_states = (TradeState.WAITING, TradeState.WORKING, TradeState.ABSENT)
        return tuple(
            sheet.stored.key.follow_id
            for sheet in self._sheets.values()
            if sheet.stored.trade_state in open_states and sheet.trade_state not in open_states
        )


def positions_touched(attempts: Iterable[StoredAttempt]) -> tuple[PositionKey, ...]:
    """Return the positions that fills of these attempts change."""
    return tuple({(a.account_id, a.symbol, a.key.follow_id) for a in attempts})
