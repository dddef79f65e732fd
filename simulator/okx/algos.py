"""Conditional orders: stop-loss or take-profit, which become orders when the mark price reaches their trigger.

Of the venue's algo orders `conditional` with one trigger is simulated; the rest is refused and says so.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.conditional import (
    STOP_KINDS,
    Conditional,
    ConditionalStatus,
    ConditionalType,
)
from simulator.engine.instrument import Kind
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side
from simulator.engine.refusal import Reason, Refusal
from simulator.okx.errors import ApiError, wrong
from simulator.okx.names import contract_size, instrument_of, listed
from simulator.okx.params import Params
from simulator.okx.rest import Context
from simulator.okx.trading import POSITION_WORDS, SIDE_WORDS, client_id, each, take_mode
from simulator.okx.wire import Json, algo_json, own_id

DUPLICATE = ApiError(51065, "algoClOrdId already exists.")
_WOULD_TRIGGER = {
    (True, Side.SELL): ApiError(51280, "SL trigger price cannot be higher than the last price."),
    (True, Side.BUY): ApiError(51278, "SL trigger price cannot be lower than the last price."),
    (False, Side.SELL): ApiError(51279, "TP trigger price cannot be lower than the last price."),
    (False, Side.BUY): ApiError(51277, "TP trigger price cannot be higher than the last price."),
}
_KINDS = {
    (True, True): ConditionalType.STOP_MARKET,
    (True, False): ConditionalType.STOP,
    (False, True): ConditionalType.TAKE_PROFIT_MARKET,
    (False, False): ConditionalType.TAKE_PROFIT,
}
TRIGGERS = ("last", "index", "mark")


def place(ctx: Context) -> object:
    """POST /trade/order-algo."""

    def run(params: Params) -> Json:
        conditional = _read(ctx, params)
        take_mode(ctx, ctx.account, ctx.exchange.state.instruments[conditional.request.symbol], params)
        try:
            placed = ctx.exchange.conditionals.place(ctx.account, conditional)
        except Refusal as refusal:
            if refusal.reason is Reason.WOULD_TRIGGER:
                raise _WOULD_TRIGGER[conditional.kind in STOP_KINDS, conditional.request.side] from None
            if refusal.reason is Reason.DUPLICATE_CLIENT_ID:
                raise DUPLICATE from None
            raise
        return {
            "algoId": str(placed.algo_id),
            "algoClOrdId": own_id(placed.client_algo_id),
            "clOrdId": "",
            "tag": "",
        }

    return each(
        ctx, run, lambda params: {"algoId": "", "algoClOrdId": params.values.get("algoClOrdId") or ""}
    )


def _read(ctx: Context, params: Params) -> Conditional:
    instrument = instrument_of(ctx.exchange.state, params.text("instId"))
    if params.text("ordType") != "conditional" or params.optional("closeFraction"):
        raise ApiError(51010, "Only conditional orders of a stated size are simulated.")
    stops = params.optional("slTriggerPx") is not None
    if stops == (params.optional("tpTriggerPx") is not None):
        raise wrong("slTriggerPx")
    prefix = "sl" if stops else "tp"
    price = params.decimal(f"{prefix}OrdPx")
    at_market = price == Decimal(-1)
    trigger_by = params.optional(f"{prefix}TriggerPxType") or "last"
    if trigger_by not in TRIGGERS:
        raise wrong(f"{prefix}TriggerPxType")
    is_spot = instrument.kind is Kind.SPOT
    reduces = params.flag("reduceOnly") and not is_spot
    if params.flag("cxlOnClosePos") and not reduces:
        raise wrong("cxlOnClosePos")
    request = OrderRequest(
        symbol=instrument.symbol,
        side=params.member("side", SIDE_WORDS),
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
        quantity=params.decimal("sz") * contract_size(instrument),
        price=ZERO if at_market else price,
        position_side=(
            PositionSide.BOTH if is_spot else params.member("posSide", POSITION_WORDS, PositionSide.BOTH)
        ),
        reduce_only=reduces and not ctx.account.hedge_mode,
        received_ms=ctx.received_ms,
        unique="open",
    )
    return Conditional(
        0, client_id(params, "algoClOrdId"), ctx.account.account_id, _KINDS[stops, at_market], request,
        params.decimal(f"{prefix}TriggerPx"), trigger_by, 0, 0, cancel_when_flat=params.flag("cxlOnClosePos"),
    )  # fmt: skip


def cancel(ctx: Context) -> object:
    """POST /trade/cancel-algos: up to ten, each by the venue's id or the client's."""

    def run(params: Params) -> Json:
        instrument_of(ctx.exchange.state, params.text("instId"))
        found = _named(ctx, params)
        if found is None or found.status is not ConditionalStatus.NEW:
            raise ApiError(51400, "Cancellation failed as the order does not exist.")
        ctx.exchange.conditionals.cancel(ctx.account, found)
        return {"algoId": str(found.algo_id), "algoClOrdId": "", "clOrdId": "", "tag": ""}

    return each(ctx, run, lambda params: {"algoId": params.values.get("algoId") or "", "algoClOrdId": ""})


def _named(ctx: Context, params: Params) -> Conditional | None:
    number, mine = params.optional("algoId"), params.optional("algoClOrdId")
    if number is None and mine is None:
        raise ApiError(50015, "Either parameter algoId or algoClOrdId is required")
    if number is not None and not (number.isascii() and number.isdecimal()):
        return None
    return ctx.exchange.conditionals.find(ctx.account, int(number) if number is not None else None, mine)


def one(ctx: Context) -> object:
    """GET /trade/order-algo."""
    state, found = ctx.exchange.state, _named(ctx, ctx.params)
    if found is None or found.created_ms + state.rules.visibility_lag_ms > state.now():
        raise Refusal(Reason.UNKNOWN_ORDER)
    return [algo_json(state, ctx.account, found)]


def pending(ctx: Context) -> object:
    """GET /trade/orders-algo-pending."""
    return _page(ctx, waiting=True)


def ended(ctx: Context) -> object:
    """GET /trade/orders-algo-history."""
    return _page(ctx, waiting=False)


def _page(ctx: Context, *, waiting: bool) -> list[Json]:
    state, kinds = ctx.exchange.state, ctx.params.text("ordType").split(",")
    symbols = {instrument.symbol for instrument in listed(state, ctx.params)}
    found = [
        conditional
        for conditional in reversed(ctx.exchange.conditionals.of(ctx.account))
        if conditional.request.symbol in symbols
        and (conditional.status is ConditionalStatus.NEW) == waiting
        and conditional.created_ms + state.rules.visibility_lag_ms <= state.now()
    ]
    page = ctx.params.page(found if "conditional" in kinds else [], lambda row: row.algo_id)
    return [algo_json(state, ctx.account, conditional) for conditional in page]
