"""Signals and decisions: what was asked, what became of it for each follower, and why it was not copied."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from app.application.queries import DecisionRow, Page, SignalRow
from app.application.readers import DecisionFilter, SignalFilter, SignalReader
from app.application.signals.submit import SubmitSignal
from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId, SignalId, WhaleId
from app.domain.shared.market import Side, Venue
from app.domain.signals.signal import SignalSource, SignalState
from app.domain.trading.decision import DecisionOutcome
from app.presentation.api.asked_signal import AskedSignal
from app.presentation.api.deps import (
    Asking,
    IdempotencyKey,
    PageQuery,
    Seeing,
    Services,
    Trace,
    admit,
    by_id,
    cursor_of,
    keyset,
)
from app.presentation.api.fields import ID_MAX, AddressId, Moment, Number, Outgoing, SymbolText, example
from app.presentation.api.operations import ASKING_VENUE, OF_ONE, SIGNED_IN, failures, rules

router = APIRouter(prefix="/v1", tags=["signals"], dependencies=[Depends(admit)])

_ID: Final = "0a4b5c6d-7e8f-8012-b456-7890abcdef12"
_SIGNAL: Final[dict[str, Any]] = {
    "id": _ID,
    "source": "LEADER",
    "whale_id": 3,
    "venue": "binance-usdm",
    "symbol": "BTC-USDT",
    "action": "OPEN",
    "side": "BUY",
    "quantity": "0.5",
    "fraction": "1",
    "reference_price": "64250.1",
    "scope": None,
    "state": "DONE",
    "leader_at": "2026-03-01T12:00:00.100000Z",
    "created_at": "2026-03-01T12:00:00.180000Z",
    "expires_at": "2026-03-01T12:00:10.180000Z",
    "done_at": "2026-03-01T12:00:00.420000Z",
}
_DECISION: Final[dict[str, Any]] = {
    "signal_id": _ID,
    "follow_id": 11,
    "whale_id": 3,
    "symbol": "BTC-USDT",
    "action": "OPEN",
    "outcome": "SKIPPED",
    "code": "PRICE_DRIFTED",
    "reason": "The price moved against the follower since the leader traded: 0.006 of at most 0.005.",
    "inputs": {"mark_price": "64635.6"},
    "decided_at": "2026-03-01T12:00:00.300000Z",
}
_COUNT: Final[dict[str, Any]] = {"outcome": "SKIPPED", "code": "PRICE_DRIFTED", "count": 14}
SignalInPath = Annotated[UUID, Path(alias="signal_id", description="The signal's id.", examples=[_ID])]


class SignalOut(Outgoing):
    """A signal. `scope` names the one follow that it is for, if it closes only that follow's position."""

    model_config = example(**_SIGNAL)

    id: UUID
    source: SignalSource
    whale_id: int
    venue: Venue
    symbol: str
    action: Action
    side: Side
    quantity: Number
    fraction: Number
    reference_price: Number
    scope: int | None
    state: SignalState
    leader_at: Moment
    created_at: Moment
    expires_at: Moment | None
    done_at: Moment | None


class DecisionCountOut(Outgoing):
    """How many decisions share an outcome and a code."""

    model_config = example(**_COUNT)

    outcome: DecisionOutcome
    code: str
    count: int


class SignalDetail(SignalOut):
    """A signal with its decisions by outcome and code, as far as the caller may see them."""

    model_config = example(**_SIGNAL, decisions=[_COUNT])

    decisions: list[DecisionCountOut]


class SignalPage(Outgoing):
    """Signals, newest first."""

    model_config = example(items=[_SIGNAL], next="1042")

    items: list[SignalOut]
    next: str | None


class DecisionOut(Outgoing):
    """What became of one signal for one follow, why, and the figures that it was decided on."""

    model_config = example(**_DECISION)

    signal_id: UUID
    follow_id: int
    whale_id: int
    symbol: str
    action: Action
    outcome: DecisionOutcome
    code: str
    reason: str
    inputs: dict[str, str]
    decided_at: Moment


class DecisionPage(Outgoing):
    """Decisions, those on the newest signals first."""

    model_config = example(items=[_DECISION], next="1042.11")

    items: list[DecisionOut]
    next: str | None


class SignalQuery(PageQuery):
    """Which signals are wanted."""

    whale_id: AddressId | None = None
    symbol: SymbolText | None = None
    state: SignalState | None = None
    source: SignalSource | None = None


class SignalDecisionQuery(PageQuery):
    """Which of a signal's decisions are wanted."""

    outcome: DecisionOutcome | None = None


class DecisionQuery(SignalDecisionQuery):
    """Which decisions are wanted; `not_copied` asks only for what was skipped, deferred or failed."""

    follow_id: AddressId | None = None
    not_copied: Annotated[bool, Field(description="Leave out COPIED and REDUCED.")] = False


@router.get(
    "/signals",
    operation_id="list_signals",
    summary="List signals",
    description=rules(SignalReader),
    responses=failures(SIGNED_IN),
)
async def list_signals(
    services: Services, seeing: Seeing, query: Annotated[SignalQuery, Query()]
) -> SignalPage:
    wanted = SignalFilter(
        whale_id=None if query.whale_id is None else WhaleId(query.whale_id),
        symbol=query.symbol,
        state=query.state,
        source=query.source,
    )
    page = await services.signals.signals(seeing, wanted, limit=query.limit, after=by_id(query.cursor))
    return SignalPage(items=[SignalOut.model_validate(row) for row in page.rows], next=cursor_of(page.after))


@router.get(
    "/signals/{signal_id}",
    operation_id="read_signal",
    summary="Read one signal with its decisions counted",
    description=rules(SignalReader.decision_counts),
    responses=failures(OF_ONE),
)
async def read_signal(services: Services, seeing: Seeing, signal_id: SignalInPath) -> SignalDetail:
    row = await services.signals.signal(seeing, SignalId(signal_id))
    return await _detail(services, seeing, row)


@router.get(
    "/signals/{signal_id}/decisions",
    operation_id="list_signal_decisions",
    summary="List a signal's decisions",
    description=rules(SignalReader.decisions),
    responses=failures(OF_ONE),
)
async def list_signal_decisions(
    services: Services,
    seeing: Seeing,
    signal_id: SignalInPath,
    query: Annotated[SignalDecisionQuery, Query()],
) -> DecisionPage:
    await services.signals.signal(seeing, SignalId(signal_id))
    wanted = DecisionFilter(signal_id=SignalId(signal_id), outcome=query.outcome)
    after = keyset(query.cursor, ID_MAX, ID_MAX)
    return _decisions(await services.signals.decisions(seeing, wanted, limit=query.limit, after=after))


@router.get(
    "/decisions",
    operation_id="list_decisions",
    summary="List decisions: why was I not copied?",
    description=rules(SignalReader.decisions),
    responses=failures(SIGNED_IN),
)
async def list_decisions(
    services: Services, seeing: Seeing, query: Annotated[DecisionQuery, Query()]
) -> DecisionPage:
    wanted = DecisionFilter(
        follow_id=None if query.follow_id is None else FollowId(query.follow_id),
        outcome=query.outcome,
        not_copied=query.not_copied,
    )
    after = keyset(query.cursor, ID_MAX, ID_MAX)
    return _decisions(await services.signals.decisions(seeing, wanted, limit=query.limit, after=after))


@router.post(
    "/signals",
    operation_id="submit_signal",
    status_code=201,
    summary="Submit a signal by hand",
    description=rules(SubmitSignal),
    responses={
        200: {"model": SignalDetail, "description": "The same request was made before: its signal."},
        **failures(ASKING_VENUE),
    },
)
async def submit_signal(
    services: Services,
    caller: Asking,
    seeing: Seeing,
    body: AskedSignal,
    key: IdempotencyKey,
    trace: Trace,
    response: Response,
) -> SignalDetail:
    submitted = await services.submit_signal(caller.user_id, key, body.asked(), trace)
    response.status_code = 201 if submitted.is_new else 200
    response.headers["Location"] = f"/v1/signals/{submitted.signal.id}"
    return await _detail(services, seeing, await services.signals.signal(seeing, submitted.signal.id))


async def _detail(services: Services, seeing: Seeing, row: SignalRow) -> SignalDetail:
    counts = await services.signals.decision_counts(seeing, SignalId(row.id))
    return SignalDetail(
        **SignalOut.model_validate(row).model_dump(),
        decisions=[DecisionCountOut.model_validate(each) for each in counts],
    )


def _decisions(page: Page[DecisionRow]) -> DecisionPage:
    return DecisionPage(
        items=[DecisionOut.model_validate(row) for row in page.rows], next=cursor_of(page.after)
    )
