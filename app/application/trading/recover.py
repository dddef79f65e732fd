"""Recovery: what a crash, a lost reply or a wait left behind is found in the database and brought to an end.

It runs at the start of a worker and on a beat; start-up and crash recovery are the same code. Rules.
 - An attempt in doubt is looked up at the venue by its client order id. Found: its report and fills are booked.
 - What "not found" means is judged by `Absence`.
 - An entry that rests there though its signal has expired, or its leader has left, is cancelled.
 - An error from the venue says nothing: the attempt stays in doubt and its funds stay held.
 - An entry that waits to be sent again is new risk: what would refuse it now, were it new (a halt, a pause, a stopped
   follow, a loss limit), gives it up. Exits ask nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.absence import Absence, found
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import Doubt, ExecutionBook, Resend, StoredAttempt, WaitingTrade
from app.application.trading.place import Placer, ToSend
from app.application.trading.ports import Quotes, VenueClock, Window
from app.application.trading.settle import Settler
from app.domain.exchanges.ports import GatewayFactory
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.ids import ATTEMPTS_MAX, client_order_id
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue
from app.domain.shared.money import Quantity
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode
from app.domain.trading.order import OrderEvent, OrderState

_BATCH: Final = 200
_HIDE: Final = timedelta(seconds=10)
_LOOK_FIRST: Final = timedelta(seconds=1)
_LOOK_MAX: Final = timedelta(seconds=15)
_UNBOOKED_AFTER: Final = timedelta(seconds=2)
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one pass found and did."""

    looked_up: int
    booked_late: int
    sent_again: int
    given_up: int

    @property
    def nothing(self) -> bool:
        """Whether the pass found everything in order."""
        return not (self.looked_up or self.booked_late or self.sent_again or self.given_up)


@dataclass(frozen=True, slots=True)
class Recover:
    """One pass over everything that was left; see the rules above."""

    book: ExecutionBook
    gateways: GatewayFactory
    placer: Placer
    settler: Settler
    quotes: Quotes
    venue_clock: VenueClock
    clock: Clock
    metrics: Metrics
    id_secret: bytes
    fences: Callable[[Venue], FenceRule]
    absence: Absence

    async def __call__(self) -> Recovered:
        """Look up, book, send again or give up; returns when all of it is in the books."""
        looked_up = await self._look_up_doubts()
        booked_late = await self._book_missing_fills()
        await self.settler.drained()
        sent_again, given_up = await self._serve_waiting()
        await self.settler.drained()
        result = Recovered(looked_up, booked_late, sent_again, given_up)
        self.metrics.count("recovered_attempts", looked_up + booked_late + sent_again + given_up)
        return result

    async def _look_up_doubts(self) -> int:
        doubts = await self.book.doubts(self.clock.now(), _BATCH, _HIDE)
        await in_lanes([self._look_up(doubt) for doubt in doubts], _AT_ONCE)
        return len(doubts)

    async def _look_up(self, doubt: Doubt) -> None:
        attempt = doubt.attempt
        try:
            instrument = await self.quotes.instrument(attempt.venue, attempt.symbol)
            gateway = self.gateways.gateway(attempt.account_id, attempt.venue, doubt.sealed)
            report = await gateway.order(instrument, attempt.client_order_id)
            if report is None and attempt.venue_order_id is not None:
                # A protection that triggered may go by the venue's own id alone.
                report = await gateway.order_by_venue_id(instrument, attempt.venue_order_id)
            if report is not None and self._dangles(doubt, report):
                # Nobody wants it any more, and the leader's close waits for its end.
                report = await gateway.cancel(instrument, attempt.client_order_id) or report
            if report is not None:
                self.settler.submit(await found(gateway, instrument, attempt, report))
                return
            for piece in await self.absence(doubt, gateway, instrument):
                self.settler.submit(piece)
                if piece.code == DecisionCode.COINS_MISSING:
                    self.metrics.count("trades_given_up", leg=attempt.key.leg.value, code=piece.code)
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
            self._look_later(attempt, looks=attempt.looks, because=error.code)

    def _dangles(self, doubt: Doubt, report: OrderReport) -> bool:
        """Return whether an entry rests at the venue whose time is over."""
        if doubt.attempt.reduce_only or report.status not in (OrderStatus.OPEN, OrderStatus.PARTIAL):
            return False
        expires_at = doubt.signal_expires_at
        return doubt.superseded or (expires_at is not None and self.clock.now() >= expires_at)

    def _look_later(self, attempt: StoredAttempt, *, looks: int, because: str) -> None:
        pause = min(_LOOK_FIRST * (1 << min(looks, 4)), _LOOK_MAX)
        in_doubt = attempt.order_state in (OrderState.SUBMITTING, OrderState.UNKNOWN)
        event = OrderEvent.LOST if in_doubt else None
        self.settler.submit(
            Evidence(
                attempt.client_order_id,
                event=event,
                code=because,
                looks=looks,
                look_at=self.clock.now() + pause,
            )
        )

    async def _book_missing_fills(self) -> int:
        missing = await self.book.unbooked(self.clock.now(), _UNBOOKED_AFTER, _BATCH)
        await in_lanes([self._book_missing(doubt) for doubt in missing], _AT_ONCE)
        return len(missing)

    async def _book_missing(self, doubt: Doubt) -> None:
        attempt = doubt.attempt
        if attempt.venue_order_id is None:
            return
        try:
            instrument = await self.quotes.instrument(attempt.venue, attempt.symbol)
            gateway = self.gateways.gateway(attempt.account_id, attempt.venue, doubt.sealed)
            fills = await gateway.fills(instrument, order_id=attempt.venue_order_id)
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
            return
        self.settler.submit(Evidence(attempt.client_order_id, fills=tuple(fills)))

    async def _serve_waiting(self) -> tuple[int, int]:
        waiting = await self.book.waiting(self.clock.now(), _BATCH, _HIDE)
        hopeless = [(trade, why) for trade in waiting if (why := self._hopeless(trade)) is not None]
        if hopeless:
            await self.book.abandon([(trade.attempt.key, *why) for trade, why in hopeless])
        for trade, (code, _) in hopeless:
            self.metrics.count("trades_given_up", leg=trade.attempt.key.leg.value, code=code)
        given_up = {trade.attempt.client_order_id for trade, _ in hopeless}
        ready = []
        for trade in waiting:
            if _is_out_of_attempts(trade):  # a week of refusals: the close waits for a person, and is counted
                self.metrics.count("trades_given_up", leg=trade.attempt.key.leg.value, code="OUT_OF_ATTEMPTS")
            elif trade.attempt.client_order_id not in given_up:
                ready.append(trade)
        # Exits by themselves: entries wait at the gate of new risk. All at once: no venue holds up another's exits.
        groups: dict[tuple[Venue, Symbol, bool], list[WaitingTrade]] = {}
        for trade in ready:
            at = trade.attempt
            groups.setdefault((at.venue, at.symbol, at.reduce_only), []).append(trade)
        sent = await asyncio.gather(
            *(self._serve_market(venue, sym, group) for (venue, sym, _), group in groups.items())
        )
        return sum(sent), len(hopeless)

    async def _serve_market(self, venue: Venue, sym: Symbol, group: Sequence[WaitingTrade]) -> int:
        try:
            instrument = await self.quotes.instrument(venue, sym)
            return await self._send_again(instrument, [self._again(trade, instrument) for trade in group])
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
            return 0

    def _hopeless(self, trade: WaitingTrade) -> tuple[str, str] | None:
        """Return the code and sentence by which a trade is given up; None for one to be sent again."""
        code = self._over(trade)
        if code is not None:
            return code.value, DECISION_SENTENCES[code].format(venue="")
        if trade.denied is not None and not trade.attempt.reduce_only:
            return trade.denied.code.value, trade.denied.sentence()
        return None

    def _over(self, trade: WaitingTrade) -> DecisionCode | None:
        expires_at = trade.signal_expires_at
        if trade.attempt.trade_executed >= trade.attempt.trade_quantity:
            return DecisionCode.NOTHING_TO_CLOSE  # what was taken for absent appeared and did it all
        if trade.attempt.reduce_only:
            return DecisionCode.NOTHING_TO_CLOSE if trade.closable <= 0 else None
        if _is_out_of_attempts(trade):
            return DecisionCode.VENUE_REFUSED
        if trade.stopped is not None:
            return trade.stopped
        if trade.superseded:
            return DecisionCode.LEADER_ALREADY_OUT
        if expires_at is not None and self.clock.now() >= expires_at:
            return DecisionCode.SIGNAL_EXPIRED
        return None

    def _again(self, trade: WaitingTrade, instrument: Instrument) -> Resend:
        attempt = trade.attempt
        quantity = Quantity(attempt.trade_quantity - attempt.trade_executed)
        if attempt.reduce_only:
            quantity = min(quantity, trade.closable)
        quantity = min(quantity, instrument.round_quantity(instrument.quantity_max))
        key = attempt.key
        cid = client_order_id(self.id_secret, key.signal_id, key.follow_id, key.leg, key.attempt + 1)
        return Resend(trade, quantity, cid)

    async def _send_again(self, instrument: Instrument, group: Sequence[Resend]) -> int:
        fence = self.fences(instrument.venue)
        window = Window(
            signed_ms=self.venue_clock.now_ms(instrument.venue),
            valid_ms=fence.validity // timedelta(milliseconds=1),
            look_at=self.clock.now() + fence.validity,
        )
        ours = await self.book.resubmit(group, window)
        orders = [
            ToSend(
                account_id=item.waiting.attempt.account_id,
                sealed=item.waiting.sealed,
                hedged=item.waiting.hedged,
                client_order_id=item.client_order_id,
                side=item.waiting.attempt.side,
                quantity=item.quantity,
                reduce_only=item.waiting.attempt.reduce_only,
                attempt=item.waiting.attempt.key.attempt + 1,
                set_leverage=_leverage_to_set(item.waiting.attempt, instrument),
            )
            for item in group
            if item.client_order_id in ours
        ]
        await self.placer.send(instrument, orders, window, None)
        return len(orders)


def _leverage_to_set(attempt: StoredAttempt, instrument: Instrument) -> int | None:
    if attempt.reduce_only or instrument.kind is MarketKind.SPOT:
        return None
    return attempt.leverage


def _is_out_of_attempts(trade: WaitingTrade) -> bool:
    return trade.attempt.key.attempt + 1 >= ATTEMPTS_MAX
