"""Orders, conditional orders and executions as queries and the stream show them.

A conditional order keeps its id when it is triggered: the order it became is told under that id.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.bybit.categories import venue_name, word_of
from simulator.bybit.wire import (
    CONDITIONALS,
    EXECUTIONS,
    INDEXES,
    SIDES,
    STATUSES,
    TIMES,
    TYPES,
    Json,
    average,
    id_text,
    link_text,
    money,
    plain,
)
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.instrument import Instrument, Kind, kind_of
from simulator.engine.margin import opens
from simulator.engine.order import Fill, Order, OrderType, Origin, Status
from simulator.engine.refusal import Reason

NO_TRIGGER: Json = {
    "stopOrderType": "",
    "triggerPrice": "",
    "triggerDirection": 0,
    "triggerBy": "",
    "closeOnTrigger": False,
}
SPOT_STOP = "tpslOrder"
_CREATORS = {Origin.LIQUIDATION: "CreateByLiq", Origin.DELEVERAGING: "CreateByAdl_PassThrough"}
_EXECUTIONS = {Origin.LIQUIDATION: "BustTrade", Origin.DELEVERAGING: "AdlTrade"}


def conditional_id(conditional: Conditional) -> str:
    """Return the id of a conditional order."""
    return id_text(CONDITIONALS + conditional.algo_id)


def order_id(order: Order, conditional: Conditional | None) -> str:
    """Write it as the venue does; one that was conditional keeps the id it had while it waited."""
    return id_text(order.order_id) if conditional is None else conditional_id(conditional)


def _trigger(conditional: Conditional) -> Json:
    spot = kind_of(conditional.request.symbol) is Kind.SPOT
    row: Json = {
        "stopOrderType": SPOT_STOP if spot else "Stop",
        "triggerPrice": plain(conditional.trigger_price),
        "triggerDirection": 0 if spot else 1 if conditional.rises else 2,
        "triggerBy": "" if spot else conditional.working_type,
        "closeOnTrigger": not spot and conditional.request.close_position,
    }
    # No trailing stop is simulated, so `best` is free to keep the price at which the order was placed.
    return {**row, "basePrice": plain(conditional.best)} if spot else row


def order_json(instrument: Instrument, order: Order, conditional: Conditional | None = None) -> Json:
    """Return an order; `conditional` is what it was before its trigger."""
    rest = order.remaining if order.is_open else Decimal(0)
    spot = instrument.kind is Kind.SPOT
    reduces = order.reduce_only or not opens(order.side, order.position_side)
    ended = order.status in (Status.CANCELED, Status.EXPIRED)
    status = STATUSES[order.status]
    row: Json = {
        "category": word_of(order.symbol),
        "symbol": venue_name(order.symbol),
        "orderId": order_id(order, conditional),
        "orderLinkId": link_text(order.client_order_id),
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": INDEXES[order.position_side],
        "orderStatus": "PartiallyFilledCanceled" if spot and ended and order.executed else status,
        "createType": _CREATORS.get(order.origin, "CreateByUser"),
        "cancelType": "CancelByUser" if ended else "UNKNOWN",
        "rejectReason": "EC_NoError",
        "orderType": TYPES[order.type],
        "timeInForce": "IOC" if order.type is OrderType.MARKET else TIMES[order.time_in_force],
        "price": plain(order.price),
        "qty": plain(order.quantity),
        "avgPrice": average(instrument, order.average_price),
        "leavesQty": plain(rest),
        "leavesValue": plain(rest * order.price),
        "cumExecQty": plain(order.executed),
        "cumExecValue": plain(order.cost),
        "cumExecFee": "0",
        "takeProfit": "",
        "stopLoss": "",
        "reduceOnly": reduces and not spot,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }
    return row | (NO_TRIGGER if conditional is None else _trigger(conditional))


def conditional_json(conditional: Conditional, status: str = "") -> Json:
    """Return a conditional order that is no order yet, or never became one."""
    request = conditional.request
    spot = kind_of(request.symbol) is Kind.SPOT
    row: Json = {
        "category": word_of(request.symbol),
        "symbol": venue_name(request.symbol),
        "orderId": conditional_id(conditional),
        "orderLinkId": link_text(conditional.client_algo_id),
        "blockTradeId": "",
        "side": SIDES[request.side],
        "positionIdx": INDEXES[request.position_side],
        "orderStatus": status or _status(conditional, spot=spot),
        "createType": "CreateByUser",
        "cancelType": _cancel_type(conditional),
        "rejectReason": "EC_NoError",
        "orderType": TYPES[request.type],
        "timeInForce": "IOC" if request.type is OrderType.MARKET else TIMES[request.time_in_force],
        "price": plain(request.price),
        "qty": plain(request.quantity),
        "avgPrice": "",
        "leavesQty": plain(request.quantity),
        "leavesValue": "0",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "takeProfit": "",
        "stopLoss": "",
        "reduceOnly": not spot and (request.reduce_only or not opens(request.side, request.position_side)),
        "createdTime": str(conditional.created_ms),
        "updatedTime": str(conditional.updated_ms),
    }
    return row | _trigger(conditional)


def _status(conditional: Conditional, *, spot: bool) -> str:
    if conditional.status is ConditionalStatus.NEW:
        return "Untriggered"
    return "Deactivated" if spot and not conditional.triggered_ms else "Cancelled"


def _cancel_type(conditional: Conditional) -> str:
    if conditional.status is ConditionalStatus.NEW:
        return "UNKNOWN"
    if conditional.status is ConditionalStatus.CANCELED:
        return "CancelByUser"
    nothing_left = conditional.refusal.startswith(Reason.REDUCE_ONLY_REJECTED.value)
    return "CancelByReduceOnly" if nothing_left else "CancelByAdmin"


def execution_json(
    instrument: Instrument,
    order: Order,
    fill: Fill,
    *,
    leaves: Decimal,
    closed_size: Decimal,
    conditional: Conditional | None,
) -> Json:
    """Return an execution as the list shows it."""
    worth = instrument.value(fill.quantity, fill.price)
    # The rate is of what the fee was taken from: coins bought, or the worth.
    base = (
        fill.quantity if fill.commission_asset == instrument.base and instrument.kind is Kind.SPOT else worth
    )
    return {
        "category": word_of(fill.symbol),
        "symbol": venue_name(fill.symbol),
        "orderId": order_id(order, conditional),
        "orderLinkId": link_text(fill.client_order_id),
        "side": SIDES[fill.side],
        "orderPrice": plain(order.price),
        "orderQty": plain(order.quantity),
        "leavesQty": plain(leaves),
        "createType": _CREATORS.get(order.origin, "CreateByUser"),
        "orderType": TYPES[order.type],
        "stopOrderType": "UNKNOWN" if conditional is None else _trigger(conditional)["stopOrderType"],
        "execFee": money(fill.commission),
        "execId": id_text(EXECUTIONS + fill.trade_id),
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execType": _EXECUTIONS.get(order.origin, "Trade"),
        "execValue": plain(worth),
        "execTime": str(fill.time_ms),
        "feeCurrency": fill.commission_asset,
        "isMaker": fill.maker,
        "feeRate": plain(fill.commission / base),
        "markPrice": plain(fill.price),
        "blockTradeId": "",
        "closedSize": "" if instrument.kind is Kind.SPOT else plain(closed_size),
        "seq": fill.seq,
    }
