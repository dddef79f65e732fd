"""Order endpoints: place (one, several), cancel, one order, those that rest, those that ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from simulator.engine.account import Account
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import (
    ZERO,
    Order,
    OrderRequest,
    OrderType,
    Origin,
    PositionSide,
    Side,
    Status,
    TimeInForce,
)
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State
from simulator.okx.errors import ApiError, Rows, from_refusal, wrong
from simulator.okx.names import contract_size, instrument_of, listed
from simulator.okx.params import Params
from simulator.okx.rest import Context
from simulator.okx.wire import Json, fills_of, order_json, own_id

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
FORGOTTEN_MS = 2 * 3_600_000
"""An order that was cancelled without executions is no longer found after that time."""

SIDE_WORDS = {"buy": Side.BUY, "sell": Side.SELL}
POSITION_WORDS = {"net": PositionSide.BOTH, "long": PositionSide.LONG, "short": PositionSide.SHORT}
TYPE_WORDS = {
    "market": (OrderType.MARKET, TimeInForce.GTC),
    "optimal_limit_ioc": (OrderType.MARKET, TimeInForce.GTC),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
    "post_only": (OrderType.LIMIT, TimeInForce.GTX),
}


def each(ctx: Context, run: Callable[[Params], Json], blank: Callable[[Params], Json]) -> list[Json]:
    """Carry out every row of a body; each has its own outcome."""
    rows: list[Json] = []
    failed = 0
    for params in ctx.orders:
        try:
            rows.append({**run(params), "sCode": "0", "sMsg": ""})
        except (ApiError, Refusal) as error:
            said = error if isinstance(error, ApiError) else from_refusal(error)
            rows.append({**blank(params), "sCode": str(said.code), "sMsg": said.message})
            failed += 1
    if failed:
        raise Rows(1 if failed == len(rows) else 2, rows)
    return rows


def place(ctx: Context) -> object:
    """POST /trade/order and /trade/batch-orders: answers with ids alone; matching comes after the answer."""

    def run(params: Params) -> Json:
        state, account = ctx.exchange.state, ctx.account
        request = read_order(state, account, params, ctx.received_ms)
        take_mode(ctx, account, state.instruments[request.symbol], params)
        order = ctx.exchange.desk.accept(account, request)
        ctx.later(state.rules.matching_delay_ms, partial(ctx.exchange.desk.settle, account, order))
        ids = {"ordId": str(order.order_id), "clOrdId": own_id(order.client_order_id)}
        return {**ids, "tag": "", "ts": str(state.now())}

    return each(
        ctx, run, lambda params: {"ordId": "", "clOrdId": params.values.get("clOrdId") or "", "tag": ""}
    )


def take_mode(ctx: Context, account: Account, instrument: Instrument, params: Params) -> None:
    """Let the order's trade mode rule: here an order names it, the engine keeps one mode per market and account."""
    word = params.text("tdMode")
    if instrument.kind is Kind.SPOT:
        if word != "cash":
            raise wrong("tdMode")
        return
    if word not in ("cross", "isolated"):
        raise wrong("tdMode")
    isolated = word == "isolated"
    if (instrument.symbol in account.isolated) == isolated:
        return
    try:
        ctx.exchange.set_isolated(account, instrument.symbol, isolated=isolated)
    except Refusal:
        raise ApiError(51010, "Both margin modes of one market at a time are not simulated.") from None


def read_order(state: State, account: Account, params: Params, received_ms: int) -> OrderRequest:
    """Read the parameters of a new order; contracts become coins."""
    instrument = instrument_of(state, params.text("instId"))
    kind, lasting = params.member("ordType", TYPE_WORDS)
    side, is_spot = params.member("side", SIDE_WORDS), instrument.kind is Kind.SPOT
    position_side = (
        PositionSide.BOTH if is_spot else params.member("posSide", POSITION_WORDS, PositionSide.BOTH)
    )
    wanted = params.decimal("sz")
    in_quote = False
    if is_spot and kind is OrderType.MARKET:
        target = params.optional("tgtCcy") or ("quote_ccy" if side is Side.BUY else "base_ccy")
        if target not in ("quote_ccy", "base_ccy"):
            raise wrong("tgtCcy")
        in_quote = target == "quote_ccy"
    if params.values.get("attachAlgoOrds"):
        raise ApiError(51010, "Attached orders are not simulated.")
    return OrderRequest(
        symbol=instrument.symbol,
        side=side,
        type=kind,
        quantity=ZERO if in_quote else wanted * contract_size(instrument),
        price=params.decimal("px") if kind is OrderType.LIMIT else ZERO,
        time_in_force=lasting,
        position_side=position_side,
        # At spot and in long/short mode the flag is ignored.
        reduce_only=params.flag("reduceOnly") and not is_spot and not account.hedge_mode,
        client_order_id=client_id(params, "clOrdId"),
        received_ms=received_ms,
        unique="open",
        quote_quantity=wanted if in_quote else ZERO,
    )


def client_id(params: Params, name: str) -> str:
    """Return a well-formed client id, empty when absent."""
    text = params.optional(name) or ""
    if text and not CLIENT_ID.fullmatch(text):
        raise wrong(name)
    return text


def _named(state: State, account: Account, params: Params) -> Order | None:
    """Return the order that ordId or clOrdId names; ordId rules when both are given."""
    instrument = instrument_of(state, params.text("instId"))
    order_id, mine = params.optional("ordId"), params.optional("clOrdId")
    if order_id is None and mine is None:
        raise ApiError(51003, "Either client order ID or order ID is required.")
    if order_id is not None:
        found = account.orders.get(int(order_id)) if order_id.isascii() and order_id.isdecimal() else None
    else:
        found = account.client_ids.get(mine or "")
        found = None if found is not None and found.origin is Origin.CONDITIONAL else found
    return found if found is not None and found.symbol == instrument.symbol else None


def cancel(ctx: Context) -> object:
    """POST /trade/cancel-order and /trade/cancel-batch-orders."""

    def run(params: Params) -> Json:
        order = _named(ctx.exchange.state, ctx.account, params)
        if order is None or not order.is_open:
            raise ApiError(
                51400, "Cancellation failed as the order has been filled, canceled or does not exist."
            )
        ctx.exchange.desk.cancel(ctx.account, order)
        ids = {"ordId": str(order.order_id), "clOrdId": own_id(order.client_order_id)}
        return {**ids, "ts": str(ctx.exchange.state.now())}

    def blank(params: Params) -> Json:
        return {"ordId": params.values.get("ordId") or "", "clOrdId": params.values.get("clOrdId") or ""}

    return each(ctx, run, blank)


def one(ctx: Context) -> object:
    """GET /trade/order."""
    state = ctx.exchange.state
    order = _named(state, ctx.account, ctx.params)
    if order is None or not _is_found(order, state.now()):
        raise Refusal(Reason.UNKNOWN_ORDER)
    return [order_row(state, ctx.account, order)]


def _is_found(order: Order, now: int) -> bool:
    dead = order.status in (Status.CANCELED, Status.EXPIRED) and not order.executed
    return order.visible_ms <= now and not (dead and now - order.updated_ms > FORGOTTEN_MS)


def order_row(state: State, account: Account, order: Order) -> Json:
    """Return an order with its latest execution."""
    return order_json(state, account, order, next(iter(fills_of(account, order)), None))


def pending(ctx: Context) -> object:
    """GET /trade/orders-pending."""
    return _page(ctx, list(ctx.account.open_orders.values()))


def ended(ctx: Context) -> object:
    """GET /trade/orders-history and its archive."""
    ctx.params.text("instType")
    return _page(ctx, [order for order in ctx.account.orders.values() if not order.is_open])


def _page(ctx: Context, orders: list[Order]) -> list[Json]:
    state, now = ctx.exchange.state, ctx.exchange.state.now()
    symbols = {instrument.symbol for instrument in listed(state, ctx.params)}
    found = sorted(
        (order for order in orders if order.symbol in symbols and _is_found(order, now)),
        key=lambda order: -order.order_id,
    )
    return [order_row(state, ctx.account, order) for order in ctx.params.page(found, lambda o: o.order_id)]
