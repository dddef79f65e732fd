"""Engine values as the venue writes them: field names, words, ids, numbers as text, sizes in contracts."""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile

from simulator.engine.account import Account
from simulator.engine.conditional import STOP_KINDS, Conditional, ConditionalStatus
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.margin import available, free, unrealised
from simulator.engine.order import Fill, Order, OrderType, Origin, PositionSide, Side, Status, TimeInForce
from simulator.engine.position import Position
from simulator.engine.state import State
from simulator.okx.names import contracts, inst_id, inst_type, plain

Json = dict[str, object]
SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
POSITION_SIDES = {PositionSide.BOTH: "net", PositionSide.LONG: "long", PositionSide.SHORT: "short"}
_CATEGORIES = {Origin.LIQUIDATION: "full_liquidation", Origin.DELEVERAGING: "adl"}
STATES = {
    Status.NEW: "live",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}
LIMIT_WORDS = {
    TimeInForce.GTC: "limit",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.GTX: "post_only",
}
ALGO_STATES = {
    ConditionalStatus.NEW: "live",
    ConditionalStatus.TRIGGERED: "effective",
    ConditionalStatus.FINISHED: "effective",
    ConditionalStatus.CANCELED: "canceled",
    ConditionalStatus.EXPIRED: "canceled",
    ConditionalStatus.REJECTED: "order_failed",
}


def own_id(text: str) -> str:
    """Return the client's id, empty where the engine invented one."""
    return "" if text.startswith("sim-") else text


def average(instrument: Instrument, value: Decimal) -> str:
    """Write an average price."""
    return f"{value:.{instrument.price_decimals + 4}f}" if value else ""


def margin_mode(account: Account, instrument: Instrument) -> str:
    """Return the trade mode of an order or a position on a market."""
    if instrument.kind is Kind.SPOT:
        return "cash"
    return "isolated" if instrument.symbol in account.isolated else "cross"


def fills_of(account: Account, order: Order) -> list[Fill]:
    """Return an order's executions, newest first; none is older than the order."""
    since = takewhile(lambda fill: fill.seq > order.seq, reversed(account.fills))
    return [fill for fill in since if fill.order_id == order.order_id] if order.executed else []


def order_json(state: State, account: Account, order: Order, last: Fill | None) -> Json:
    """Return an order as queries and the stream show it; `last` is its latest execution."""
    instrument = state.instruments[order.symbol]
    triggered = order.origin is Origin.CONDITIONAL
    mine = own_id(order.client_order_id)
    market = order.type is OrderType.MARKET
    in_quote = bool(order.quote_quantity)
    target = ("quote_ccy" if in_quote else "base_ccy") if market and instrument.kind is Kind.SPOT else ""
    fills = fills_of(account, order)
    fee = sum((fill.commission for fill in fills), Decimal(0))
    asset = fills[0].commission_asset if fills else instrument.settle
    return {
        "instType": inst_type(instrument),
        "instId": inst_id(instrument),
        "ccy": "",
        "ordId": str(order.order_id),
        "clOrdId": "" if triggered else mine,
        "algoClOrdId": mine if triggered else "",
        "algoId": "",
        "tag": "",
        "px": "" if market else plain(order.price),
        "sz": plain(order.quote_quantity) if in_quote else contracts(instrument, order.quantity),
        "pnl": plain(sum((fill.realised_pnl for fill in fills), Decimal(0))),
        "ordType": "market" if market else LIMIT_WORDS[order.time_in_force],
        "side": SIDES[order.side],
        "posSide": "" if instrument.kind is Kind.SPOT else POSITION_SIDES[order.position_side],
        "tdMode": margin_mode(account, instrument),
        "accFillSz": contracts(instrument, order.executed),
        "fillPx": plain(last.price) if last else "",
        "tradeId": str(last.trade_id) if last else "",
        "fillSz": contracts(instrument, last.quantity) if last else "0",
        "fillTime": str(last.time_ms) if last else "",
        "avgPx": average(instrument, order.average_price),
        "state": STATES[order.status],
        "lever": "" if instrument.kind is Kind.SPOT else str(account.leverage(order.symbol)),
        "tpTriggerPx": "", "tpOrdPx": "", "slTriggerPx": "", "slOrdPx": "", "attachAlgoOrds": [],
        "feeCcy": asset,
        "fee": plain(-fee),
        "rebateCcy": instrument.settle,
        "rebate": "0",
        "source": "7" if triggered else "",
        "category": _CATEGORIES.get(order.origin, "normal"),
        "reduceOnly": "true" if order.reduce_only else "false",
        "cancelSource": "1" if order.status is Status.CANCELED else "",
        "tgtCcy": target,
        "quickMgnType": "", "stpMode": "cancel_maker", "stpId": "", "isTpLimit": "false",
        "uTime": str(order.updated_ms),
        "cTime": str(order.created_ms),
    }  # fmt: skip


def streamed_order_json(state: State, account: Account, order: Order, fill: Fill | None) -> Json:
    """Return an order as the stream shows it: with the fee and the profit of the execution that changed it."""
    own: Json = {
        "execType": "", "fillFee": "0", "fillFeeCcy": "", "fillPnl": "0", "fillNotionalUsd": "", "notionalUsd": "",
        "reqId": "", "amendResult": "", "code": "0", "msg": "", "lastPx": plain(state.mark(order.symbol)),
    }  # fmt: skip
    if fill is not None:
        own |= {
            "execType": "M" if fill.maker else "T",
            "fillFee": plain(-fill.commission),
            "fillFeeCcy": fill.commission_asset,
            "fillPnl": plain(fill.realised_pnl),
        }
    return order_json(state, account, order, fill) | own


def fill_json(state: State, account: Account, fill: Fill) -> Json:
    """Return an execution as the lists show it."""
    instrument, order = state.instruments[fill.symbol], account.orders[fill.order_id]
    return {
        "instType": inst_type(instrument),
        "instId": inst_id(instrument),
        "tradeId": str(fill.trade_id),
        "ordId": str(fill.order_id),
        "clOrdId": "" if order.origin is Origin.CONDITIONAL else own_id(fill.client_order_id),
        "billId": str(fill.seq),
        "subType": "1" if fill.side is Side.BUY else "2",
        "tag": "",
        "fillPx": plain(fill.price),
        "fillSz": contracts(instrument, fill.quantity),
        "fillIdxPx": plain(fill.price),
        "fillPnl": plain(fill.realised_pnl),
        "side": SIDES[fill.side],
        "posSide": "" if instrument.kind is Kind.SPOT else POSITION_SIDES[fill.position_side],
        "execType": "M" if fill.maker else "T",
        "feeCcy": fill.commission_asset,
        "fee": plain(-fill.commission),
        "feeRate": plain(-(account.maker_fee if fill.maker else account.taker_fee)),
        "ts": str(fill.time_ms),
        "fillTime": str(fill.time_ms),
    }


def algo_json(state: State, account: Account, conditional: Conditional) -> Json:
    """Return a conditional order; it has one trigger."""
    request, order = conditional.request, conditional.order
    instrument = state.instruments[request.symbol]
    stops = conditional.kind in STOP_KINDS
    price = "-1" if request.type is OrderType.MARKET else plain(request.price)
    prefix, other = ("sl", "tp") if stops else ("tp", "sl")
    return {
        "instType": inst_type(instrument),
        "instId": inst_id(instrument),
        "ccy": "",
        "ordId": str(order.order_id) if order else "",
        "ordIdList": [str(order.order_id)] if order else [],
        "algoId": str(conditional.algo_id),
        "algoClOrdId": own_id(conditional.client_algo_id),
        "clOrdId": "",
        "sz": contracts(instrument, request.quantity),
        "closeFraction": "",
        "ordType": "conditional",
        "side": SIDES[request.side],
        "posSide": "" if instrument.kind is Kind.SPOT else POSITION_SIDES[request.position_side],
        "tdMode": margin_mode(account, instrument),
        "tgtCcy": "",
        "state": ALGO_STATES[conditional.status],
        "lever": "" if instrument.kind is Kind.SPOT else str(account.leverage(request.symbol)),
        f"{prefix}TriggerPx": plain(conditional.trigger_price),
        f"{prefix}TriggerPxType": conditional.working_type,
        f"{prefix}OrdPx": price,
        f"{other}TriggerPx": "",
        f"{other}TriggerPxType": "",
        f"{other}OrdPx": "",
        "actualSz": contracts(instrument, order.executed) if order else "0",
        "actualPx": average(instrument, order.average_price) if order else "",
        "actualSide": prefix if conditional.triggered_ms else "",
        "triggerTime": str(conditional.triggered_ms) if conditional.triggered_ms else "",
        "failCode": "51169" if conditional.status is ConditionalStatus.REJECTED else "",
        "reduceOnly": "true" if request.reduce_only else "false",
        "tag": "",
        "last": plain(state.mark(request.symbol)),
        "uTime": str(conditional.updated_ms),
        "cTime": str(conditional.created_ms),
    }


def position_json(state: State, account: Account, position: Position) -> Json:
    """Return a position: signed in net mode, above zero on either side in long/short mode."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    held = position.quantity if position.side is PositionSide.BOTH else abs(position.quantity)
    worth = abs(position.quantity) * mark
    isolated = position.symbol in account.isolated
    return {
        "instType": inst_type(instrument),
        "instId": inst_id(instrument),
        "mgnMode": "isolated" if isolated else "cross",
        "posId": f"{account.account_id}{position.symbol}{POSITION_SIDES[position.side]}",
        "posSide": POSITION_SIDES[position.side],
        "pos": contracts(instrument, held),
        "posCcy": "",
        "availPos": contracts(instrument, abs(held)),
        "avgPx": average(instrument, position.entry_price),
        "markPx": plain(mark),
        "last": plain(mark),
        "upl": plain(round(position.unrealised(mark), 8)),
        "uplRatio": "0",
        "lever": str(account.leverage(position.symbol)),
        "liqPx": "",
        "imr": "" if isolated else f"{worth / account.leverage(position.symbol):.8f}",
        "mmr": f"{worth * instrument.maintenance_rate:.8f}",
        "margin": plain(position.margin) if isolated else "",
        "mgnRatio": "",
        "notionalUsd": plain(worth),
        "ccy": instrument.settle,
        "adl": "1",
        "realizedPnl": plain(position.realised_pnl),
        "tradeId": "",
        "interest": "", "liab": "", "liabCcy": "", "optVal": "",
        "cTime": str(account.created_ms),
        "uTime": str(position.updated_ms or account.created_ms),
    }  # fmt: skip


def detail_json(state: State, account: Account, asset: str) -> Json:
    """Return the wallet of one asset; `availEq` counts unrealised profit, `availBal` does not."""
    held, profit = account.wallets.get(asset, Decimal(0)), round(unrealised(state, account, asset), 8)
    spendable = free(state, account, asset)
    return {
        "ccy": asset,
        "cashBal": plain(held),
        "eq": plain(held + profit),
        "eqUsd": plain(held + profit),
        "availBal": plain(spendable),
        "availEq": plain(max(Decimal(0), round(available(state, account, asset), 8))),
        "frozenBal": plain(held - spendable),
        "ordFrozen": "0",
        "upl": plain(profit),
        "isoEq": "0", "isoUpl": "0", "liab": "", "mgnRatio": "", "imr": "0", "mmr": "0", "disEq": plain(held),
        "uTime": str(state.now()),
    }  # fmt: skip
