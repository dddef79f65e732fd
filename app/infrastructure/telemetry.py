"""Metrics on Prometheus: one table says which exist; what it lacks cannot be counted.

Invariants: names, kinds and labels are those of the table, so a misspelt metric fails in the first test that meets it
instead of missing from a dashboard; each instance has a registry of its own, so two programs in one process do not mix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)

from app.domain.shared.errors import InvariantBroken

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""The content type of what `render` returns."""

_PREFIX: Final = "copytrade"
_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class MetricKind(Enum):
    """What can be done with a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its help for people, its label names, and for durations its buckets in seconds."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _FAST


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, MetricKind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, MetricKind.GAUGE, text, labels)


def _seconds(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, MetricKind.SECONDS, text, labels)


METRICS: Final[Sequence[Metric]] = (
    _counter("leader_fills", "Executions of leaders that were read."),
    _counter(
        "leader_bursts", "Bursts of leaders' fills decided, by how many signals came of them.", "signals"
    ),
    _counter("streams_connected", "Times a private stream came up, by whose it is.", "role"),
    _gauge(
        "circuits_open",
        "1 while calls of a class to a venue are refused here, after too many faults.",
        "circuit",
    ),
    _gauge("watches", "Private streams that this process follows."),
    _gauge("feed_leads", "1 while this process leads the feed; over all processes the sum is to be 1."),
    _counter(
        "watches_fell", "Watches of streams that broke off and were begun again, by whose it is.", "role"
    ),
    _counter(
        "leader_markets_missed",
        "Looks at a leader's market whose position the stream does not explain; it is caught up by asking.",
        "venue",
    ),
    _counter("signals_accepted", "New signals stored.", "action"),
    _counter("signals_served", "Signals whose dispatch ended, by their state.", "state"),
    _counter(
        "dispatch_failed", "Dispatches that broke off with an error; the signal is taken up again.", "code"
    ),
    _counter("bells_rung_again", "Signals that had waited unclaimed and were rung for once more."),
    _counter("orders_sent", "Order attempts, by the venue's outcome.", "outcome", "leg"),
    _seconds("leader_to_ack_seconds", "From the leader's last fill to the venue's word on a copy.", "leg"),
    _counter("evidence_booked", "Reports and fills of venues that were booked."),
    _counter("evidence_quarantined", "Evidence that contradicted what is stored and was set aside."),
    _counter("settle_failed", "Batches of evidence that could not be booked; they are tried again."),
    _counter(
        "late_entries_left",
        "Entries that appeared after their follow had left the market; an exit was made for each.",
    ),
    _counter("protection_failed", "Positions whose protection could not be reckoned in a pass.", "venue"),
    _counter("lookup_failed", "Questions to a venue that it did not answer.", "code"),
    _counter("protections", "What became of protections, by state and rung.", "state", "rung"),
    _counter(
        "protections_vanished",
        "Protections that rested and that the venue knows no more; its position is guarded anew.",
        "rung",
    ),
    _counter(
        "positions_unprotected",
        "Looks at a position whose stop does not rest for too long; any of these wants a look.",
        "venue",
    ),
    _counter("protective_exits", "Exits asked for because a protection could not rest, by why.", "why"),
    _counter(
        "trades_given_up",
        "Trades that will not be sent again, by leg and reason; an exit out of attempts wants a look.",
        "leg",
        "code",
    ),
    _counter(
        "exits_given_up",
        "Exits that are not sent again while their follow holds what they were to close; any wants a look.",
    ),
    _counter(
        "drift_found",
        "Differences found between an account at its venue and our books, by cause; UNKNOWN wants a look.",
        "cause",
        "venue",
    ),
    _counter("reconcile_failed", "Accounts that could not be compared because of a fault of ours.", "error"),
    _counter(
        "positions_closed_outside", "Followers' positions closed by something that is not ours.", "cause"
    ),
    _counter(
        "markets_frozen", "Markets of accounts on which entries are refused until the books agree again."
    ),
    _counter(
        "exits_unlisted",
        "Exits put off since the venue does not list the market on which a follow holds something; any wants a look.",
        "venue",
    ),
    _counter("orders_refused", "Followers whose orders a venue refused."),
    _counter("keys_refused", "API keys that were refused by a venue or by our own rules."),
    _seconds("http_request_seconds", "Requests to our API.", "method", "route", "status"),
    _counter("recovered_attempts", "Order attempts whose outcome was found out after the fact."),
)


class PrometheusMetrics:
    """Metrics."""

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        if len({metric.name for metric in metrics}) != len(metrics):
            raise InvariantBroken("Two metrics share a name.")
        self._registry = CollectorRegistry()
        self._metrics: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in metrics})
        self._counters = {
            m.name: Counter(m.name, m.help, m.labels, namespace=_PREFIX, registry=self._registry)
            for m in self._of(MetricKind.COUNTER)
        }
        self._gauges = {
            m.name: Gauge(m.name, m.help, m.labels, namespace=_PREFIX, registry=self._registry)
            for m in self._of(MetricKind.GAUGE)
        }
        self._histograms = {
            m.name: Histogram(
                m.name, m.help, m.labels, namespace=_PREFIX, registry=self._registry, buckets=m.buckets
            )
            for m in self._of(MetricKind.SECONDS)
        }

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        self._check(name, MetricKind.COUNTER, labels)
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._check(name, MetricKind.GAUGE, labels)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def seconds(self, name: str, value: float, **labels: str) -> None:
        """Observe a duration."""
        self._check(name, MetricKind.SECONDS, labels)
        histogram = self._histograms[name]
        (histogram.labels(**labels) if labels else histogram).observe(value)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format, of content type `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def serve(self, port: int) -> None:
        """Serve the metrics over HTTP on this machine's loopback address, for programs that have no API of their own."""
        start_http_server(port, addr="127.0.0.1", registry=self._registry)

    def _of(self, kind: MetricKind) -> Sequence[Metric]:
        return tuple(metric for metric in self._metrics.values() if metric.kind is kind)

    def _check(self, name: str, kind: MetricKind, labels: Mapping[str, str]) -> None:
        metric = self._metrics.get(name)
        if metric is None or metric.kind is not kind:
            raise InvariantBroken(
                f"There is no {kind.value} called {name}; METRICS is the table.", metric=name
            )
        if labels.keys() != set(metric.labels):
            raise InvariantBroken(
                f"{name} has the labels {metric.labels}.", metric=name, labels=tuple(sorted(labels))
            )
