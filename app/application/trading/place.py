"""The placer: sends committed orders with bounded concurrency and turns each outcome into evidence.

It sends nothing that is not committed, each order once, signed with the committed timestamp. A leverage that the
venue was not told yet is told first; if that fails, nothing of the order has left.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import of_outcome
from app.application.trading.execution_ports import ExecutionBook
from app.application.trading.ports import Window
from app.application.trading.settle import Settler
from app.domain.exchanges.outcomes import NotSent, Outcome
from app.domain.exchanges.ports import GatewayFactory
from app.domain.exchanges.requests import PlaceOrder, PositionMode
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Quantity

_LANE: Final = 96


@dataclass(frozen=True, slots=True)
class ToSend:
    """One committed order. `set_leverage` is told to the venue first (None: it knows); `hedged` is the account's mode."""

    account_id: AccountId
    sealed: bytes
    client_order_id: ClientOrderId
    side: Side
    quantity: Quantity
    reduce_only: bool
    attempt: int
    set_leverage: int | None = None
    hedged: bool = False


class Placer:
    """Sends orders through the venue port; each venue has its lanes, and exits one that entries cannot fill."""

    def __init__(
        self,
        gateways: GatewayFactory,
        book: ExecutionBook,
        settler: Settler,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._gateways = gateways
        self._book = book
        self._settler = settler
        self._clock = clock
        self._metrics = metrics
        self._lanes: defaultdict[tuple[Venue, bool], asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_LANE)
        )

    async def send(
        self, instrument: Instrument, orders: Sequence[ToSend], window: Window, leader_at: datetime | None
    ) -> None:
        """Send all orders and submit what came of each; returns when the last answer is in."""
        told: list[tuple[AccountId, Symbol, int]] = []
        async with asyncio.TaskGroup() as group:
            for order in orders:
                lane = self._lanes[instrument.venue, order.reduce_only]
                await lane.acquire()
                group.create_task(self._send_one(instrument, order, window, leader_at, lane.release, told))
        if told:
            await self._book.leverage_is(told)

    async def _send_one(
        self,
        instrument: Instrument,
        order: ToSend,
        window: Window,
        leader_at: datetime | None,
        release: Callable[[], None],
        told: list[tuple[AccountId, Symbol, int]],
    ) -> None:
        try:
            outcome = await self._outcome(instrument, order, window, told)
        finally:
            release()
        now = self._clock.now()
        self._settler.submit(
            of_outcome(order.client_order_id, outcome, now, is_exit=order.reduce_only, attempt=order.attempt)
        )
        leg = "exit" if order.reduce_only else "entry"
        self._metrics.count("orders_sent", outcome=type(outcome).__name__, leg=leg)
        if leader_at is not None:
            self._metrics.seconds("leader_to_ack_seconds", (now - leader_at).total_seconds(), leg=leg)

    async def _outcome(
        self, instrument: Instrument, order: ToSend, window: Window, told: list[tuple[AccountId, Symbol, int]]
    ) -> Outcome:
        try:
            gateway = self._gateways.gateway(order.account_id, instrument.venue, order.sealed)
            if order.set_leverage is not None:
                confirmed = await gateway.set_leverage(instrument, order.set_leverage)
                told.append((order.account_id, instrument.symbol, confirmed))
        except DomainError as error:
            return NotSent(f"{error.code}: {error.message}")
        return await gateway.place(
            PlaceOrder(
                instrument=instrument,
                side=order.side,
                quantity=order.quantity,
                reduce_only=order.reduce_only,
                client_order_id=order.client_order_id,
                signed_ms=window.signed_ms,
                valid_ms=window.valid_ms,
                position_mode=PositionMode.HEDGE if order.hedged else PositionMode.ONE_WAY,
            )
        )
