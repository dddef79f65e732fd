"""Plan orders: stop-loss and take-profit of futures positions, and the trigger orders of spot."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from simulator.bitget.errors import ApiError, wrong
from simulator.bitget.order_rows import PLAN_STATUSES, futures_plan, spot_plan
from simulator.bitget.params import Params
from simulator.bitget.rest import Context
from simulator.bitget.trading import client_id, futures_line
from simulator.bitget.wire import (
    ORDERS,
    PLANS,
    SIDE_WORDS,
    TYPE_WORDS,
    Json,
    engine_symbol,
    id_text,
    number_of,
    own_id,
)
from simulator.engine.admission import reducible
from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side
from simulator.engine.refusal import Reason, Refusal

TRIGGER_TYPES = {"mark_price": "mark_price", "fill_price": "fill_price"}
STOP_WORDS = {"loss_plan": True, "pos_loss": True, "profit_plan": False, "pos_profit": False}
HOLD_SIDES = {
    "long": PositionSide.LONG,
    "buy": PositionSide.LONG,
    "short": PositionSide.SHORT,
    "sell": PositionSide.SHORT,
}
AT_ONCE = {
    (True, PositionSide.LONG): ("40917", "Stop price for long positions please < mark price"),
    (True, PositionSide.SHORT): ("45122", "Short position stop loss price please > mark price"),
    (False, PositionSide.LONG): ("40915", "Long position take profit price please > mark price"),
    (False, PositionSide.SHORT): ("40832", "Short position take profit price please < mark price"),
}


def place_tpsl(ctx: Context) -> object:
    """POST /api/v2/mix/order/place-tpsl-order: partial plans have a size, those of the whole position none."""
    params, account = ctx.params, ctx.account
    futures_line(params)
    plan, stop = params.text("planType").lower(), params.member("planType", STOP_WORDS)
    held = params.member("holdSide", HOLD_SIDES)
    whole = plan.startswith("pos_")
    symbol = ctx.exchange.state.instrument(engine_symbol(Kind.LINEAR, params.text("symbol"))).symbol
    side = Side.SELL if held is PositionSide.LONG else Side.BUY
    leg = held if account.hedge_mode else PositionSide.BOTH
    if not reducible(account, symbol, side, leg):
        raise ApiError("40837", "There is no position, profit or loss cannot be set")
    kind, price = _kind(params, stop=stop)
    request = OrderRequest(
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT if price else OrderType.MARKET,
        quantity=ZERO if whole else params.decimal("size"),
        price=price,
        position_side=leg,
        reduce_only=leg is PositionSide.BOTH and not whole,
        close_position=whole,
        received_ms=ctx.received_ms,
    )
    try:
        found = _place(ctx, kind, request)
    except Refusal as refusal:
        if refusal.reason is Reason.WOULD_TRIGGER:
            raise ApiError(*AT_ONCE[(stop, held)]) from None
        raise
    return _ids(found)


def _kind(params: Params, *, stop: bool) -> tuple[ConditionalType, Decimal]:
    price = params.decimal("executePrice") if params.optional("executePrice") else ZERO
    if stop:
        return (ConditionalType.STOP if price else ConditionalType.STOP_MARKET), price
    return (ConditionalType.TAKE_PROFIT if price else ConditionalType.TAKE_PROFIT_MARKET), price


def place_spot_plan(ctx: Context) -> object:
    """POST /api/v2/spot/trade/place-plan-order: it waits for its trigger from the side on which the price is now."""
    params, state = ctx.params, ctx.exchange.state
    if (params.optional("planType") or "amount").lower() != "amount":
        raise ApiError("40017", "Parameter verification failed: only planType amount is simulated")
    symbol = state.instrument(engine_symbol(Kind.SPOT, params.text("symbol"))).symbol
    side, limit = (
        params.member("side", SIDE_WORDS),
        params.member("orderType", TYPE_WORDS) is OrderType.LIMIT,
    )
    falls = params.decimal("triggerPrice") < state.mark(symbol)
    stop = falls == (side is Side.SELL)
    kinds = (
        (ConditionalType.TAKE_PROFIT, ConditionalType.STOP)
        if limit
        else (ConditionalType.TAKE_PROFIT_MARKET, ConditionalType.STOP_MARKET)
    )
    request = OrderRequest(
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=params.decimal("size"),
        price=params.decimal("executePrice") if limit else ZERO,
        received_ms=ctx.received_ms,
    )
    try:
        return _ids(_place(ctx, kinds[stop], request))
    except Refusal as refusal:
        if refusal.reason is Reason.INSUFFICIENT_MARGIN:
            raise ApiError("43012", "Insufficient balance") from None
        raise


def _place(ctx: Context, kind: ConditionalType, request: OrderRequest) -> Conditional:
    conditional = Conditional(
        0, client_id(ctx.params), ctx.account.account_id, kind, request, ctx.params.decimal("triggerPrice"),
        ctx.params.member("triggerType", TRIGGER_TYPES, "fill_price"), 0, 0,
        cancel_when_flat=kind_of(request.symbol) is Kind.LINEAR,
    )  # fmt: skip
    return ctx.exchange.conditionals.place(ctx.account, conditional)


def _ids(found: Conditional) -> Json:
    venue_id = id_text(PLANS, found.algo_id)
    return {"orderId": venue_id, "clientOid": own_id(found.client_algo_id, venue_id)}


def _named(ctx: Context, order_id: object, client: object, kind: Kind) -> Conditional | None:
    desk = ctx.exchange.conditionals
    if order_id:
        found = desk.find(ctx.account, number_of(PLANS, str(order_id)), None)
    else:
        found = desk.find(ctx.account, None, str(client)) if client else None
    return found if found is not None and kind_of(found.request.symbol) is kind else None


def cancel_tpsl(ctx: Context) -> object:
    """POST /api/v2/mix/order/cancel-plan-order: of those named, or all; what fails is told beside what did not."""
    params, done, failed = ctx.params, list[Json](), list[Json]()
    futures_line(params)
    rows = params.values.get("orderIdList")
    if rows is None:
        symbol = params.optional("symbol")
        only = engine_symbol(Kind.LINEAR, symbol) if symbol else None
        waiting = [c for c in _all(ctx, Kind.LINEAR, only) if c.status is ConditionalStatus.NEW]
        rows = [{"orderId": id_text(PLANS, c.algo_id)} for c in waiting]
    if not isinstance(rows, list):
        raise wrong("orderIdList")
    for row in rows:
        if not isinstance(row, Mapping):
            raise wrong("orderIdList")
        found = _named(ctx, row.get("orderId"), row.get("clientOid"), Kind.LINEAR)
        if found is None or found.status is not ConditionalStatus.NEW:
            failed.append({**row, "errorMsg": "The plan order does not exist", "errorCode": "43025"})
        else:
            done.append(_ids(ctx.exchange.conditionals.cancel(ctx.account, found)))
    return {"successList": done, "failureList": failed}


def cancel_spot_plan(ctx: Context) -> object:
    """POST /api/v2/spot/trade/cancel-plan-order."""
    params = ctx.params
    found = _named(ctx, params.optional("orderId"), params.optional("clientOid"), Kind.SPOT)
    if found is None or found.status is not ConditionalStatus.NEW:
        raise ApiError("43025", "Plan order does not exist")
    ctx.exchange.conditionals.cancel(ctx.account, found)
    return {"result": "success"}


def _all(ctx: Context, kind: Kind, only: str | None) -> list[Conditional]:
    state = ctx.exchange.state
    seen_ms = state.now() - state.rules.visibility_lag_ms
    return [
        found
        for found in ctx.exchange.conditionals.of(ctx.account)
        if kind_of(found.request.symbol) is kind
        and only in (None, found.request.symbol)
        and found.created_ms <= seen_ms
    ]


def _listed(ctx: Context, kind: Kind, *, ended: bool) -> list[Conditional]:
    params = ctx.params
    order_id, client, symbol = (params.optional(name) for name in ("orderId", "clientOid", "symbol"))
    first, last = params.window(ctx.exchange.state.now())
    found = [
        plan
        for plan in _all(ctx, kind, engine_symbol(kind, symbol) if symbol else None)
        if (plan.status is not ConditionalStatus.NEW) == ended
        and (order_id is None or plan.algo_id == number_of(PLANS, order_id))
        and (order_id is not None or client in (None, plan.client_algo_id))
        and first <= plan.created_ms <= last
    ]
    return list(params.page(found, lambda plan: PLANS + plan.algo_id))


def futures_plans(ctx: Context, *, ended: bool) -> object:
    """GET /api/v2/mix/order/orders-plan-pending, and orders-plan-history; planType profit_loss alone holds any."""
    params = ctx.params
    futures_line(params)
    wanted = params.text("planType")
    status = params.optional("planStatus") if ended else None
    found = _listed(ctx, Kind.LINEAR, ended=ended) if wanted == "profit_loss" else []
    rows = [futures_plan(plan) for plan in found if status in (None, PLAN_STATUSES[plan.status])]
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def spot_plans(ctx: Context, *, ended: bool) -> object:
    """GET /api/v2/spot/trade/current-plan-order, and history-plan-order; both of one market."""
    ctx.params.text("symbol")
    if ended:
        ctx.params.text("startTime")
        ctx.params.text("endTime")
    rows = [spot_plan(plan) for plan in _listed(ctx, Kind.SPOT, ended=ended)]
    following = rows[-1]["orderId"] if rows else None
    return {"nextFlag": False, "idLessThan": following, "orderList": rows or None}


def sub_orders(ctx: Context) -> object:
    """GET /api/v2/spot/trade/plan-sub-order: what a plan became."""
    found = _named(ctx, ctx.params.text("planOrderId"), None, Kind.SPOT)
    if found is None:
        raise ApiError("43025", "Plan order does not exist")
    if found.order is None:
        failed = found.status is ConditionalStatus.REJECTED
        return [{"orderId": "", "price": "", "type": "market", "status": "fail"}] if failed else []
    order_id = id_text(ORDERS, found.order.order_id)
    return [{"orderId": order_id, "price": "", "type": "market", "status": "success"}]
