"""Order endpoints: create and cancel, which acknowledge first."""

from __future__ import annotations

import re
from functools import partial

from simulator.bybit.categories import category_of, market_of, optional_market
from simulator.bybit.entries import STOPS, Entry, ids, named
from simulator.bybit.errors import ApiError, wrong
from simulator.bybit.params import Params
from simulator.bybit.rest import Context
from simulator.bybit.wire import SIDES, TIMES, TYPES
from simulator.engine.conditional import Conditional, ConditionalType
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.margin import opens
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side, TimeInForce
from simulator.engine.refusal import Reason, Refusal

LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
SIDE_WORDS = {word: side for side, word in SIDES.items()}
TYPE_WORDS = {word: kind for kind, word in TYPES.items()}
TIME_WORDS = {word: kind for kind, word in TIMES.items()}
INDEX_WORDS = {"0": PositionSide.BOTH, "1": PositionSide.LONG, "2": PositionSide.SHORT}

UNITS = {"baseCoin": False, "quoteCoin": True}
RISES = {"1": True, "2": False}
PRICES = {word: word for word in ("LastPrice", "MarkPrice", "IndexPrice")}
TOO_LOW, TOO_HIGH = 110092, 110093


def create_order(ctx: Context) -> object:
    """POST /v5/order/create: answers with ids alone; matching comes after the answer."""
    desk, account, state = ctx.exchange.desk, ctx.account, ctx.exchange.state
    kind = category_of(ctx.params)
    instrument = market_of(state, kind, ctx.params)
    request = read_order(ctx, instrument)
    if ctx.params.optional("triggerPrice"):
        return ids(Entry(None, _place_conditional(ctx, instrument, request)))
    rule = state.rules.uniqueness("always")
    if rule == "always" and request.client_order_id and _waits(ctx, request.client_order_id):
        raise Refusal(Reason.DUPLICATE_CLIENT_ID)
    order = desk.accept(account, request)
    ctx.later(state.rules.matching_delay_ms, partial(desk.settle, account, order))
    return ids(Entry(order, None))


def _waits(ctx: Context, link: str) -> bool:
    """Return whether a conditional order has, or had, this client id."""
    return ctx.exchange.conditionals.find(ctx.account, None, link) is not None


def read_order(ctx: Context, instrument: Instrument) -> OrderRequest:
    """Read the parameters of a new order."""
    params, spot = ctx.params, instrument.kind is Kind.SPOT
    for name in ("takeProfit", "stopLoss"):
        if params.optional(name):
            raise ApiError(10001, f"params error: {name} is not simulated")
    kind, side = params.member("orderType", TYPE_WORDS), params.member("side", SIDE_WORDS)
    position_side = params.member("positionIdx", INDEX_WORDS, PositionSide.BOTH)
    limit, quantity = kind is OrderType.LIMIT, params.decimal("qty")
    # A market purchase at spot is for so much money unless it says otherwise.
    by_amount = spot and not limit and params.member("marketUnit", UNITS, side is Side.BUY)
    if by_amount and quantity <= 0:
        raise Refusal(Reason.QUANTITY_NOT_POSITIVE)
    reduces = not spot and (params.flag("reduceOnly") or params.flag("closeOnTrigger"))
    if reduces and position_side is not PositionSide.BOTH and opens(side, position_side):
        raise ApiError(10001, "params error: reduce-only order opens its position")
    return OrderRequest(
        symbol=instrument.symbol,
        side=side,
        type=kind,
        quantity=ZERO if by_amount else quantity,
        quote_quantity=quantity if by_amount else ZERO,
        price=params.decimal("price") if limit else ZERO,
        time_in_force=params.member("timeInForce", TIME_WORDS, TimeInForce.GTC) if limit else TimeInForce.GTC,
        position_side=PositionSide.BOTH if spot else position_side,
        # In hedge mode the position's index says what an order may do.
        reduce_only=reduces and position_side is PositionSide.BOTH,
        client_order_id=link_id(params),
        received_ms=ctx.received_ms,
        unique="always",  # unlike elsewhere an id is never free again, however the order ended
    )


def link_id(params: Params) -> str:
    """Return a well-formed client id, empty when absent."""
    text = params.optional("orderLinkId") or ""
    if text and not LINK_ID.fullmatch(text):
        raise wrong("orderLinkId")
    return text


def _place_conditional(ctx: Context, instrument: Instrument, request: OrderRequest) -> Conditional:
    params, state = ctx.params, ctx.exchange.state
    trigger, mark = params.decimal("triggerPrice"), state.mark(instrument.symbol)
    spot = instrument.kind is Kind.SPOT
    if spot:
        if not params.member("orderFilter", STOPS):
            raise wrong("orderFilter")
        if request.quote_quantity:
            raise ApiError(10001, "params error: a conditional order by value is not simulated")
        rises = trigger > mark
    else:
        rises = params.member("triggerDirection", RISES)
    earlier = ctx.account.client_ids.get(request.client_order_id) if request.client_order_id else None
    if earlier is not None and state.rules.uniqueness("always") == "always":
        raise Refusal(Reason.DUPLICATE_CLIENT_ID)
    stops = rises == (request.side is Side.BUY)
    limit = request.type is OrderType.LIMIT
    stop_kind = ConditionalType.STOP if limit else ConditionalType.STOP_MARKET
    take_kind = ConditionalType.TAKE_PROFIT if limit else ConditionalType.TAKE_PROFIT_MARKET
    conditional = Conditional(
        algo_id=0,
        client_algo_id=request.client_order_id,
        account_id=ctx.account.account_id,
        kind=stop_kind if stops else take_kind,
        request=request,
        trigger_price=trigger,
        working_type=params.member("triggerBy", PRICES, "LastPrice"),
        created_ms=0,
        updated_ms=0,
        best=mark,
    )
    try:
        return ctx.exchange.conditionals.place(ctx.account, conditional)
    except Refusal as refusal:
        if refusal.reason is not Reason.WOULD_TRIGGER or spot:
            raise
        code, word, sign = (TOO_LOW, "Rising", "<=") if rises else (TOO_HIGH, "Falling", ">=")
        raise ApiError(code, f"expect {word}, but trigger_price[{trigger}] {sign} current[{mark}]") from None


def cancel_order(ctx: Context) -> object:
    """POST /v5/order/cancel: of an order or of one that still waits for its trigger; at spot a filter tells which."""
    kind = category_of(ctx.params)
    market_of(ctx.exchange.state, kind, ctx.params)
    if not ctx.params.optional("orderId") and not ctx.params.optional("orderLinkId"):
        raise wrong("orderId")
    stops = ctx.params.member("orderFilter", STOPS, False) if kind is Kind.SPOT else None
    found = named(ctx, kind)
    if found is None or (stops is not None and found.waits != stops):
        raise Refusal(Reason.UNKNOWN_ORDER)
    cancel(ctx, found)
    return ids(found)


def cancel(ctx: Context, entry: Entry) -> None:
    """Cancel what an entry stands for."""
    if entry.order is not None:
        ctx.exchange.desk.cancel(ctx.account, entry.order)
    else:
        ctx.exchange.conditionals.cancel(ctx.account, entry.conditional)


def cancel_all(ctx: Context) -> object:
    """POST /v5/order/cancel-all of one symbol, or of all; conditional orders too unless a filter says otherwise."""
    state, kind = ctx.exchange.state, category_of(ctx.params)
    symbol = optional_market(state, kind, ctx.params)
    stops = ctx.params.member("orderFilter", STOPS) if ctx.params.optional("orderFilter") else None
    names = [symbol] if symbol is not None else [instrument.symbol for instrument in state.listed(kind)]
    ended: list[Entry] = []
    for name in names:
        if stops is not True:
            ended.extend(Entry(order, None) for order in ctx.exchange.desk.cancel_all(ctx.account, name))
        if stops is not False:
            waiting = [c for c in ctx.exchange.conditionals.live(ctx.account) if c.request.symbol == name]
            ended.extend(Entry(None, ctx.exchange.conditionals.cancel(ctx.account, c)) for c in waiting)
    return {"list": [ids(entry) for entry in ended], "success": "1"}


def amend_order(ctx: Context) -> object:
    """POST /v5/order/amend: price and quantity of a resting order."""
    kind, params = category_of(ctx.params), ctx.params
    market_of(ctx.exchange.state, kind, params)
    found = named(ctx, kind)
    if found is None or found.order is None:
        raise Refusal(Reason.UNKNOWN_ORDER)
    order = found.order
    price = params.decimal("price") if params.optional("price") else order.price
    quantity = params.decimal("qty") if params.optional("qty") else order.quantity
    ctx.exchange.desk.amend(ctx.account, order, price, quantity)
    return ids(found)
