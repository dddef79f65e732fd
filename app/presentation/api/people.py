"""Users and their tokens: an operator's work, and everybody's view of themselves."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from app.application.readers import PeopleReader
from app.application.users.people import RegisterUser, RestoreUser, SuspendUser
from app.application.users.tokens import IssueToken, RevokeTokens
from app.domain.shared.ids import UserId
from app.domain.users.user import Role, UserState
from app.presentation.api.deps import Asking, PageQuery, Services, admit, by_id, cursor_of
from app.presentation.api.fields import AddressId, Incoming, Label, Moment, Outgoing, Reason, example
from app.presentation.api.operations import CHANGING, OF_ONE, SIGNED_IN, failures, rules

router = APIRouter(prefix="/v1", tags=["people"], dependencies=[Depends(admit)])

_USER: Final[dict[str, Any]] = {
    "id": 5,
    "name": "Ada",
    "role": "FOLLOWER",
    "state": "ACTIVE",
    "created_at": "2026-03-01T12:00:00Z",
}
_SHOWN_ONCE: Final = "ct_" + "0" * 43
UserInPath = Annotated[AddressId, Path(alias="user_id", description="The user's id.", examples=[5])]


class UserOut(Outgoing):
    """A person known to the platform."""

    model_config = example(**_USER)

    id: int
    name: str
    role: Role
    state: UserState
    created_at: Moment


class UserPage(Outgoing):
    """Users, newest first."""

    model_config = example(items=[_USER], next="5")

    items: list[UserOut]
    next: str | None


class NewUser(Incoming):
    """A person to register."""

    model_config = example(name="Ada", role="FOLLOWER")

    name: Label
    role: Role = Role.FOLLOWER


class Suspension(Incoming):
    """Why a user may take no new risk."""

    model_config = example(reason="Payment is overdue.")

    reason: Reason


class NewToken(Incoming):
    """What the token is for; it is revoked by this name."""

    model_config = example(label="phone")

    label: Label


class TokenOut(Outgoing):
    """A new token. It is shown this once."""

    model_config = example(label="phone", token=_SHOWN_ONCE)

    label: str
    token: str


class RevokedTokens(Outgoing):
    """How many tokens were revoked."""

    model_config = example(revoked=1)

    revoked: int


class TokenQuery(Incoming):
    """Which tokens are meant; without a label, all of the user's."""

    label: Label | None = None


@router.get(
    "/me",
    operation_id="read_me",
    summary="Read who the token names",
    description=rules(PeopleReader.user),
    responses=failures(SIGNED_IN),
)
async def read_me(services: Services, caller: Asking) -> UserOut:
    return UserOut.model_validate(await services.people.user(caller.user_id))


@router.get(
    "/users",
    operation_id="list_users",
    summary="List users",
    description=rules(PeopleReader.users),
    responses=failures(SIGNED_IN),
)
async def list_users(services: Services, query: Annotated[PageQuery, Query()]) -> UserPage:
    page = await services.people.users(limit=query.limit, after=by_id(query.cursor))
    return UserPage(items=[UserOut.model_validate(row) for row in page.rows], next=cursor_of(page.after))


@router.get(
    "/users/{user_id}",
    operation_id="read_user",
    summary="Read one user",
    description=rules(PeopleReader.user),
    responses=failures(OF_ONE),
)
async def read_user(services: Services, user_id: UserInPath) -> UserOut:
    return await _shown(services, UserId(user_id))


@router.post(
    "/users",
    operation_id="register_user",
    status_code=201,
    summary="Register a user",
    description=rules(RegisterUser),
    responses=failures(SIGNED_IN),
)
async def register_user(services: Services, body: NewUser, response: Response) -> UserOut:
    user = await services.register_user(body.name, body.role)
    response.headers["Location"] = f"/v1/users/{user.id}"
    return await _shown(services, user.id)


@router.post(
    "/users/{user_id}/suspend",
    operation_id="suspend_user",
    summary="Suspend a user",
    description=rules(SuspendUser),
    responses=failures(CHANGING),
)
async def suspend_user(services: Services, user_id: UserInPath, body: Suspension) -> UserOut:
    await services.suspend_user(UserId(user_id), body.reason)
    return await _shown(services, UserId(user_id))


@router.post(
    "/users/{user_id}/restore",
    operation_id="restore_user",
    summary="Restore a suspended user",
    description=rules(RestoreUser),
    responses=failures(CHANGING),
)
async def restore_user(services: Services, user_id: UserInPath) -> UserOut:
    await services.restore_user(UserId(user_id))
    return await _shown(services, UserId(user_id))


@router.post(
    "/users/{user_id}/tokens",
    operation_id="issue_token",
    status_code=201,
    summary="Issue a token",
    description=rules(IssueToken),
    responses=failures(OF_ONE),
)
async def issue_token(
    services: Services, user_id: UserInPath, body: NewToken, response: Response
) -> TokenOut:
    response.headers["Cache-Control"] = "no-store"
    return TokenOut(label=body.label, token=await services.issue_token(UserId(user_id), body.label))


@router.delete(
    "/users/{user_id}/tokens",
    operation_id="revoke_tokens",
    summary="Revoke tokens",
    description=rules(RevokeTokens),
    responses=failures(OF_ONE),
)
async def revoke_tokens(
    services: Services, user_id: UserInPath, query: Annotated[TokenQuery, Query()]
) -> RevokedTokens:
    return RevokedTokens(revoked=await services.revoke_tokens(UserId(user_id), query.label))


async def _shown(services: Services, user_id: UserId) -> UserOut:
    return UserOut.model_validate(await services.people.user(user_id))
