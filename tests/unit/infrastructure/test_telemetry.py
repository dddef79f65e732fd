"""The table of metrics rules: what it lacks cannot be counted, and the program counts nothing that it lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.application.shared.telemetry import Metrics
from app.domain.shared.errors import InvariantBroken
from app.infrastructure.telemetry import METRICS, Metric, MetricKind, PrometheusMetrics

APP = Path(__file__).resolve().parents[3] / "app"
TABLE = {metric.name: metric for metric in METRICS}
COUNTER = Metric("fills", MetricKind.COUNTER, "Fills.", ("venue",))
GAUGE = Metric("depth", MetricKind.GAUGE, "Depth.")
TIMING = Metric("lag_seconds", MetricKind.SECONDS, "Lag.", ("leg",), (0.1, 1.0))
METHODS = {"count": MetricKind.COUNTER, "gauge": MetricKind.GAUGE, "seconds": MetricKind.SECONDS}


def small() -> PrometheusMetrics:
    return PrometheusMetrics((COUNTER, GAUGE, TIMING))


def samples(metrics: PrometheusMetrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_was_counted_set_and_observed_is_rendered() -> None:
    metrics = small()
    port: Metrics = metrics
    port.count("fills", 2, venue="a")
    port.count("fills", venue="a")
    port.gauge("depth", 4.5)
    port.gauge("depth", 3.5)
    port.seconds("lag_seconds", 0.5, leg="EXIT")
    found = samples(metrics)
    assert found["copytrade_fills_total", (("venue", "a"),)] == 3
    assert found["copytrade_depth", ()] == 3.5
    assert found["copytrade_lag_seconds_count", (("leg", "EXIT"),)] == 1
    assert found["copytrade_lag_seconds_bucket", (("le", "0.1"), ("leg", "EXIT"))] == 0
    assert found["copytrade_lag_seconds_bucket", (("le", "1.0"), ("leg", "EXIT"))] == 1


def test_what_the_table_lacks_cannot_be_counted() -> None:
    metrics = small()
    with pytest.raises(InvariantBroken):
        metrics.count("filles", venue="a")
    with pytest.raises(InvariantBroken):
        metrics.gauge("fills", 1, venue="a")
    with pytest.raises(InvariantBroken):
        metrics.count("fills")
    with pytest.raises(InvariantBroken):
        metrics.count("fills", venue="a", user="7")
    with pytest.raises(InvariantBroken):
        metrics.seconds("lag_seconds", 1, venue="a")


def test_a_name_stands_in_the_table_once() -> None:
    with pytest.raises(InvariantBroken):
        PrometheusMetrics((COUNTER, COUNTER))


def test_two_instances_do_not_mix() -> None:
    one, two = PrometheusMetrics(), PrometheusMetrics()
    one.count("leader_fills", 5)
    assert samples(two)["copytrade_leader_fills_total", ()] == 0


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_row_reads_well(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert metric.help.endswith(".")
    assert metric.name.endswith("_seconds") == (metric.kind is MetricKind.SECONDS)
    assert not set(metric.labels) & {"user", "user_id", "follow_id", "account_id", "signal_id", "id"}


def uses(text: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Method, metric name and labels of each call on something called `metrics`."""
    for node in ast.walk(ast.parse(text)):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
        ):
            continue
        owner = ast.unparse(node.func.value)
        if re.search(r"(^|[._])metrics$", owner) and node.args and isinstance(node.args[0], ast.Constant):
            labels = frozenset(
                word.arg for word in node.keywords if word.arg not in {None, "amount", "value"}
            )
            yield node.func.attr, str(node.args[0].value), frozenset(label for label in labels if label)


def faults(text: str) -> list[str]:
    return [
        f"{method} {name} {sorted(labels)}"
        for method, name, labels in uses(text)
        if name not in TABLE or TABLE[name].kind is not METHODS[method] or labels != set(TABLE[name].labels)
    ]


def test_the_program_counts_only_what_the_table_holds() -> None:
    found = {
        path.relative_to(APP).as_posix(): wrong
        for path in sorted(APP.rglob("*.py"))
        if (wrong := faults(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ("self._metrics.count('leader_fills', 3)", False),
        ("metrics.count('leader_filles')", True),
        ("self.metrics.count('leader_fills', venue='x')", True),
        ("metrics.seconds('leader_fills', 1.0)", True),
        ("metrics.count('orders_sent', outcome='x')", True),
        ("metrics.count('orders_sent', outcome='x', leg='y')", False),
        ("words.count('leader_filles')", False),
    ],
)
def test_a_wrong_use_is_found(line: str, is_wrong: bool) -> None:
    assert bool(faults(line)) is is_wrong
