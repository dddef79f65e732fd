"""Orders, positions and the portfolio."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from app.application.readers import OrderFilter, TradingReader
from app.application.signals.submit import ClosePosition
from app.application.users.portfolio import ReadPortfolio
from app.domain.shared.ids import FollowId, SignalId
from app.domain.trading.order import OrderState
from app.presentation.api.deps import (
    SYMBOL,
    Asking,
    IdempotencyKey,
    PageQuery,
    Seeing,
    Services,
    Trace,
    admit,
    cursor_of,
    keyset,
)
from app.presentation.api.fields import ID_MAX, AddressId, SymbolText
from app.presentation.api.holdings import (
    AccountSheetOut,
    ClosedPosition,
    Closing,
    Portfolio,
    PositionOut,
    PositionPage,
    position_out,
    sheet_out,
)
from app.presentation.api.operations import CHANGING, OF_ONE, SIGNED_IN, failures, rules
from app.presentation.api.order_out import OrderOut, OrderPage

router = APIRouter(prefix="/v1", tags=["trading"], dependencies=[Depends(admit)])

ATTEMPT_MAX: Final = 35
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ClosedPosition, "description": "The same request was made before: its signal."},
    **failures(CHANGING),
}


class OrderQuery(PageQuery):
    """Which orders are wanted."""

    follow_id: AddressId | None = None
    signal_id: UUID | None = None
    symbol: SymbolText | None = None
    state: OrderState | None = None


class PositionQuery(PageQuery):
    """Which positions are wanted."""

    follow_id: AddressId | None = None
    open_only: Annotated[bool, Field(description="Leave out what is closed.")] = True


@router.get(
    "/orders",
    operation_id="list_orders",
    summary="List orders",
    description=rules(TradingReader.orders),
    responses=failures(SIGNED_IN),
)
async def list_orders(services: Services, seeing: Seeing, query: Annotated[OrderQuery, Query()]) -> OrderPage:
    wanted = OrderFilter(
        follow_id=None if query.follow_id is None else FollowId(query.follow_id),
        signal_id=None if query.signal_id is None else SignalId(query.signal_id),
        symbol=query.symbol,
        state=query.state,
    )
    after = keyset(query.cursor, ID_MAX, ID_MAX, 1, ATTEMPT_MAX)
    page = await services.trading.orders(seeing, wanted, limit=query.limit, after=after)
    return OrderPage(items=[OrderOut.model_validate(row) for row in page.rows], next=cursor_of(page.after))


@router.get(
    "/orders/{client_order_id}",
    operation_id="read_order",
    summary="Read one order",
    description=rules(TradingReader.order),
    responses=failures(OF_ONE),
)
async def read_order(
    services: Services,
    seeing: Seeing,
    client_order_id: Annotated[
        str,
        Path(
            min_length=1,
            max_length=36,
            pattern=r"^[A-Za-z0-9_-]+$",
            description="The id that we gave to the attempt.",
            examples=["c0123456789abcdefghijklmne0"],
        ),
    ],
) -> OrderOut:
    return OrderOut.model_validate(await services.trading.order(seeing, client_order_id))


@router.get(
    "/positions",
    operation_id="list_positions",
    summary="List positions",
    description=rules(TradingReader.positions),
    responses=failures(SIGNED_IN),
)
async def list_positions(
    services: Services, seeing: Seeing, query: Annotated[PositionQuery, Query()]
) -> PositionPage:
    page = await services.trading.positions(
        seeing,
        limit=query.limit,
        after=keyset(query.cursor, ID_MAX, SYMBOL),
        follow_id=None if query.follow_id is None else FollowId(query.follow_id),
        open_only=query.open_only,
    )
    items: list[PositionOut] = [position_out(row) for row in page.rows]
    return PositionPage(items=items, next=cursor_of(page.after))


@router.post(
    "/positions/close",
    operation_id="close_position",
    status_code=201,
    summary="Close a position of one's own",
    description=rules(ClosePosition),
    responses=_RESPONSES,
)
async def close_position(
    services: Services,
    caller: Asking,
    body: Closing,
    key: IdempotencyKey,
    trace: Trace,
    response: Response,
) -> ClosedPosition:
    submitted = await services.close_position(
        caller.user_id, key, FollowId(body.follow_id), body.symbol, body.fraction, trace
    )
    response.status_code = 201 if submitted.is_new else 200
    signal = submitted.signal
    response.headers["Location"] = f"/v1/signals/{signal.id}"
    return ClosedPosition(
        signal_id=signal.id,
        follow_id=body.follow_id,
        symbol=signal.symbol,
        fraction=signal.fraction,
        state=signal.state,
    )


@router.get(
    "/portfolio",
    operation_id="read_portfolio",
    summary="Read one's own portfolio",
    description=rules(ReadPortfolio),
    responses=failures(SIGNED_IN),
)
async def read_portfolio(services: Services, caller: Asking) -> Portfolio:
    sheets: list[AccountSheetOut] = [
        sheet_out(sheet) for sheet in await services.read_portfolio(caller.user_id)
    ]
    return Portfolio(accounts=sheets)
