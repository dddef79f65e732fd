"""docs/reference/metrics.md: every metric that the programs keep."""

from __future__ import annotations

from typing import Final

from app.infrastructure.telemetry import METRICS, MetricKind
from tools.docs.markdown import code, page, table

_OPENING: Final = """Each program keeps its own registry in Prometheus' text format: the API serves it at `GET /metrics`, a worker and the feed on
127.0.0.1 at the port of `COPYTRADE_METRICS_PORT`. Orders and signals are counted where they are served, in the workers;
leaders' fills in the feed. Labels are few and bounded, never an id. What waits and what is in doubt, for all programs together, is at `GET /v1/health/backlog`."""

_ALARMS: Final = """## What to watch

| watch | because |
| --- | --- |
| `orders_in_doubt` of the backlog, above 0 for two minutes | an order's outcome cannot be found: [unknown orders](../runbooks/unknown-orders.md) |
| `oldest_signal_at` of the backlog, older than a few seconds | signals are not served: [stuck signals](../runbooks/stuck-signals.md) |
| `outbox_parked` of the backlog, above 0 | an event's handler fails for good: [stuck signals](../runbooks/stuck-signals.md) |
| the sum of `copytrade_feed_leads`, not 1 for half a minute | no leader is followed, or the lease failed: [silent feed](../runbooks/silent-feed.md) |
| `copytrade_watches_fell_total`, rising for minutes | a stream cannot be followed: [silent feed](../runbooks/silent-feed.md) |
| `copytrade_leader_markets_missed_total`, rising for minutes | a leader's stream is up and tells nothing: [silent feed](../runbooks/silent-feed.md) |
| `copytrade_evidence_quarantined_total`, any rise | a venue said something that contradicts what was sent |
| `copytrade_exits_given_up_total`, any rise | a follower still holds what its leader has left: [exit given up](../runbooks/exit-given-up.md) |
| `copytrade_trades_given_up_total` with code OUT_OF_ATTEMPTS, any rise | an exit has been refused for a week: [exit given up](../runbooks/exit-given-up.md) |
| `copytrade_exits_unlisted_total`, any rise | a venue does not list a market that a follow holds: [unlisted market](../runbooks/unlisted-market.md) |
| `copytrade_keys_refused_total`, any rise | an account takes no new risk: [key refused](../runbooks/key-refused.md) |
| `copytrade_drift_found_total` with cause UNKNOWN, rising for minutes | the books and a venue differ, or it does not answer: [drift](../runbooks/drift.md) |
| `copytrade_markets_frozen_total`, any rise | an account lacks what its books hold; a person must look: [frozen lots](../runbooks/frozen-lots.md) |
| `/readyz`, not 200 | its answer names the part that is not well |"""


def render() -> str:
    """Return the page."""
    return page(
        "Metrics",
        _OPENING,
        table(
            ("name", "kind", "labels", "meaning"),
            (
                (
                    code(f"copytrade_{metric.name}{'_total' if metric.kind is MetricKind.COUNTER else ''}"),
                    "histogram, seconds" if metric.kind is MetricKind.SECONDS else metric.kind.value,
                    ", ".join(code(label) for label in metric.labels),
                    metric.help,
                )
                for metric in METRICS
            ),
        ),
        _ALARMS,
    )
