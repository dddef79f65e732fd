"""What an operator does: people, leaders, signals by hand, halts; and what machines ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.api.conftest import Api

SIGNAL = {
    "symbol": "BTC-USDT",
    "action": "OPEN",
    "side": "BUY",
    "quantity": "0.5",
    "reference_price": "64000",
}


async def call(
    api: Api, method: str, path: str, json: object = None, key: str | None = None
) -> tuple[int, Any]:
    """Call as the operator; answer with the status and the parsed body, None when there is none."""
    headers = {**api.scene.operator.headers, **({} if key is None else {"Idempotency-Key": key})}
    answer = await api.client.request(method, f"/v1{path}", json=json, headers=headers)
    return answer.status_code, answer.json() if answer.content else None


async def submit(api: Api, key: str = "signal-key-1", **changes: object) -> tuple[int, Any]:
    return await call(api, "POST", "/signals", {"whale_id": api.scene.whale_id, **SIGNAL, **changes}, key)


async def test_a_person_is_registered_gets_a_token_and_loses_it(api: Api) -> None:
    status, user = await call(api, "POST", "/users", {"name": " Grace ", "role": "FOLLOWER"})
    assert (status, user["name"], user["state"]) == (201, "Grace", "ACTIVE")
    path = f"/users/{user['id']}"
    status, issued = await call(api, "POST", f"{path}/tokens", {"label": "phone"})
    assert status == 201
    mine = {"Authorization": f"Bearer {issued['token']}"}
    assert (await api.client.get("/v1/me", headers=mine)).json() == user
    assert (await call(api, "DELETE", f"{path}/tokens?label=laptop"))[0] == 404
    assert (await call(api, "DELETE", f"{path}/tokens?label=phone")) == (200, {"revoked": 1})
    assert (await api.client.get("/v1/me", headers=mine)).status_code == 401
    assert (await call(api, "GET", "/users?limit=1"))[1]["items"] == [user]


async def test_a_user_is_suspended_and_restored(api: Api) -> None:
    path = f"/users/{api.scene.idle.user_id}"
    assert (await call(api, "POST", f"{path}/suspend", {"reason": "Unpaid."}))[1]["state"] == "SUSPENDED"
    assert (await call(api, "POST", f"{path}/suspend", {"reason": "Unpaid."}))[0] == 409
    assert (await call(api, "POST", f"{path}/restore"))[1]["state"] == "ACTIVE"


async def test_a_leader_is_registered_paused_resumed_and_banned(api: Api) -> None:
    wanted = {"name": "south", "account_id": api.scene.idle.account_id, "tier": "PREMIUM"}
    status, whale = await call(api, "POST", "/whales", wanted)
    assert (status, whale["tier"], whale["followers"], whale["positions"]) == (201, "PREMIUM", 0, [])
    assert (await call(api, "POST", "/whales", wanted))[1]["code"] == "already_exists"
    path = f"/whales/{whale['id']}"
    reason = {"reason": "Looking into it."}
    assert (await call(api, "POST", f"{path}/pause", reason))[1]["state"] == "PAUSED"
    assert (await call(api, "POST", f"{path}/resume"))[1]["state"] == "ACTIVE"
    assert (await call(api, "POST", f"{path}/ban", reason))[1]["state"] == "BANNED"
    assert (await call(api, "POST", f"{path}/resume"))[0] == 409
    assert [each["id"] for each in (await call(api, "GET", "/whales?state=BANNED"))[1]["items"]] == [
        whale["id"]
    ]


async def test_an_account_that_follows_cannot_lead(api: Api) -> None:
    wanted = {"name": "loop", "account_id": api.scene.owner.account_id}
    status, problem = await call(api, "POST", "/whales", wanted)
    assert (status, problem["code"]) == (422, "cannot_lead")


async def test_a_leader_is_shown_with_its_followers_and_positions(api: Api) -> None:
    _, whale = await call(api, "GET", f"/whales/{api.scene.whale_id}")
    assert whale["followers"] == 2
    assert [(held["symbol"], held["quantity"]) for held in whale["positions"]] == [("BTC-USDT", "0.5")]
    _, page = await call(api, "GET", f"/whales/{api.scene.whale_id}/follows")
    assert {each["id"] for each in page["items"]} == {api.scene.owner.follow_id, api.scene.other.follow_id}


async def test_the_same_signal_sent_many_times_at_once_is_stored_and_rung_once(api: Api) -> None:
    answers = await asyncio.gather(*(submit(api) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({body["id"] for _, body in answers}) == 1
    assert len(api.outside.bell.rung) == 1


async def test_a_signal_is_shown_with_its_decisions_counted(api: Api) -> None:
    _, signal = await call(api, "GET", f"/signals/{api.scene.signals[1]}")
    assert signal["decisions"] == [{"outcome": "SKIPPED", "code": "PRICE_DRIFTED", "count": 1}]
    _, page = await call(api, "GET", f"/signals/{api.scene.signals[1]}/decisions?outcome=SKIPPED")
    assert [each["follow_id"] for each in page["items"]] == [api.scene.owner.follow_id]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "ETH-USDT"}, "unknown_symbol"),
        ({"reference_price": "640"}, "price_off_market"),
        ({"reference_price": "6400000"}, "price_off_market"),
        ({"fraction": "0.5"}, "invalid_value"),
        ({"action": "CLOSE", "fraction": "1.5"}, "invalid_value"),
        ({"action": "FLIP"}, "invalid_value"),
    ],
    ids=str,
)
async def test_a_signal_that_is_surely_a_slip_is_refused(
    api: Api, changes: dict[str, str], code: str
) -> None:
    status, problem = await submit(api, **changes)
    assert (status, problem["code"]) == (422, code)
    assert api.outside.bell.rung == []


async def test_one_key_names_one_request(api: Api) -> None:
    assert (await submit(api))[0] == 201
    status, problem = await submit(api, quantity="0.6")
    assert (status, problem["code"]) == (422, "idempotency_key_reused")


async def test_a_paused_leader_takes_exits_and_no_entries(api: Api) -> None:
    await call(api, "POST", f"/whales/{api.scene.whale_id}/pause", {"reason": "Looking into it."})
    status, problem = await submit(api)
    assert (status, problem["code"]) == (409, "whale_not_active")
    status, signal = await submit(api, key="signal-key-2", action="CLOSE", side="SELL")
    assert (status, signal["expires_at"]) == (201, None)


async def test_a_silent_venue_stops_entries_and_no_exits(api: Api) -> None:
    api.outside.venue.is_down = True
    status, problem = await submit(api)
    assert (status, problem["code"]) == (503, "venue_unavailable")
    assert (await submit(api, key="signal-key-2", action="REDUCE", side="SELL", fraction="0.5"))[0] == 201


async def test_halts_are_raised_seen_by_those_concerned_and_cleared(api: Api) -> None:
    user = str(api.scene.other.user_id)
    for scope, target in (("PLATFORM", ""), ("VENUE", "binance-usdm"), ("USER", user)):
        body = {"scope": scope, "target": target, "reason": "A drill."}
        assert (await call(api, "POST", "/halts", body))[0] == 201
    seen = {}
    for person in (api.scene.operator, api.scene.owner, api.scene.other):
        answer = await api.client.get("/v1/halts", headers=person.headers)
        seen[person.user_id] = {each["scope"] for each in answer.json()["items"]}
    assert seen == {
        api.scene.operator.user_id: {"PLATFORM", "VENUE", "USER"},
        api.scene.owner.user_id: {"PLATFORM", "VENUE"},
        api.scene.other.user_id: {"PLATFORM", "VENUE", "USER"},
    }
    assert await call(api, "DELETE", f"/halts?scope=USER&target={user}") == (204, None)
    assert (await call(api, "DELETE", f"/halts?scope=USER&target={user}"))[0] == 404
    unknown = {"scope": "USER", "target": "999999", "reason": "A drill."}
    assert (await call(api, "POST", "/halts", unknown))[0] == 404


async def test_what_waits_is_counted(api: Api) -> None:
    _, backlog = await call(api, "GET", "/health/backlog")
    assert (backlog["signals_unfinished"], backlog["orders_in_doubt"]) == (2, 0)
    assert backlog["oldest_signal_at"] == "2026-03-01T12:00:00Z"


async def test_readiness_tells_which_part_is_not_well(api: Api) -> None:
    well = await api.client.get("/readyz")
    assert (well.status_code, well.json()) == (200, {"is_ready": True, "parts": {"database": None}})
    api.outside.probe_fault = "The schema is behind."
    ill = await api.client.get("/readyz")
    assert (ill.status_code, ill.json()["parts"]) == (503, {"database": "The schema is behind."})
    api.outside.probe_error = RuntimeError("password=hunter2")
    broken = await api.client.get("/readyz")
    assert (broken.status_code, broken.json()["parts"]) == (503, {"database": "It cannot be asked."})


async def test_every_request_is_counted_by_its_route_and_not_by_its_address(api: Api) -> None:
    await call(api, "GET", f"/whales/{api.scene.whale_id}")
    await call(api, "GET", "/nothing/here")
    answer = await api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/whales/{whale_id}",status="200"' in answer.text
    assert 'route="unmatched",status="404"' in answer.text
    assert "nothing/here" not in answer.text
