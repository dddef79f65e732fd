"""Recovery: what a crash, a lost reply or a wait left behind is found in the database and brought to an end.

It runs at the start of a worker and on a beat; start-up and crash recovery are the same code. Rules.
 - An attempt in doubt is looked up at the venue by its client order id. Found: its report and fills are booked.
 - "Not found" is evidence, never proof, until the fence has closed (the venue would refuse any late copy of the
   request), several answers, spread in time, said so, and no fill of an order that we do not know exists since then.
 - Such a fill may be the owner's own trade: it delays the proof, and after a dozen answers no longer prevents it.
 - A proven absence lets an exit try again, as reduce-only and for at most what is held. An entry tries again only
   while its signal lives and only where the operator states a bound on how late an order may become visible; else
   it ends as ABSENT, its hold kept until a late appearance is ruled out.
 - An error from the venue says nothing: the attempt stays in doubt and its funds stay held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import Evidence, resting_pause
from app.application.trading.execution_ports import Doubt, ExecutionBook, Resend, StoredAttempt, WaitingTrade
from app.application.trading.place import Placer, ToSend
from app.application.trading.ports import Quotes, VenueClock, Window
from app.application.trading.settle import Settler
from app.domain.exchanges.ports import ExchangeGateway, GatewayFactory
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import Clock, from_epoch_ms
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.ids import ATTEMPTS_MAX, client_order_id
from app.domain.shared.market import Instrument, Venue
from app.domain.shared.money import Quantity
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.trade import TradeState

_BATCH: Final = 200
_HIDE: Final = timedelta(seconds=10)
_LOOK_FIRST: Final = timedelta(seconds=1)
_LOOK_MAX: Final = timedelta(seconds=15)
_UNBOOKED_AFTER: Final = timedelta(seconds=2)
_LOOKS_MAX: Final = 12
_HORIZON: Final = timedelta(hours=24)
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
            if report is not None:
                fills = await self._fills(gateway, instrument, report)
                looks = attempt.looks + 1
                self.settler.submit(
                    Evidence(attempt.client_order_id, report=report, fills=tuple(fills), looks=looks)
                )
                return
            self.settler.submit(await self._not_found(doubt, gateway, instrument))
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
            self._look_later(attempt, looks=attempt.looks, because=error.code)

    async def _fills(
        self, gateway: ExchangeGateway, instrument: Instrument, report: OrderReport
    ) -> Sequence[Fill]:
        if not report.executed:
            return ()
        return await gateway.fills(instrument, order_id=report.order_id)

    async def _not_found(self, doubt: Doubt, gateway: ExchangeGateway, instrument: Instrument) -> Evidence:
        attempt, fence = doubt.attempt, self.fences(doubt.attempt.venue)
        now = self.clock.now()
        if attempt.order_state is OrderState.ABSENT:
            return await self._after_the_horizon(attempt)
        if attempt.order_state in (
            OrderState.OPEN,
            OrderState.PARTIAL,
        ):  # it was seen: its end is only not told yet
            return Evidence(
                attempt.client_order_id, looks=attempt.looks + 1, look_at=now + resting_pause(attempt.looks)
            )
        signed_at = from_epoch_ms(attempt.signed_ms)
        venue_now = from_epoch_ms(self.venue_clock.now_ms(attempt.venue))
        counts_from = signed_at + fence.first_look_after
        if venue_now < counts_from:
            return Evidence(
                attempt.client_order_id,
                event=OrderEvent.LOST,
                looks=0,
                look_at=min(now + _LOOK_MAX, now + (counts_from - venue_now)),
            )
        looks = attempt.looks + 1
        if looks < fence.answers:
            return Evidence(
                attempt.client_order_id, event=OrderEvent.LOST, looks=looks, look_at=now + fence.spread
            )
        known = await self.book.known_order_ids(attempt.account_id, attempt.symbol, signed_at - _HORIZON)
        since = await gateway.fills(instrument, since=signed_at - fence.clock_error)
        unexplained = any(fill.order_id not in known and fill.side is attempt.side for fill in since)
        if unexplained and looks < _LOOKS_MAX:
            return Evidence(
                attempt.client_order_id,
                event=OrderEvent.LOST,
                code="UNEXPLAINED_FILL",
                looks=looks,
                look_at=now + _LOOK_MAX,
            )
        expired = doubt.signal_expires_at is not None and now >= doubt.signal_expires_at
        resend = attempt.reduce_only or (fence.visibility_bound is not None and not expired)
        if attempt.order_state is OrderState.SUBMITTING:
            self.settler.submit(Evidence(attempt.client_order_id, event=OrderEvent.LOST, looks=looks))
        return Evidence(
            attempt.client_order_id,
            event=OrderEvent.PROVEN_ABSENT,
            code="ABSENT",
            looks=looks,
            look_at=signed_at + _HORIZON,
            resend=resend,
            retry_at=now,
        )

    async def _after_the_horizon(self, attempt: StoredAttempt) -> Evidence:
        newest = attempt.key.attempt == attempt.trade_attempt
        if attempt.trade_state is not TradeState.ABSENT or not newest:
            return Evidence(attempt.client_order_id, forget=True)
        reason = DECISION_SENTENCES[DecisionCode.ORDER_ABSENT]
        await self.book.abandon([(attempt.key, DecisionCode.ORDER_ABSENT.value, reason)])
        return Evidence(attempt.client_order_id, forget=True)

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
        hopeless = [(trade, code) for trade in waiting if (code := self._hopeless(trade)) is not None]
        if hopeless:
            await self.book.abandon(
                [
                    (t.attempt.key, code.value, DECISION_SENTENCES[code].format(venue=""))
                    for t, code in hopeless
                ]
            )
        for trade, code in hopeless:
            self.metrics.count("trades_given_up", leg=trade.attempt.key.leg.value, code=code.value)
        given_up = {trade.attempt.client_order_id for trade, _ in hopeless}
        ready = []
        for trade in waiting:
            if _is_out_of_attempts(trade):  # a week of refusals: the close waits for a person, and is counted
                self.metrics.count("trades_given_up", leg=trade.attempt.key.leg.value, code="OUT_OF_ATTEMPTS")
            elif trade.attempt.client_order_id not in given_up:
                ready.append(trade)
        sent = 0
        for venue, sym in {(trade.attempt.venue, trade.attempt.symbol) for trade in ready}:
            group = [t for t in ready if (t.attempt.venue, t.attempt.symbol) == (venue, sym)]
            try:
                instrument = await self.quotes.instrument(venue, sym)
                sent += await self._send_again(
                    instrument, [self._again(trade, instrument) for trade in group]
                )
            except DomainError as error:
                self.metrics.count("lookup_failed", code=error.code)
        return sent, len(hopeless)

    def _hopeless(self, trade: WaitingTrade) -> DecisionCode | None:
        expires_at = trade.signal_expires_at
        if trade.attempt.trade_executed >= trade.attempt.trade_quantity:
            return DecisionCode.NOTHING_TO_CLOSE  # what was taken for absent appeared and did it all
        if trade.attempt.reduce_only:
            return DecisionCode.NOTHING_TO_CLOSE if trade.closable <= 0 else None
        if _is_out_of_attempts(trade):
            return DecisionCode.VENUE_REFUSED
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
                client_order_id=item.client_order_id,
                side=item.waiting.attempt.side,
                quantity=item.quantity,
                reduce_only=item.waiting.attempt.reduce_only,
                attempt=item.waiting.attempt.key.attempt + 1,
                set_leverage=None if item.waiting.attempt.reduce_only else item.waiting.attempt.leverage,
            )
            for item in group
            if item.client_order_id in ours
        ]
        await self.placer.send(instrument, orders, window, None)
        return len(orders)


def _is_out_of_attempts(trade: WaitingTrade) -> bool:
    return trade.attempt.key.attempt + 1 >= ATTEMPTS_MAX
