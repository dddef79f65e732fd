"""Requests made from the OpenAPI document, valid and not, over a real socket: never a 5xx, always as described."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from app.infrastructure.postgres.engine import make_engine
from app.presentation.api.app import create_app
from tests.integration.api.scene import Scene
from tests.integration.api.services import Outside, make_services

SCHEMA = create_app().openapi()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
DESCRIBED = schemathesis.openapi.from_dict(SCHEMA)
NAMES = [described["operationId"] for methods in SCHEMA["paths"].values() for described in methods.values()]
EXAMPLES = 12


@pytest.fixture(scope="module")
def server(shared: tuple[str, Scene]) -> Iterator[str]:
    """The API behind uvicorn on a free port of this machine; yields its address."""
    engine = make_engine(shared[0], pool_size=4, application_name="api tests")
    app = create_app(make_services(engine, Outside()))
    running = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", loop="asyncio")
    )
    started = threading.Event()
    startup = running.startup

    async def announced(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    async def serve() -> None:
        await running.serve()
        await engine.dispose()  # where its connections live

    running.startup = announced  # type: ignore[method-assign]  # uvicorn offers no other word of its start
    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="api", daemon=True)
    thread.start()
    assert started.wait(20)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


ADMITTED = {200, 201, 204, 404, 409}


def _made_of(
    cases: st.SearchStrategy[Any], number: int
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    def decorate(ask: Callable[..., None]) -> Callable[[], None]:
        made: Callable[[], None] = settings(
            max_examples=number,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(case=cases)(ask))
        return made

    return decorate


@pytest.mark.parametrize("name", NAMES)
def test_any_request_is_answered_as_described(server: str, shared: tuple[str, Scene], name: str) -> None:
    operation = DESCRIBED.find_operation_by_id(name)
    headers = shared[1].operator.headers

    good = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    def ask(case: schemathesis.Case[Any]) -> None:
        if name in {"revoke_tokens", "suspend_user"}:
            case.path_parameters = {
                **case.path_parameters,
                "user_id": 2**40,
            }  # the caller's own token must last
        answer = case.call_and_validate(base_url=server, headers=headers, checks=CHECKS, timeout=20)
        seen.add(answer.status_code)

    seen: set[int] = set()
    _made_of(st.one_of(good, bad), EXAMPLES)(ask)()
    if not seen & ADMITTED:  # which requests are made depends on what else the process has loaded
        _made_of(good, 5 * EXAMPLES)(ask)()
    assert seen & ADMITTED, "Nothing that was made came past the door."
