"""The demo."""

from __future__ import annotations


def demo() -> None:
    """Watch copy trading happen on this machine."""
