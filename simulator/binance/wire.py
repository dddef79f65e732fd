"""Engine values as the venue writes them: field names, numbers as text with the venue's decimals."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.conditional import Conditional
from simulator.engine.instrument import Instrument
from simulator.engine.order import Fill, Order

Json = dict[str, object]


def money(value: Decimal) -> str:
    """Write an amount of USDT with eight decimals."""
    return f"{value:.8f}" if value else "0.00000000"  # a product with a short's sign may be minus zero


def price_text(instrument: Instrument, value: Decimal) -> str:
    """Write a price with the instrument's decimals."""
    return f"{value:.{instrument.price_decimals}f}"


def execution_text(instrument: Instrument, value: Decimal) -> str:
    """Write an execution price in full: a replayed one may lie between two ticks."""
    if value % instrument.tick:
        return f"{value:f}"
    return price_text(instrument, value)


def average_text(instrument: Instrument, value: Decimal) -> str:
    """Write an average price, which needs more decimals than a tick."""
    return f"{value:.{instrument.price_decimals + 4}f}"


def quantity_text(instrument: Instrument, value: Decimal) -> str:
    """Write a quantity with the instrument's decimals."""
    return f"{value:.{instrument.quantity_decimals}f}"


def order_json(instrument: Instrument, order: Order, *, acknowledgement: bool = False) -> Json:
    """Return an order as the order endpoints show it; an acknowledgement knows of no execution."""
    executed = Decimal(0) if acknowledgement else order.executed
    cost = Decimal(0) if acknowledgement else order.cost
    done = quantity_text(instrument, executed)
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": "NEW" if acknowledgement else order.status.value,
        "clientOrderId": order.client_order_id,
        "price": price_text(instrument, order.price),
        "avgPrice": average_text(instrument, cost / executed if executed else Decimal(0)),
        "origQty": quantity_text(instrument, order.quantity),
        "executedQty": done,
        "cumQty": done,
        "cumQuote": f"{cost:.5f}",
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.value,
        "positionSide": order.position_side.value,
        "stopPrice": price_text(instrument, order.trigger_price),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.original_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def trade_json(instrument: Instrument, fill: Fill) -> Json:
    """Return a fill as userTrades shows it."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.value,
        "price": execution_text(instrument, fill.price),
        "qty": quantity_text(instrument, fill.quantity),
        "realizedPnl": money(fill.realised_pnl),
        "quoteQty": money(fill.price * fill.quantity),
        "commission": money(fill.commission),
        "commissionAsset": "USDT",
        "time": fill.time_ms,
        "positionSide": fill.position_side.value,
        "buyer": fill.side.sign > 0,
        "maker": fill.maker,
    }


def conditional_json(instrument: Instrument, conditional: Conditional) -> Json:
    """Return a conditional order as the algoOrder endpoints show it."""
    request, order = conditional.request, conditional.order
    return {
        "algoId": conditional.algo_id,
        "clientAlgoId": conditional.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": conditional.kind.value,
        "symbol": request.symbol,
        "side": request.side.value,
        "positionSide": request.position_side.value,
        "timeInForce": request.time_in_force.value,
        "quantity": quantity_text(instrument, request.quantity),
        "algoStatus": conditional.status.value,
        "actualOrderId": str(order.order_id) if order else "",
        "actualPrice": average_text(instrument, order.average_price if order else Decimal(0)),
        "triggerPrice": price_text(instrument, conditional.trigger_price),
        "price": price_text(instrument, request.price),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": conditional.working_type,
        "priceMatch": "NONE",
        "closePosition": request.close_position,
        "priceProtect": False,
        "reduceOnly": request.reduce_only,
        "activatePrice": price_text(instrument, conditional.activation_price),
        "callbackRate": str(conditional.callback_rate) if conditional.callback_rate else "",
        "createTime": conditional.created_ms,
        "updateTime": conditional.updated_ms,
        "triggerTime": conditional.triggered_ms,
        "goodTillDate": 0,
    }
