"""What happens on which event: one table. A new reaction is a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from app.application.risk.flatten import Flatten
from app.application.shared.bus import AnyHandler, Delivery, Handler
from app.application.shared.telemetry import Metrics
from app.application.users.stop_follow import CloseStoppedFollow
from app.domain.risk.events import HaltRaised
from app.domain.signals.events import SignalAccepted
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Lane
from app.domain.trading.events import (
    DriftAccepted,
    ExitGivenUp,
    MarketFrozen,
    OrdersRefused,
    PositionClosedOutside,
)
from app.domain.users.events import FollowStopped, KeyRefused

_LOG = structlog.get_logger("reactions")


def reactions(
    bell: SignalBell, metrics: Metrics, close_stopped: CloseStoppedFollow, flatten: Flatten
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

    async def leave_everything(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, HaltRaised) and event.close_positions:
            exits = await flatten(event.scope, event.target, event.at, delivery.trace_id)
            _LOG.warning("halt.closes", scope=event.scope.value, target=event.target, exits=exits)

    return {
        HaltRaised.name: (Handler("leave-everything", leave_everything),),
        FollowStopped.name: (Handler("close-what-is-held", close_what_is_held),),
        SignalAccepted.name: (Handler("ring", ring),),
        OrdersRefused.name: (Handler("report-refusals", report_refusals),),
        **_reports_of_drift(metrics),
        KeyRefused.name: (Handler("report-key", report_key),),
    }


def _reports_of_drift(metrics: Metrics) -> Mapping[str, Sequence[AnyHandler]]:
    async def report_outside_exit(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, PositionClosedOutside):
            metrics.count("positions_closed_outside", cause=event.cause.value)
            _LOG.warning(
                "position.closed_outside",
                account_id=event.account_id,
                follow_id=event.follow_id,
                symbol=event.symbol,
                cause=event.cause.value,
                quantity=str(event.quantity),
            )

    async def report_frozen_market(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, MarketFrozen):
            metrics.count("markets_frozen")
            _LOG.error("market.frozen", account_id=event.account_id, symbol=event.symbol)

    async def report_exit_given_up(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, ExitGivenUp):
            metrics.count("exits_given_up")
            _LOG.error(
                "exit.given_up",
                account_id=event.account_id,
                follow_id=event.follow_id,
                signal_id=str(event.signal_id),
                symbol=event.symbol,
            )

    async def report_accepted(delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, DriftAccepted):
            _LOG.warning(
                "drift.accepted",
                account_id=event.account_id,
                symbol=event.symbol,
                ours=str(event.ours),
                theirs=str(event.theirs),
                by=event.by,
                reason=event.reason,
            )

    return {
        DriftAccepted.name: (Handler("report-accepted-drift", report_accepted),),
        PositionClosedOutside.name: (Handler("report-outside-exit", report_outside_exit),),
        ExitGivenUp.name: (Handler("report-exit-given-up", report_exit_given_up),),
        MarketFrozen.name: (Handler("report-frozen-market", report_frozen_market),),
    }
