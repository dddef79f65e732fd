"""Engine values as the venue writes them at spot: field names, quantities with eight decimals."""

from __future__ import annotations

from decimal import Decimal

from simulator.binance.entries import Entry
from simulator.binance.families import venue_name
from simulator.binance.wire import Json, execution_text, money, price_text
from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.instrument import Instrument
from simulator.engine.order import ZERO, Fill, Order, TimeInForce

KINDS = {
    "STOP_LOSS": ConditionalType.STOP_MARKET,
    "STOP_LOSS_LIMIT": ConditionalType.STOP,
    "TAKE_PROFIT": ConditionalType.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT_LIMIT": ConditionalType.TAKE_PROFIT,
}
"""Conditional orders as the market calls them."""
NAMES = {kind.value: name for name, kind in KINDS.items()}
CONDITIONAL_STATUS = {
    ConditionalStatus.NEW: "NEW",
    ConditionalStatus.CANCELED: "CANCELED",
    ConditionalStatus.EXPIRED: "EXPIRED",
    ConditionalStatus.REJECTED: "EXPIRED",
}
"""What a conditional order that never became one in the book is shown as."""


def type_name(order: Order) -> str:
    """Return what the market calls the type of an order; a triggered one keeps its own, a post-only one is a LIMIT_MAKER."""
    if order.original_type in NAMES:
        return NAMES[order.original_type]
    return "LIMIT_MAKER" if order.time_in_force is TimeInForce.GTX else order.type.value


def force_name(value: TimeInForce) -> str:
    """Return the time in force; the market knows no GTX."""
    return "GTC" if value is TimeInForce.GTX else value.value


def order_json(instrument: Instrument, order: Order, number: int) -> Json:
    """Return an order as the order endpoints show it; `number` is the id that its owner knows."""
    return {
        "symbol": venue_name(order.symbol),
        "orderId": number,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": price_text(instrument, order.price),
        "origQty": money(order.quantity),
        "executedQty": money(order.executed),
        "origQuoteOrderQty": money(order.quote_quantity),
        "cummulativeQuoteQty": money(order.cost),
        "status": order.status.value,
        "timeInForce": force_name(order.time_in_force),
        "type": type_name(order),
        "side": order.side.value,
        "stopPrice": price_text(instrument, order.trigger_price),
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "NONE",
    }


def waiting_json(instrument: Instrument, conditional: Conditional) -> Json:
    """Return a conditional order that is no order in the book (yet)."""
    request = conditional.request
    return {
        "symbol": venue_name(request.symbol),
        "orderId": conditional.algo_id,
        "orderListId": -1,
        "clientOrderId": conditional.client_algo_id,
        "price": price_text(instrument, request.price),
        "origQty": money(request.quantity),
        "executedQty": money(ZERO),
        "origQuoteOrderQty": money(ZERO),
        "cummulativeQuoteQty": money(ZERO),
        "status": CONDITIONAL_STATUS[conditional.status],
        "timeInForce": force_name(request.time_in_force),
        "type": NAMES[conditional.kind.value],
        "side": request.side.value,
        "stopPrice": price_text(instrument, conditional.trigger_price),
        "icebergQty": "0.00000000",
        "time": conditional.created_ms,
        "updateTime": conditional.updated_ms,
        "isWorking": False,
        "workingTime": -1,
        "selfTradePreventionMode": "NONE",
    }


def entry_json(instrument: Instrument, entry: Entry) -> Json:
    """Return an order, also one that waits for its price."""
    if entry.order is not None:
        return order_json(instrument, entry.order, entry.number)
    assert entry.conditional is not None
    return waiting_json(instrument, entry.conditional)


def placed_json(row: Json, fills: list[Fill], instrument: Instrument, response: str) -> Json:
    """Return the reply to a new order: ACK names it, RESULT tells what became of it, FULL also how."""
    reply: Json = {
        "symbol": row["symbol"],
        "orderId": row["orderId"],
        "orderListId": -1,
        "clientOrderId": row["clientOrderId"],
        "transactTime": row["updateTime"],
    }
    if response == "ACK":
        return reply
    for name in (
        "price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce", "type",
        "side", "workingTime", "selfTradePreventionMode",
    ):  # fmt: skip
        reply[name] = row[name]
    if response == "FULL":
        reply["fills"] = [
            {
                "price": execution_text(instrument, fill.price),
                "qty": money(fill.quantity),
                "commission": money(fill.commission),
                "commissionAsset": fill.commission_asset,
                "tradeId": fill.trade_id,
            }
            for fill in fills
        ]
    return reply


def cancelled_json(row: Json, name: str) -> Json:
    """Return the reply to a cancellation, which has a client order id of its own."""
    reply = {
        key: value
        for key, value in row.items()
        if key not in {"time", "updateTime", "isWorking", "workingTime"}
    }
    return {
        **reply,
        "origClientOrderId": row["clientOrderId"],
        "clientOrderId": name or f"cancel-{row['orderId']}",
        "transactTime": row["updateTime"],
    }


def trade_json(instrument: Instrument, fill: Fill, number: int) -> Json:
    """Return a fill as myTrades shows it; `number` is its order's id."""
    return {
        "symbol": venue_name(fill.symbol),
        "id": fill.trade_id,
        "orderId": number,
        "orderListId": -1,
        "price": execution_text(instrument, fill.price),
        "qty": money(fill.quantity),
        "quoteQty": money(fill.price * fill.quantity),
        "commission": money(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side.sign > 0,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def balance_json(asset: str, whole: Decimal, locked: Decimal, *, names: tuple[str, str, str]) -> Json:
    """Return one wallet under the names of its endpoint or event: asset, free and locked."""
    return {names[0]: asset, names[1]: money(whole - locked), names[2]: money(locked)}
