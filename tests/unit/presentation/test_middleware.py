"""The middleware: the last catch says nothing and logs once; the body is read to the limit and handed on whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from app.presentation.api.middleware import BODY_BYTES_MAX, BodyGuard, RequestContext

SECRET = "password=hunter2"


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://api")


def failing(error: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return RequestContext(app)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await JSONResponse({"size": len(body)})(scope, receive, send)


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError(SECRET), 500, "internal_error"),
        (ConnectionRefusedError(SECRET), 503, "service_unavailable"),
        (TimeoutError(SECRET), 503, "service_unavailable"),
        (caused(RuntimeError(SECRET), ConnectionResetError()), 503, "service_unavailable"),
    ],
)
async def test_what_nobody_caught_is_answered_without_a_word_of_it_and_logged_once(
    error: Exception, status: int, code: str
) -> None:
    with capture_logs() as logs:
        async with client_of(failing(error)) as client:
            answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert [line["event"] for line in logs] == ["request.failed", "request.done"]


async def test_an_answer_that_breaks_off_is_cut_and_not_completed() -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError(SECRET)

        await StreamingResponse(half())(scope, receive, send)

    transport = httpx2.ASGITransport(RequestContext(breaking))
    with capture_logs() as logs:
        async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
            with pytest.raises(RuntimeError):
                await client.get("/")
    assert sum(line["event"] == "request.failed" for line in logs) == 1


async def test_a_request_is_logged_with_its_id_route_and_status() -> None:
    async def fine(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=204)(scope, receive, send)

    with capture_logs() as logs:
        async with client_of(RequestContext(fine)) as client:
            await client.get("/v1/secret-in-the-address", headers={"X-Request-Id": "given-id-1"})
    (line,) = logs
    assert (line["method"], line["route"], line["status"]) == ("GET", "unmatched", 204)
    assert "secret-in-the-address" not in str(line)


@pytest.mark.parametrize(("size", "status"), [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)])
async def test_a_body_passes_whole_up_to_the_limit(size: int, status: int) -> None:
    body = b'"' + b"a" * (size - 2) + b'"'
    async with client_of(BodyGuard(echo)) as client:
        answer = await client.post("/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"size": size}


async def test_a_declared_length_beyond_the_limit_is_refused_before_a_byte_is_read() -> None:
    async def unread() -> AsyncIterator[bytes]:
        for part in (b"a", b"b"):
            parts.append(part)
            yield part

    parts: list[bytes] = []

    async with client_of(BodyGuard(echo)) as client:
        answer = await client.post("/", content=unread(), headers={"Content-Length": str(BODY_BYTES_MAX + 1)})
    assert (answer.status_code, parts) == (413, [])


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_by_any_of_its_spellings_is_taken(kind: str) -> None:
    async with client_of(BodyGuard(echo)) as client:
        assert (await client.post("/", content=b"{}", headers={"Content-Type": kind})).status_code == 200
