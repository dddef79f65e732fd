"""What routes are given: the services, the caller, what the caller may see, pages and keys."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from app.application.api_services import ApiServices
from app.application.queries import Keyset
from app.application.readers import Viewer
from app.domain.shared.errors import InvalidValue, Unauthenticated
from app.domain.users.ports import Caller
from app.domain.users.user import Role
from app.presentation.api.access import check_access
from app.presentation.api.errors import request_id_of
from app.presentation.api.fields import ID_MAX, Incoming

_BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token of yours, `ct_...`, in the header `Authorization: Bearer`.",
)


class InvalidCursor(InvalidValue):
    """The cursor is not one that a page of this list gave."""

    code = "invalid_cursor"


def services_of(request: Request) -> ApiServices:
    """Return the app's services, put there when it was created or started."""
    services = request.app.state.app
    if not isinstance(services, ApiServices):
        raise TypeError("The app was not started with its services.")
    return services


Services: TypeAlias = Annotated[ApiServices, Depends(services_of)]


async def admit(
    request: Request,
    services: Services,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    """Return who is asking if they may call this operation; Unauthenticated or Forbidden otherwise."""
    if credentials is None:
        raise Unauthenticated("Send `Authorization: Bearer ct_...` with a token of yours.")
    caller = await services.authenticate(credentials.credentials)
    request.state.caller = caller
    check_access(str(request.scope["route"].operation_id), caller)
    return caller


Asking: TypeAlias = Annotated[Caller, Depends(admit)]
"""The caller. The only identity that a route may use."""


def viewer_of(caller: Asking) -> Viewer:
    """Return whose rows the caller may see: their own, or everyone's for an operator."""
    return None if caller.role is Role.OPERATOR else caller.user_id


Seeing: TypeAlias = Annotated[Viewer, Depends(viewer_of)]


def _trace(request: Request) -> str:
    return request_id_of(request)


Trace: TypeAlias = Annotated[str, Depends(_trace)]
"""The request's id, which follows a signal to its orders."""

IdempotencyKey: TypeAlias = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=100,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="Names this request: sent again with the same content it changes nothing.",
        examples=["close-2026-03-01-001"],
    ),
]


class PageQuery(Incoming):
    """Which part of a list is wanted."""

    limit: Annotated[int, Field(ge=1, le=200, description="Rows of one page.")] = 50
    cursor: Annotated[
        str | None,
        Field(
            max_length=120,
            pattern=r"^[0-9A-Z.-]+$",
            description="`next` of the page before; leave out for the first page.",
        ),
    ] = None


NUMBER: Final = re.compile(r"[0-9]{1,19}")
SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}")


def keyset(cursor: str | None, *parts: int | re.Pattern[str]) -> Keyset | None:
    """Read a cursor of the given parts: a number is at most that number, a pattern is the text's.

    Raises InvalidCursor for everything that `cursor_of` would not have written.
    """
    if cursor is None:
        return None
    texts = cursor.split(".")
    if len(texts) != len(parts):
        raise InvalidCursor("The cursor is not one of this list. Use `next` of the page before.")
    read: list[int | str] = []
    for text, part in zip(texts, parts, strict=True):
        pattern = NUMBER if isinstance(part, int) else part
        if not pattern.fullmatch(text) or (isinstance(part, int) and int(text) > part):
            raise InvalidCursor("The cursor is not one of this list. Use `next` of the page before.")
        read.append(int(text) if isinstance(part, int) else text)
    return tuple(read)


def by_id(cursor: str | None) -> Keyset | None:
    """Read the cursor of a list that is ordered by one id."""
    return keyset(cursor, ID_MAX)


def cursor_of(after: Keyset | None) -> str | None:
    """Write a keyset as the cursor of the next page."""
    return None if after is None else ".".join(str(part) for part in after)
