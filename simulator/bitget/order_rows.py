"""Orders, executions and plans as rows: by query and by stream, of futures and of spot."""

from __future__ import annotations

from decimal import Decimal

from simulator.bitget.wire import (
    LEGS,
    ORDERS,
    PLANS,
    SIDES,
    STATUSES,
    TIMES,
    TRADES,
    TYPES,
    Json,
    average,
    id_text,
    mode_word,
    money,
    own_id,
    plain,
    shown,
)
from simulator.engine.conditional import STOP_KINDS, Conditional, ConditionalStatus
from simulator.engine.instrument import Instrument
from simulator.engine.margin import opens
from simulator.engine.order import Fill, Order, OrderType, Origin, PositionSide, Side

PLAN_STATUSES = {
    ConditionalStatus.NEW: "live",
    ConditionalStatus.TRIGGERED: "executed",
    ConditionalStatus.FINISHED: "executed",
    ConditionalStatus.CANCELED: "cancelled",
    ConditionalStatus.EXPIRED: "cancelled",
    ConditionalStatus.REJECTED: "fail_execute",
}


def sides_of(side: Side, leg: PositionSide) -> tuple[str, str]:
    """Return (side, tradeSide): in hedge mode the side names the position."""
    if leg is PositionSide.BOTH:
        return SIDES[side], f"{SIDES[side]}_single"
    return ("buy" if leg is PositionSide.LONG else "sell"), ("open" if opens(side, leg) else "close")


def _names(order: Order) -> Json:
    venue_id = id_text(ORDERS, order.order_id)
    return {"orderId": venue_id, "clientOid": own_id(order.client_order_id, venue_id)}


def _times(order: Order) -> Json:
    return {"cTime": str(order.created_ms), "uTime": str(order.updated_ms)}


def futures_order(instrument: Instrument, order: Order, *, detail: bool = False) -> Json:
    """Return a futures order; details call the status `state`."""
    side, trade_side = sides_of(order.side, order.position_side)
    return {
        "symbol": shown(order.symbol),
        "size": plain(order.quantity),
        **_names(order),
        "baseVolume": plain(order.executed),
        "fee": "0",
        "price": plain(order.price) if order.price else "",
        "priceAvg": average(instrument, order.average_price),
        ("state" if detail else "status"): STATUSES[order.status],
        "side": side,
        "force": TIMES[order.time_in_force],
        "totalProfits": "0",
        "posSide": LEGS[order.position_side],
        "marginCoin": instrument.quote,
        "quoteVolume": plain(order.cost),
        "orderType": TYPES[order.type],
        "leverage": "20",
        "marginMode": "crossed",
        "reduceOnly": "YES" if order.reduce_only or trade_side == "close" else "NO",
        "enterPointSource": "API",
        "tradeSide": trade_side,
        "posMode": mode_word(hedge=order.position_side is not PositionSide.BOTH),
        "orderSource": "liquidation" if order.origin is Origin.LIQUIDATION else "normal",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        **_times(order),
    }


def _asked(order: Order) -> Decimal:
    """Return the size that was asked for: of a market purchase at spot an amount of quote currency."""
    return order.quote_quantity or order.quantity


def spot_order(instrument: Instrument, order: Order, *, resting: bool = False) -> Json:
    """Return a spot order; the list of resting ones holds the limit price as `priceAvg`."""
    mean = plain(order.price) if resting else average(instrument, order.average_price) or "0"
    return {
        "userId": "1",
        "symbol": shown(order.symbol),
        **_names(order),
        "price": plain(order.price),
        "size": plain(_asked(order)),
        "orderType": TYPES[order.type],
        "side": SIDES[order.side],
        "status": STATUSES[order.status].replace("canceled", "cancelled"),
        "priceAvg": mean,
        "baseVolume": plain(order.executed),
        "quoteVolume": plain(order.cost),
        "enterPointSource": "API",
        "feeDetail": "",
        "orderSource": "market" if order.type is OrderType.MARKET else "normal",
        "tpslType": "normal",
        "triggerPrice": None,
        **_times(order),
    }


def streamed_order(instrument: Instrument, order: Order, fill: Fill | None, *, spot: bool) -> Json:
    """Return an order as the stream tells it, with its latest execution."""
    row = spot_order(instrument, order) if spot else futures_order(instrument, order)
    row["instId"] = row.pop("symbol")
    row["accBaseVolume"] = row.pop("baseVolume")
    row["priceAvg"] = average(instrument, order.average_price) or "0"
    row.pop("quoteVolume")
    row["feeDetail"] = []
    if fill is not None:
        row |= {
            "baseVolume": plain(fill.quantity),
            "fillPrice": plain(fill.price),
            "fillTime": str(fill.time_ms),
            "tradeId": id_text(TRADES, fill.trade_id),
            "fillFee": money(-fill.commission),
            "fillFeeCoin": fill.commission_asset,
            "tradeScope": "M" if fill.maker else "T",
        }
    return row


def _fee(fill: Fill) -> Json:
    return {
        "deduction": "no",
        "feeCoin": fill.commission_asset,
        "totalDeductionFee": "0",
        "totalFee": plain(-fill.commission),
    }


def futures_fill(fill: Fill, order: Order) -> Json:
    """Return an execution of a futures order."""
    side, trade_side = sides_of(fill.side, fill.position_side)
    if order.origin in (Origin.LIQUIDATION, Origin.DELEVERAGING):
        held = "long" if fill.side is Side.SELL else "short"
        trade_side = f"{'burst' if order.origin is Origin.LIQUIDATION else 'reduce'}_close_{held}"
    return {
        "tradeId": id_text(TRADES, fill.trade_id),
        "symbol": shown(fill.symbol),
        "marginCoin": "USDT",
        **_names(order),
        "price": plain(fill.price),
        "baseVolume": plain(fill.quantity),
        "feeDetail": [_fee(fill)],
        "side": side,
        "quoteVolume": plain(fill.price * fill.quantity),
        "profit": plain(fill.realised_pnl),
        "enterPointSource": "api",
        "tradeSide": trade_side,
        "posMode": mode_word(hedge=fill.position_side is not PositionSide.BOTH),
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def spot_fill(fill: Fill, order: Order) -> Json:
    """Return an execution of a spot order."""
    return {
        "userId": "1",
        "symbol": shown(fill.symbol),
        "orderId": id_text(ORDERS, order.order_id),
        "tradeId": id_text(TRADES, fill.trade_id),
        "orderType": TYPES[order.type],
        "side": SIDES[fill.side],
        "priceAvg": plain(fill.price),
        "size": plain(fill.quantity),
        "amount": plain(fill.price * fill.quantity),
        "feeDetail": _fee(fill),
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def _plan(conditional: Conditional) -> Json:
    request, venue_id = conditional.request, id_text(PLANS, conditional.algo_id)
    return {
        "orderId": venue_id,
        "clientOid": own_id(conditional.client_algo_id, venue_id),
        "size": plain(request.quantity),
        "triggerPrice": plain(conditional.trigger_price),
        "triggerType": conditional.working_type,
        "orderType": TYPES[request.type],
        "enterPointSource": "API",
        "cTime": str(conditional.created_ms),
        "uTime": str(conditional.updated_ms),
    }


def futures_plan(conditional: Conditional) -> Json:
    """Return a stop-loss or take-profit plan."""
    request = conditional.request
    side, trade_side = sides_of(request.side, request.position_side)
    stop = conditional.kind in STOP_KINDS
    whole = "pos" if request.close_position else ""
    plan_type = f"{whole}_{'loss' if stop else 'profit'}" if whole else f"{'loss' if stop else 'profit'}_plan"
    trigger = plain(conditional.trigger_price)
    became = conditional.order
    return {
        **_plan(conditional),
        "planType": plan_type,
        "symbol": shown(request.symbol),
        "planStatus": PLAN_STATUSES[conditional.status],
        "executeOrderId": id_text(ORDERS, became.order_id) if became is not None else "",
        "executePrice": plain(request.price),
        "price": plain(request.price),
        "side": side,
        "posSide": LEGS[request.position_side],
        "tradeSide": trade_side,
        "posMode": mode_word(hedge=request.position_side is not PositionSide.BOTH),
        "marginCoin": "USDT",
        "marginMode": "crossed",
        "stopLossTriggerPrice": trigger if stop else "",
        "stopSurplusTriggerPrice": "" if stop else trigger,
    }


def spot_plan(conditional: Conditional) -> Json:
    """Return a spot plan; it has no kind."""
    request = conditional.request
    return {
        **_plan(conditional),
        "symbol": shown(request.symbol),
        "executePrice": plain(request.price),
        "status": PLAN_STATUSES[conditional.status],
        "side": SIDES[request.side],
        "planType": "amount",
    }


def streamed_plan(conditional: Conditional, *, spot: bool) -> Json:
    """Return a plan as the stream tells it: futures call partial plans `sl` and `tp`, those of positions `psl` and `ptp`."""
    row = spot_plan(conditional) if spot else futures_plan(conditional)
    row["instId"] = row.pop("symbol")
    row["actualSize"] = plain(conditional.order.executed) if conditional.order is not None else "0"
    if not spot:
        row["status"] = row.pop("planStatus")
        row.pop("executeOrderId")
        word = "sl" if conditional.kind in STOP_KINDS else "tp"
        row["planType"] = f"p{word}" if conditional.request.close_position else word
    return row
