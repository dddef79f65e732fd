"""What happens on which event: one table. A new reaction is a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from app.application.shared.bus import AnyHandler, Delivery, Handler
from app.application.shared.telemetry import Metrics
from app.application.users.stop_follow import CloseStoppedFollow
from app.domain.signals.events import SignalAccepted
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Lane
from app.domain.trading.events import OrdersRefused
from app.domain.users.events import FollowStopped, KeyRefused

_LOG = structlog.get_logger("reactions")


def reactions(
    bell: SignalBell, metrics: Metrics, close_stopped: CloseStoppedFollow
) -> Mapping[str, Sequence[AnyHandler]]:
    """Return the table of event names and who acts on them."""

    async def ring(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, SignalAccepted):
            await bell.ring(event.signal_id, Lane(event.lane))

    async def report_refusals(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, OrdersRefused):
            metrics.count("orders_refused", len(event.follow_ids))
            _LOG.warning("orders.refused", signal_id=str(event.signal_id), followers=len(event.follow_ids))

    async def report_key(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, KeyRefused):
            metrics.count("keys_refused")
            _LOG.warning("key.refused", account_id=event.account_id, reason=event.reason)

    async def close_what_is_held(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, FollowStopped) and event.close_positions:
            await close_stopped(event.follow_id, delivery.trace_id)

    return {
        FollowStopped.name: (Handler("close-what-is-held", close_what_is_held),),
        SignalAccepted.name: (Handler("ring", ring),),
        OrdersRefused.name: (Handler("report-refusals", report_refusals),),
        KeyRefused.name: (Handler("report-key", report_key),),
    }
