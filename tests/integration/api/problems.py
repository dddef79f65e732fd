"""What every refusal has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def checked(problem: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """Every problem has the same shape and names the request that it is about."""
    assert set(problem) == {"type", "title", "status", "code", "detail", "request_id", "errors"}
    assert problem["code"]
    assert problem["detail"]
    assert problem["request_id"] == headers["x-request-id"]
    assert headers["content-type"] == "application/problem+json"
    return problem
