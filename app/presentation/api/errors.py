"""Errors as RFC 9457 problems: one table from code to status, one shape, nothing of the input or of our insides.

A code that the table lacks takes the status of its nearest base; what is not a domain error is 500 and is logged once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from app.domain.exchanges.outcomes import VenueThrottled
from app.domain.shared.errors import DomainError
from app.presentation.api.validation import FieldError, field_errors

PROBLEM_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[str, HTTPStatus]] = MappingProxyType(
    {
        "bad_json": HTTPStatus.BAD_REQUEST,
        "unauthenticated": HTTPStatus.UNAUTHORIZED,
        "forbidden": HTTPStatus.FORBIDDEN,
        "not_found": HTTPStatus.NOT_FOUND,
        "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
        "already_exists": HTTPStatus.CONFLICT,
        "concurrency_conflict": HTTPStatus.CONFLICT,
        "illegal_transition": HTTPStatus.CONFLICT,
        "account_in_use": HTTPStatus.CONFLICT,
        "nothing_to_close": HTTPStatus.CONFLICT,
        "user_not_active": HTTPStatus.CONFLICT,
        "whale_not_active": HTTPStatus.CONFLICT,
        "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "validation_error": HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_value": HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_cursor": HTTPStatus.UNPROCESSABLE_ENTITY,
        "unknown_symbol": HTTPStatus.UNPROCESSABLE_ENTITY,
        "price_off_market": HTTPStatus.UNPROCESSABLE_ENTITY,
        "cannot_follow": HTTPStatus.UNPROCESSABLE_ENTITY,
        "cannot_lead": HTTPStatus.UNPROCESSABLE_ENTITY,
        "key_not_usable": HTTPStatus.UNPROCESSABLE_ENTITY,
        "key_rejected": HTTPStatus.UNPROCESSABLE_ENTITY,
        "no_key": HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
        "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
        "invariant_broken": HTTPStatus.INTERNAL_SERVER_ERROR,
        "domain_error": HTTPStatus.INTERNAL_SERVER_ERROR,
        "venue_error": HTTPStatus.BAD_GATEWAY,
        "venue_refused": HTTPStatus.BAD_GATEWAY,
        "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
        "venue_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
        "venue_throttled": HTTPStatus.SERVICE_UNAVAILABLE,
        "service_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    }
)

_HTTP_CODES: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        404: ("not_found", "There is nothing at this address."),
        405: ("method_not_allowed", "This address does not take this method."),
        400: ("bad_json", "The body is not JSON."),
    }
)
INTERNAL_SENTENCE: Final = "Something went wrong on our side. Quote the request id when you report it."


def problem(
    code: str,
    detail: str,
    request_id: str,
    *,
    errors: Sequence[FieldError] = (),
    status: HTTPStatus | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem for a code; `errors` names the fields that were wrong, without their values."""
    answer = status if status is not None else STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
    body = {
        "type": f"urn:copytrade:problem:{code}",
        "title": answer.phrase,
        "status": answer.value,
        "code": code,
        "detail": detail,
        "request_id": request_id,
        "errors": [{"field": each.field, "code": each.code, "message": each.message} for each in errors],
    }
    return Response(json.dumps(body), answer.value, headers, PROBLEM_TYPE)


def status_of(error: DomainError) -> HTTPStatus:
    """Return the status of an error's code, or of the nearest base that the table holds."""
    for kind in type(error).__mro__:
        code = getattr(kind, "code", None)
        if isinstance(code, str) and code in STATUS:
            return STATUS[code]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def request_id_of(request: Request) -> str:
    """Return the id that the middleware gave to this request."""
    return str(request.scope.get("request_id", ""))


def install(app: FastAPI) -> None:
    """Let the app answer every error that is expected as a problem; the middleware answers the rest."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DomainError):
        raise error
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error  # a broken invariant is ours: the middleware logs it and says no more than that
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, VenueThrottled):
        headers["Retry-After"] = str(max(1, int(error.retry_after.total_seconds())))
    return problem(error.code, error.message, request_id_of(request), status=status, headers=headers)


async def _invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem(
        "validation_error",
        "The request is not as described. Each wrong field is listed.",
        request_id_of(request),
        errors=field_errors(error.errors()),
    )


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code, detail = _HTTP_CODES.get(error.status_code, ("bad_json", "The request cannot be read."))
    return problem(code, detail, request_id_of(request), headers=error.headers)
