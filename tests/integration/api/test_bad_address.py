"""Addresses, queries and cursors that mean nothing: refused, never a 5xx."""

from __future__ import annotations

from typing import Final

import pytest

from tests.integration.api.conftest import Api
from tests.integration.api.problems import checked

CANARY: Final = "canary7f3a"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/follows/0", 422),
        ("GET", "/v1/follows/-1", 422),
        ("GET", "/v1/follows/1_0", 422),
        ("GET", "/v1/follows/%EF%BC%91", 422),
        ("GET", f"/v1/follows/{2**63}", 422),
        ("GET", f"/v1/follows/{'9' * 5000}", 422),
        ("GET", f"/v1/follows/{2**63 - 1}", 404),
        ("GET", "/v1/follows/%00", 422),
        ("GET", "/v1/follows/..%2f..%2fetc", 404),
        ("GET", "/v1/whales/abc", 422),
        ("GET", "/v1/signals/not-a-uuid", 422),
        ("GET", "/v1/signals/00000000-0000-0000-0000-000000000000", 404),
        ("GET", "/v1/orders/%00", 422),
        ("GET", "/v1/orders/nothing", 404),
        ("GET", "/v1/signals?limit=-1", 422),
        ("GET", "/v1/signals?limit=0", 422),
        ("GET", "/v1/signals?limit=1000000000", 422),
        ("GET", "/v1/signals?limit=x", 422),
        ("GET", "/v1/signals?cursor=garbage", 422),
        ("GET", "/v1/signals?cursor=-1", 422),
        ("GET", f"/v1/signals?cursor={2**63}", 422),
        ("GET", "/v1/signals?cursor=1.2", 422),
        ("GET", "/v1/orders?cursor=1.2.3.4", 422),
        ("GET", "/v1/orders?cursor=1.2.1.99999999", 422),
        ("GET", "/v1/positions?cursor=1.btc", 422),
        ("GET", "/v1/positions?cursor=1.2", 422),
        ("GET", "/v1/signals?symbol=%00", 422),
        ("GET", "/v1/signals?symbol=%ff", 422),
        ("GET", "/v1/signals?state=GONE", 422),
        ("GET", "/v1/signals?sybmol=BTC-USDT", 422),
        ("GET", f"/v1/signals?symbol={'A' * 60_000}", 422),
        ("GET", f"/v1/{CANARY}", 404),
        ("GET", f"/{CANARY}", 404),
        ("TRACE", "/v1/signals", 405),
        ("PUT", "/v1/signals", 405),
        ("PATCH", "/v1/limits", 405),
        ("DELETE", "/v1/halts?scope=MOON", 422),
        ("DELETE", "/v1/halts?scope=VENUE&target=moon", 422),
        ("DELETE", "/v1/halts?scope=USER&target=0", 422),
        ("DELETE", "/v1/halts?scope=PLATFORM&target=1", 422),
    ],
)
async def test_an_address_that_means_nothing_is_refused(
    shared_api: Api, method: str, path: str, status: int
) -> None:
    answer = await shared_api.client.request(method, path, headers=shared_api.scene.operator.headers)
    problem = checked(answer.json(), answer.headers)
    assert (answer.status_code, problem["status"]) == (status, status)
