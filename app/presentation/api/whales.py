"""Leaders: the list, one leader with what it holds, and an operator's changes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from app.application.readers import PeopleReader, WhaleReader
from app.application.whales.manage import BanWhale, PauseWhale, RegisterWhale, ResumeWhale
from app.domain.shared.ids import AccountId, WhaleId
from app.domain.shared.market import Venue
from app.domain.whales.whale import Whale, WhaleState, WhaleTier
from app.presentation.api.deps import PageQuery, Seeing, Services, admit, by_id, cursor_of
from app.presentation.api.fields import (
    AddressId,
    BodyId,
    Incoming,
    Label,
    Moment,
    Number,
    Outgoing,
    Reason,
    example,
)
from app.presentation.api.follows import FollowPage, follow_page
from app.presentation.api.operations import CHANGING, OF_ONE, SIGNED_IN, failures, rules

router = APIRouter(prefix="/v1/whales", tags=["whales"], dependencies=[Depends(admit)])

_WHALE: Final[dict[str, Any]] = {
    "id": 3,
    "name": "north",
    "venue": "binance-usdm",
    "tier": "PREMIUM",
    "state": "ACTIVE",
    "followers": 120,
    "created_at": "2026-03-01T12:00:00Z",
}
WhaleInPath = Annotated[AddressId, Path(alias="whale_id", description="The leader's id.", examples=[3])]


class WhaleOut(Outgoing):
    """A leader. `followers` counts the follows that are not stopped."""

    model_config = example(**_WHALE)

    id: int
    name: str
    venue: Venue
    tier: WhaleTier
    state: WhaleState
    followers: int
    created_at: Moment


class LeaderPositionOut(Outgoing):
    """What a leader holds on one market: signed base units as of the last fill seen."""

    model_config = example(symbol="BTC-USDT", quantity="-1.25", updated_at="2026-03-01T12:00:00Z")

    symbol: str
    quantity: Number
    updated_at: Moment


class WhaleDetail(WhaleOut):
    """A leader with what it holds."""

    model_config = example(
        **_WHALE,
        positions=[{"symbol": "BTC-USDT", "quantity": "-1.25", "updated_at": "2026-03-01T12:00:00Z"}],
    )

    positions: list[LeaderPositionOut]


class WhalePage(Outgoing):
    """Leaders, newest first."""

    model_config = example(items=[_WHALE], next="3")

    items: list[WhaleOut]
    next: str | None


class WhaleQuery(PageQuery):
    """Which leaders are wanted."""

    state: WhaleState | None = None


class NewWhale(Incoming):
    """The account whose trades shall be copied."""

    model_config = example(name="north", account_id=7, tier="STANDARD")

    name: Label
    account_id: BodyId
    tier: WhaleTier = WhaleTier.STANDARD


class WhaleReason(Incoming):
    """Why the leader's entries are no longer copied."""

    model_config = example(reason="The account changed hands.")

    reason: Reason


@router.get(
    "",
    operation_id="list_whales",
    summary="List leaders",
    description=rules(WhaleReader.whales),
    responses=failures(SIGNED_IN),
)
async def list_whales(services: Services, query: Annotated[WhaleQuery, Query()]) -> WhalePage:
    page = await services.whales.whales(limit=query.limit, after=by_id(query.cursor), state=query.state)
    return WhalePage(items=[WhaleOut.model_validate(row) for row in page.rows], next=cursor_of(page.after))


@router.get(
    "/{whale_id}",
    operation_id="read_whale",
    summary="Read one leader with what it holds",
    description=rules(WhaleReader.whale),
    responses=failures(OF_ONE),
)
async def read_whale(services: Services, whale_id: WhaleInPath) -> WhaleDetail:
    return await _detail(services, WhaleId(whale_id))


@router.get(
    "/{whale_id}/follows",
    operation_id="list_whale_follows",
    summary="List a leader's follows",
    description=rules(PeopleReader.follows),
    responses=failures(OF_ONE),
)
async def list_whale_follows(
    services: Services, seeing: Seeing, whale_id: WhaleInPath, query: Annotated[PageQuery, Query()]
) -> FollowPage:
    await services.whales.whale(WhaleId(whale_id))
    page = await services.people.follows(
        seeing, limit=query.limit, after=by_id(query.cursor), whale_id=WhaleId(whale_id)
    )
    return follow_page(page)


@router.post(
    "",
    operation_id="register_whale",
    status_code=201,
    summary="Register a leader",
    description=rules(RegisterWhale),
    responses=failures(CHANGING),
)
async def register_whale(services: Services, body: NewWhale, response: Response) -> WhaleDetail:
    whale = await services.register_whale(body.name, AccountId(body.account_id), body.tier)
    response.headers["Location"] = f"/v1/whales/{whale.id}"
    return await _changed(services, whale)


@router.post(
    "/{whale_id}/pause",
    operation_id="pause_whale",
    summary="Pause a leader",
    description=rules(PauseWhale),
    responses=failures(CHANGING),
)
async def pause_whale(services: Services, whale_id: WhaleInPath, body: WhaleReason) -> WhaleDetail:
    return await _changed(services, await services.pause_whale(WhaleId(whale_id), body.reason))


@router.post(
    "/{whale_id}/resume",
    operation_id="resume_whale",
    summary="Resume a leader",
    description=rules(ResumeWhale),
    responses=failures(CHANGING),
)
async def resume_whale(services: Services, whale_id: WhaleInPath) -> WhaleDetail:
    return await _changed(services, await services.resume_whale(WhaleId(whale_id)))


@router.post(
    "/{whale_id}/ban",
    operation_id="ban_whale",
    summary="Ban a leader",
    description=rules(BanWhale),
    responses=failures(CHANGING),
)
async def ban_whale(services: Services, whale_id: WhaleInPath, body: WhaleReason) -> WhaleDetail:
    return await _changed(services, await services.ban_whale(WhaleId(whale_id), body.reason))


async def _changed(services: Services, whale: Whale) -> WhaleDetail:
    return await _detail(services, whale.id)


async def _detail(services: Services, whale_id: WhaleId) -> WhaleDetail:
    row = await services.whales.whale(whale_id)
    held = await services.whales.leader_positions(whale_id)
    return WhaleDetail(
        **WhaleOut.model_validate(row).model_dump(),
        positions=[LeaderPositionOut.model_validate(each) for each in held],
    )
