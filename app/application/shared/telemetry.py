"""Metrics as a port, so that a use case can count without knowing Prometheus."""

from __future__ import annotations

from typing import Protocol


class Metrics(Protocol):
    """Counters, gauges and timings. Names are snake case, labels few and bounded (never an id)."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...

    def seconds(self, name: str, value: float, **labels: str) -> None:
        """Observe a duration."""
        ...


class NoMetrics:
    """Counts nothing; for tools and tests that do not look."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Ignore."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Ignore."""

    def seconds(self, name: str, value: float, **labels: str) -> None:
        """Ignore."""
