"""Follows: the list, one follow, starting one, and every change to it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from app.application.queries import FollowRow, Page
from app.application.readers import PeopleReader
from app.application.users.follows import ChangeTerms, PauseFollow, ResumeFollow, StartFollow
from app.application.users.stop_follow import StopFollow
from app.domain.shared.ids import AccountId, FollowId, WhaleId
from app.domain.users.follow import Follow, FollowState
from app.presentation.api.deps import Asking, PageQuery, Seeing, Services, Trace, admit, by_id, cursor_of
from app.presentation.api.fields import AddressId, BodyId, Incoming, Moment, Outgoing, example
from app.presentation.api.operations import CHANGING, OF_ONE, SIGNED_IN, failures, rules
from app.presentation.api.terms import TERMS, TermsIn, TermsOut, terms_out

router = APIRouter(prefix="/v1/follows", tags=["follows"], dependencies=[Depends(admit)])

_FOLLOW: Final[dict[str, Any]] = {
    "id": 11,
    "whale_id": 3,
    "account_id": 7,
    "state": "ACTIVE",
    "terms": TERMS,
    "created_at": "2026-03-01T12:00:00Z",
}
FollowInPath = Annotated[AddressId, Path(alias="follow_id", description="The follow's id.", examples=[11])]


class FollowOut(Outgoing):
    """Who copies whom, on which account and terms."""

    model_config = example(**_FOLLOW)

    id: int
    whale_id: int
    account_id: int
    state: FollowState
    terms: TermsOut
    created_at: Moment


class FollowPage(Outgoing):
    """Follows, newest first."""

    model_config = example(items=[_FOLLOW], next="11")

    items: list[FollowOut]
    next: str | None


class NewFollow(Incoming):
    """Whom to copy, on which of one's own accounts, on which terms."""

    model_config = example(whale_id=3, account_id=7, terms=TERMS)

    whale_id: BodyId
    account_id: BodyId
    terms: TermsIn


class Stopping(Incoming):
    """Whether what the follow holds is closed now, or stays until the leader closes."""

    model_config = example(close_positions=True)

    close_positions: bool


@router.get(
    "",
    operation_id="list_follows",
    summary="List follows",
    description=rules(PeopleReader.follows),
    responses=failures(SIGNED_IN),
)
async def list_follows(
    services: Services, seeing: Seeing, query: Annotated[PageQuery, Query()]
) -> FollowPage:
    return follow_page(await services.people.follows(seeing, limit=query.limit, after=by_id(query.cursor)))


@router.get(
    "/{follow_id}",
    operation_id="read_follow",
    summary="Read one follow",
    description=rules(PeopleReader.follow),
    responses=failures(OF_ONE),
)
async def read_follow(services: Services, seeing: Seeing, follow_id: FollowInPath) -> FollowOut:
    return follow_out(await services.people.follow(seeing, FollowId(follow_id)))


@router.post(
    "",
    operation_id="start_follow",
    status_code=201,
    summary="Follow a leader",
    description=rules(StartFollow),
    responses=failures(CHANGING),
)
async def start_follow(services: Services, caller: Asking, body: NewFollow, response: Response) -> FollowOut:
    follow = await services.start_follow(
        caller.user_id, WhaleId(body.whale_id), AccountId(body.account_id), body.terms.agreed()
    )
    response.headers["Location"] = f"/v1/follows/{follow.id}"
    return await _changed(services, follow)


@router.put(
    "/{follow_id}/terms",
    operation_id="change_terms",
    summary="Change a follow's terms",
    description=rules(ChangeTerms),
    responses=failures(CHANGING),
)
async def change_terms(
    services: Services, caller: Asking, follow_id: FollowInPath, body: TermsIn
) -> FollowOut:
    return await _changed(
        services, await services.change_terms(caller.user_id, FollowId(follow_id), body.agreed())
    )


@router.post(
    "/{follow_id}/pause",
    operation_id="pause_follow",
    summary="Pause a follow",
    description=rules(PauseFollow),
    responses=failures(CHANGING),
)
async def pause_follow(services: Services, caller: Asking, follow_id: FollowInPath) -> FollowOut:
    return await _changed(services, await services.pause_follow(caller.user_id, FollowId(follow_id)))


@router.post(
    "/{follow_id}/resume",
    operation_id="resume_follow",
    summary="Resume a follow",
    description=rules(ResumeFollow),
    responses=failures(CHANGING),
)
async def resume_follow(services: Services, caller: Asking, follow_id: FollowInPath) -> FollowOut:
    return await _changed(services, await services.resume_follow(caller.user_id, FollowId(follow_id)))


@router.post(
    "/{follow_id}/stop",
    operation_id="stop_follow",
    summary="Stop a follow",
    description=rules(StopFollow),
    responses=failures(CHANGING),
)
async def stop_follow(
    services: Services, caller: Asking, follow_id: FollowInPath, body: Stopping, trace: Trace
) -> FollowOut:
    stopped = await services.stop_follow(
        caller.user_id, FollowId(follow_id), close_positions=body.close_positions, trace_id=trace
    )
    return await _changed(services, stopped)


def follow_out(row: FollowRow) -> FollowOut:
    """Return a follow as it is shown."""
    return FollowOut(
        id=row.id,
        whale_id=row.whale_id,
        account_id=row.account_id,
        state=row.state,
        terms=terms_out(row.terms),
        created_at=row.created_at,
    )


def follow_page(page: Page[FollowRow]) -> FollowPage:
    """Return a page of follows as it is shown."""
    return FollowPage(items=[follow_out(row) for row in page.rows], next=cursor_of(page.after))


async def _changed(services: Services, follow: Follow) -> FollowOut:
    return follow_out(await services.people.follow(follow.user_id, follow.id))
