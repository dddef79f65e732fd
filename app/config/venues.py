"""What the venue pool needs of the settings, and how it tells of its circuits."""

from __future__ import annotations

from collections.abc import Callable

from app.config.settings import Settings
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.breaker import CircuitState
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.telemetry import PrometheusMetrics


def venue_settings(settings: Settings) -> dict[Venue, VenueSettings]:
    """Return what the venue pool needs of the settings."""
    return {
        venue: VenueSettings(
            base_url=options.base_url,
            ws_url=options.ws_url,
            wallet_url=options.wallet_url,
            routed_streams=options.routed_streams,
            connections=options.connections,
            weight_per_minute=options.weight_per_minute,
            orders_per_10s=options.orders_per_10s,
            marks_age_max_s=options.mark_age_max_s,
        )
        for venue, options in settings.venues.items()
    }


def circuit_gauge(metrics: PrometheusMetrics) -> Callable[[str, CircuitState], None]:
    """Return what shows the state of each circuit as a gauge: 1 while it is not closed."""
    return lambda name, state: metrics.gauge(
        "circuits_open", float(state is not CircuitState.CLOSED), circuit=name
    )
