"""Every operation of the OpenAPI document, called by everybody: the owner, another follower, an operator, nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from app.presentation.api.access import ACCESS, Access
from app.presentation.api.app import create_app
from tests.integration.api.conftest import Api
from tests.integration.api.scene import Scene

SCHEMA = create_app().openapi()
OWNED = ("follow_id", "account_id", "signal_id", "client_order_id")


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    name: str
    description: dict[str, Any]

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


OPERATIONS = [
    Operation(method, path, described["operationId"], described)
    for path, methods in SCHEMA["paths"].items()
    for method, described in methods.items()
]


def named(name: str) -> list[Operation]:
    return [each for each in OPERATIONS if each.name == name]


NAMES = {each.name for each in OPERATIONS}


def example_of(operation: Operation, scene: Scene) -> object:
    """The described example of the body, with the scene's ids."""
    if "requestBody" not in operation.description:
        return None
    reference = operation.description["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    body = dict(SCHEMA["components"]["schemas"][reference.rpartition("/")[2]]["examples"][0])
    known = {
        "whale_id": scene.whale_id,
        "follow_id": scene.owner.follow_id,
        "account_id": scene.owner.account_id,
    }
    return {**body, **{name: known[name] for name in body if name in known}}


async def call(api: Api, operation: Operation, headers: dict[str, str]) -> httpx2.Response:
    scene = api.scene
    path = operation.path.format(
        whale_id=scene.whale_id,
        follow_id=scene.owner.follow_id,
        account_id=scene.owner.account_id,
        signal_id=scene.signals[0],
        client_order_id=scene.order_id,
        user_id=scene.condemned.user_id,
    )
    query = {"scope": "PLATFORM"} if operation.name == "clear_halt" else {}
    return await api.client.request(
        operation.method,
        path,
        params=query,
        headers={**headers, "Idempotency-Key": f"key-of-{operation.name}"},
        json=example_of(operation, scene),
    )


def test_every_operation_has_a_row_of_access_and_every_row_an_operation() -> None:
    assert set(ACCESS) == NAMES


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_nobody_without_a_token_gets_in(shared_api: Api, operation: Operation) -> None:
    is_open = ACCESS[operation.name] is Access.ANYONE
    for headers in ({}, {"Authorization": "Bearer ct_nobody"}, {"Authorization": "Basic eDp5"}):
        answer = await call(shared_api, operation, headers)
        assert (answer.status_code == 401) != is_open
        if not is_open:
            assert answer.json()["code"] == "unauthenticated"
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_an_operators_operation_is_forbidden_to_followers(
    shared_api: Api, operation: Operation
) -> None:
    answer = await call(shared_api, operation, shared_api.scene.idle.headers)
    assert (answer.status_code == 403) == (ACCESS[operation.name] is Access.OPERATOR)


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if set(OWNED) & set(each.parameters) and each.name != "list_whale_follows"],
    ids=lambda each: each.name,
)
async def test_what_belongs_to_another_is_not_said_to_exist(shared_api: Api, operation: Operation) -> None:
    stranger = await call(shared_api, operation, shared_api.scene.idle.headers)
    assert stranger.status_code == 404
    assert stranger.json()["code"] == "not_found"


@pytest.mark.parametrize("name", ["start_follow", "close_position"])
async def test_a_body_that_names_anothers_object_is_not_found(shared_api: Api, name: str) -> None:
    (operation,) = named(name)
    assert (await call(shared_api, operation, shared_api.scene.other.headers)).status_code == 404


async def test_another_followers_lists_hold_nothing_of_the_owner(shared_api: Api) -> None:
    headers = shared_api.scene.other.headers
    for path in ("/v1/decisions", "/v1/orders", "/v1/positions"):
        assert (await shared_api.client.get(path, headers=headers)).json() == {"items": [], "next": None}
    for path in ("/v1/follows", "/v1/accounts"):
        items = (await shared_api.client.get(path, headers=headers)).json()["items"]
        mine = {shared_api.scene.other.follow_id, shared_api.scene.other.account_id}
        assert len(items) == 1
        assert items[0]["id"] in mine
    decisions = await shared_api.client.get(
        f"/v1/signals/{shared_api.scene.signals[0]}/decisions", headers=headers
    )
    assert decisions.json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "operation",
    [*(each for each in OPERATIONS if each.name != "revoke_key"), *named("revoke_key")],
    ids=lambda each: each.name,
)
async def test_the_owner_and_the_operator_are_admitted_where_they_may_be(
    shared_api: Api, operation: Operation
) -> None:
    scene = shared_api.scene
    for person, role in ((scene.owner, Access.USER), (scene.operator, Access.OPERATOR)):
        if ACCESS[operation.name] is not role:
            continue
        answer = await call(shared_api, operation, person.headers)
        allowed = {200, 201, 204, 409, 422} | ({404} if operation.name == "clear_halt" else set())
        assert answer.status_code in allowed, answer.text


async def test_a_revoked_token_is_refused_from_the_next_request_on(api: Api) -> None:
    headers = api.scene.idle.headers
    assert (await api.client.get("/v1/me", headers=headers)).status_code == 200
    gone = await api.client.delete(
        f"/v1/users/{api.scene.idle.user_id}/tokens", headers=api.scene.operator.headers
    )
    assert gone.json() == {"revoked": 1}
    assert (await api.client.get("/v1/me", headers=headers)).status_code == 401
