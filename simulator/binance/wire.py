"""Engine values as the venue writes them for contracts: field names, numbers as text with the venue's decimals.

Quantities of COIN-M are written in contracts; what a USD-M order calls `cumQuote` is `cumBase`, in coins, there.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.binance.families import contract_size, venue_name
from simulator.engine.conditional import Conditional
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import ZERO, Fill, Order

Json = dict[str, object]


def money(value: Decimal) -> str:
    """Write an amount with eight decimals."""
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
    """Write a quantity with the instrument's decimals; of an inverse one in contracts."""
    if instrument.kind is Kind.INVERSE:
        contracts = value / contract_size(instrument)
        return f"{contracts.normalize():f}" if contracts else "0"
    return f"{value:.{instrument.quantity_decimals}f}"


def market_json(instrument: Instrument) -> Json:
    """Return how a row names its market."""
    name = venue_name(instrument.symbol)
    return (
        {"symbol": name, "pair": pair_of(instrument)} if instrument.kind is Kind.INVERSE else {"symbol": name}
    )


def pair_of(instrument: Instrument) -> str:
    """Return the pair of currencies, without what kind of contract it is."""
    return instrument.base + instrument.quote


def order_json(instrument: Instrument, order: Order, *, acknowledgement: bool = False) -> Json:
    """Return an order as the order endpoints show it; an acknowledgement knows of no execution."""
    executed = ZERO if acknowledgement else order.executed
    cost = ZERO if acknowledgement else order.cost
    done = quantity_text(instrument, executed)
    inverse = instrument.kind is Kind.INVERSE
    return {
        "orderId": order.order_id,
        **market_json(instrument),
        "status": "NEW" if acknowledgement else order.status.value,
        "clientOrderId": order.client_order_id,
        "price": price_text(instrument, order.price),
        "avgPrice": average_text(instrument, order.average_price if executed else ZERO),
        "origQty": quantity_text(instrument, order.quantity),
        "executedQty": done,
        "cumQty": done,
        "cumBase" if inverse else "cumQuote": money(cost) if inverse else f"{cost:.5f}",
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
    worth = instrument.value(fill.quantity, fill.price)
    inverse = instrument.kind is Kind.INVERSE
    return {
        **market_json(instrument),
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.value,
        "price": execution_text(instrument, fill.price),
        "qty": quantity_text(instrument, fill.quantity),
        "realizedPnl": money(fill.realised_pnl),
        **({"marginAsset": instrument.settle} if inverse else {}),
        "baseQty" if inverse else "quoteQty": money(worth),
        "commission": money(fill.commission),
        "commissionAsset": fill.commission_asset,
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
        "symbol": venue_name(request.symbol),
        "side": request.side.value,
        "positionSide": request.position_side.value,
        "timeInForce": request.time_in_force.value,
        "quantity": quantity_text(instrument, request.quantity),
        "algoStatus": conditional.status.value,
        "actualOrderId": str(order.order_id) if order else "",
        "actualPrice": average_text(instrument, order.average_price if order else ZERO),
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
