"""Pure ASGI around every request: its id, its log line and timing, the last catch, and the guard of its body.

Invariants: every answer carries `X-Request-Id`; an exception that nobody expected is logged once, with the id, and
answered without a word of it; no body is parsed before it is known to be small, JSON by its header and sane.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.application.api_services import ApiServices
from app.presentation.api.errors import INTERNAL_SENTENCE, problem
from app.presentation.api.json_guard import BadJson, check_json

BODY_BYTES_MAX: Final = 64 * 1024
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_JSON_TYPE: Final = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log: Final = structlog.stdlib.get_logger("api")


class RequestContext:
    """Gives a request its id, logs and counts it, and answers what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on; other traffic (the lifespan) goes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        scope["request_id"] = request_id
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, sending)
            except Exception as error:
                code = "service_unavailable" if _is_outage(error) else "internal_error"
                await _log.aexception("request.failed", code=code, method=scope["method"])
                if status:
                    raise  # the answer is half sent: only cutting the connection tells the client
                detail = _OUTAGE_SENTENCE if code == "service_unavailable" else INTERNAL_SENTENCE
                await problem(code, detail, request_id)(scope, receive, sending)
            finally:
                _account_for(scope, status, time.perf_counter() - began)


_OUTAGE_SENTENCE: Final = "A part that we depend on does not answer. Try again in a moment."


def _is_outage(error: Exception) -> bool:
    """Tell a server that does not answer from a fault of ours, also where a driver wrapped the former."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError | TimeoutError):
            return True
        seen = seen.__cause__
    return False


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _account_for(scope: Scope, status: int, seconds: float) -> None:
    route = str(getattr(scope.get("route"), "path", "unmatched"))
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    caller = scope.get("state", {}).get("caller")
    _log.info(
        "request.done",
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 3),
        user_id=None if caller is None else caller.user_id,
    )
    services = getattr(scope["app"].state, "app", None) if "app" in scope else None
    if isinstance(services, ApiServices):
        services.metrics.seconds(
            "http_request_seconds", seconds, method=method, route=route, status=str(status)
        )


class BodyGuard:
    """Reads a request's body up to the limit, refuses what is not sane JSON, and hands it on whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body checked, or answer 400, 413 or 415."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = await _read(headers, receive)
        fault = _TOO_LARGE if body is None else _fault(headers, body)
        if fault is not None:
            code, detail = fault
            await problem(code, detail, scope.get("request_id", ""))(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


_TOO_LARGE: Final = ("body_too_large", f"A body has at most {BODY_BYTES_MAX} bytes.")


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    """Return the body, None as soon as it is known to be too large."""
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > BODY_BYTES_MAX:
        return None
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _fault(headers: Headers, body: bytes) -> tuple[str, str] | None:
    if not body:
        return None
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        return "unsupported_media_type", "Send the body without a content encoding."
    if not _JSON_TYPE.fullmatch(headers.get("content-type", "")):
        return "unsupported_media_type", "Send the body as application/json in UTF-8."
    try:
        check_json(body)
    except BadJson as bad:
        return "bad_json", str(bad)
    return None
