"""Limits that users set for themselves, and halts."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.application.readers import HaltReader
from app.application.risk.halts import ClearHalt, RaiseHalt
from app.application.risk.limits import LimitsView, ReadLimits, SetLimits
from app.domain.risk.halts import HaltScope
from app.domain.risk.limits import Limits
from app.presentation.api.deps import Asking, Seeing, Services, admit
from app.presentation.api.fields import Incoming, Moment, Number, Outgoing, Reason, Unsigned, example
from app.presentation.api.operations import OF_ONE, SIGNED_IN, failures, rules

router = APIRouter(prefix="/v1", tags=["risk"], dependencies=[Depends(admit)])

_OWN: Final[dict[str, Any]] = {
    "order_notional_max": "500",
    "symbol_notional_max": "2000",
    "total_notional_max": "5000",
    "daily_loss_max": "100",
    "drawdown_max": "0.2",
    "leverage_max": 5,
    "positions_max": 10,
}
_NONE: Final[dict[str, Any]] = dict.fromkeys(_OWN)
_HALT: Final[dict[str, Any]] = {
    "scope": "VENUE",
    "target": "binance-usdm",
    "reason": "The venue answers slowly.",
    "at": "2026-03-01T12:00:00Z",
}
Target = Annotated[
    str,
    Field(
        max_length=40,
        pattern=r"^[a-z0-9-]*$",
        description="Empty for the platform, else a venue's name or a user's id.",
    ),
]
_Count = Annotated[int, Field(ge=0, strict=True)]


class LimitsIn(Incoming):
    """One's own limits, all at once: what is left out or null is not set.

    Notionals and the daily loss are quote currency, `drawdown_max` is a ratio of the account's high-water mark.
    """

    model_config = example(**_OWN)

    order_notional_max: Unsigned | None = None
    symbol_notional_max: Unsigned | None = None
    total_notional_max: Unsigned | None = None
    daily_loss_max: Unsigned | None = None
    drawdown_max: Unsigned | None = None
    leverage_max: Annotated[_Count, Field(le=125)] | None = None
    positions_max: Annotated[_Count, Field(le=10_000)] | None = None

    def wanted(self) -> Limits:
        """Return the limits, or raise InvalidValue."""
        return Limits(
            order_notional_max=self.order_notional_max,
            symbol_notional_max=self.symbol_notional_max,
            total_notional_max=self.total_notional_max,
            daily_loss_max=self.daily_loss_max,
            drawdown_max=self.drawdown_max,
            leverage_max=self.leverage_max,
            positions_max=self.positions_max,
        )


class LimitsOut(Outgoing):
    """One level's limits; null where the level sets none."""

    model_config = example(**_OWN)

    order_notional_max: Number | None
    symbol_notional_max: Number | None
    total_notional_max: Number | None
    daily_loss_max: Number | None
    drawdown_max: Number | None
    leverage_max: int | None
    positions_max: int | None


class LimitsViewOut(Outgoing):
    """The caller's own limits, the platform's, and for each the tighter of both, which holds."""

    model_config = example(own=_OWN, platform=_NONE, effective=_OWN)

    own: LimitsOut
    platform: LimitsOut
    effective: LimitsOut


class HaltOut(Outgoing):
    """A standing stop of new entries. Exits are never halted."""

    model_config = example(**_HALT)

    scope: HaltScope
    target: str
    reason: str
    at: Moment


class HaltList(Outgoing):
    """Standing halts, newest first."""

    model_config = example(items=[_HALT])

    items: list[HaltOut]


class NewHalt(Incoming):
    """What to stop, and why."""

    model_config = example(scope="VENUE", target="binance-usdm", reason="The venue answers slowly.")

    scope: HaltScope
    target: Target = ""
    reason: Reason
    close_positions: Annotated[
        bool, Field(strict=True, description="Also close all that is held in the scope.")
    ] = False


class HaltQuery(Incoming):
    """Which halt is meant."""

    scope: HaltScope
    target: Target = ""


@router.get(
    "/limits",
    operation_id="read_limits",
    summary="Read one's own limits",
    description=rules(ReadLimits),
    responses=failures(SIGNED_IN),
)
async def read_limits(services: Services, caller: Asking) -> LimitsViewOut:
    return _view(await services.read_limits(caller.user_id))


@router.put(
    "/limits",
    operation_id="set_limits",
    summary="Replace one's own limits",
    description=rules(SetLimits),
    responses=failures(SIGNED_IN),
)
async def set_limits(services: Services, caller: Asking, body: LimitsIn) -> LimitsViewOut:
    return _view(await services.set_limits(caller.user_id, body.wanted()))


@router.get(
    "/halts",
    operation_id="list_halts",
    summary="List standing halts",
    description=rules(HaltReader.halts),
    responses=failures(SIGNED_IN),
)
async def list_halts(services: Services, seeing: Seeing) -> HaltList:
    return HaltList(items=[HaltOut.model_validate(halt) for halt in await services.halts.halts(seeing)])


@router.post(
    "/halts",
    operation_id="raise_halt",
    status_code=201,
    summary="Stop new entries",
    description=rules(RaiseHalt),
    responses=failures(OF_ONE),
)
async def raise_halt(services: Services, body: NewHalt) -> HaltOut:
    halt = await services.raise_halt(
        body.scope, body.target, body.reason, close_positions=body.close_positions
    )
    return HaltOut.model_validate(halt)


@router.delete(
    "/halts",
    operation_id="clear_halt",
    status_code=204,
    summary="Allow new entries again",
    description=rules(ClearHalt),
    responses=failures(OF_ONE),
)
async def clear_halt(services: Services, query: Annotated[HaltQuery, Query()]) -> None:
    await services.clear_halt(query.scope, query.target)


def _view(view: LimitsView) -> LimitsViewOut:
    return LimitsViewOut(
        own=LimitsOut.model_validate(view.own),
        platform=LimitsOut.model_validate(view.platform),
        effective=LimitsOut.model_validate(view.effective),
    )
