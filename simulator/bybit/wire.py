"""Engine values as the venue writes them: field names, words, ids, numbers as text."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from simulator.engine.account import Account
from simulator.engine.instrument import Instrument
from simulator.engine.margin import available, maintenance, position_margin, total_margin, unrealised
from simulator.engine.order import (
    Fill,
    Order,
    OrderType,
    Origin,
    PositionSide,
    Side,
    Status,
    TimeInForce,
)
from simulator.engine.position import Position
from simulator.engine.state import State

Json = dict[str, object]
CATEGORY = "linear"
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
TYPES = {OrderType.MARKET: "Market", OrderType.LIMIT: "Limit"}
TIMES = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTX: "PostOnly",
}
STATUSES = {
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}
INDEXES = {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
EXECUTIONS = 1 << 64
"""Added to a trade's number before it is written as an id, so that no execution shares an order's id."""


def id_text(number: int) -> str:
    """Write an engine number as one of the venue's ids."""
    return str(UUID(int=number))


def number_of(text: str) -> int:
    """Return the engine's number of an id, -1 for none of ours."""
    try:
        return UUID(text).int
    except ValueError:
        return -1


def plain(value: Decimal) -> str:
    """Write a number without exponent and without a negative zero."""
    return f"{value:f}" if value else "0"


def money(value: Decimal) -> str:
    """Write an amount of USDT."""
    return f"{value:.8f}" if value else "0"


def average(instrument: Instrument, value: Decimal) -> str:
    """Write an average price."""
    return f"{value:.{instrument.price_decimals + 4}f}" if value else ""


def order_json(instrument: Instrument, order: Order) -> Json:
    """Return an order as queries and the stream show it."""
    rest = order.remaining if order.is_open else Decimal(0)
    return {
        "category": CATEGORY,
        "symbol": order.symbol,
        "orderId": id_text(order.order_id),
        "orderLinkId": "" if order.client_order_id.startswith("sim-") else order.client_order_id,
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": INDEXES[order.position_side],
        "orderStatus": STATUSES[order.status],
        "createType": "CreateByLiq" if order.origin is Origin.LIQUIDATION else "CreateByUser",
        "cancelType": (
            "UNKNOWN"
            if order.status in (Status.NEW, Status.PARTIALLY_FILLED, Status.FILLED)
            else "CancelByUser"
        ),
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
        "stopOrderType": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "triggerDirection": 0,
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": False,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }


def closed(before: Decimal, change: Decimal) -> Decimal:
    """Return how much of a position of `before` (signed) a signed execution of `change` closed."""
    return min(abs(before), abs(change)) if before * change < 0 else Decimal(0)


def execution_json(order: Order, fill: Fill, *, leaves: Decimal, closed_size: Decimal) -> Json:
    """Return an execution as the list shows it."""
    return {
        "category": CATEGORY,
        "symbol": fill.symbol,
        "orderId": id_text(fill.order_id),
        "orderLinkId": "" if fill.client_order_id.startswith("sim-") else fill.client_order_id,
        "side": SIDES[fill.side],
        "orderPrice": plain(order.price),
        "orderQty": plain(order.quantity),
        "leavesQty": plain(leaves),
        "createType": "CreateByLiq" if order.origin is Origin.LIQUIDATION else "CreateByUser",
        "orderType": TYPES[order.type],
        "stopOrderType": "UNKNOWN",
        "execFee": money(fill.commission),
        "execId": id_text(EXECUTIONS + fill.trade_id),
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execType": "BustTrade" if order.origin is Origin.LIQUIDATION else "Trade",
        "execValue": plain(fill.price * fill.quantity),
        "execTime": str(fill.time_ms),
        "feeCurrency": "USDT",
        "isMaker": fill.maker,
        "feeRate": plain(fill.commission / (fill.price * fill.quantity)),
        "markPrice": plain(fill.price),
        "blockTradeId": "",
        "closedSize": plain(closed_size),
        "seq": fill.seq,
    }


def position_json(state: State, account: Account, position: Position) -> Json:
    """Return a position; a flat one has no side."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    held = position.quantity
    margin = abs(held) * mark / account.leverage(position.symbol)
    entry = average(instrument, position.entry_price) or "0"
    return {
        "category": CATEGORY,
        "positionIdx": INDEXES[position.side],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": position.symbol,
        "side": "" if not held else SIDES[Side.BUY if held > 0 else Side.SELL],
        "size": plain(abs(held)),
        "avgPrice": entry,
        "entryPrice": entry,
        "positionValue": plain(abs(held) * position.entry_price),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(account.leverage(position.symbol)),
        "markPrice": plain(mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": money(abs(held) * mark * instrument.maintenance_rate),
        "positionIM": money(margin),
        "positionBalance": money(margin),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "",
        "unrealisedPnl": money(position.unrealised(mark)),
        "curRealisedPnl": money(position.realised_pnl),
        "cumRealisedPnl": money(position.realised_pnl),
        "seq": state.ledger.last_seq,
        "isReduceOnly": False,
        "createdTime": str(account.created_ms),
        "updatedTime": str(position.updated_ms),
    }


def wallet_json(state: State, account: Account) -> Json:
    """Return the unified wallet, which holds USDT alone; one USDT counts as one USD."""
    profit, tied = unrealised(state, account), total_margin(state, account)
    held = position_margin(state, account)
    equity = account.wallet + profit
    return {
        "accountType": "UNIFIED",
        "accountIMRate": plain(round(tied / equity, 4)) if equity > 0 else "0",
        "accountMMRate": plain(round(maintenance(state, account) / equity, 4)) if equity > 0 else "0",
        "accountLTV": "0",
        "totalEquity": money(equity),
        "totalWalletBalance": money(account.wallet),
        "totalMarginBalance": money(equity),
        "totalAvailableBalance": money(max(Decimal(0), available(state, account))),
        "totalPerpUPL": money(profit),
        "totalInitialMargin": money(tied),
        "totalMaintenanceMargin": money(maintenance(state, account)),
        "coin": [
            {
                "coin": "USDT",
                "equity": money(equity),
                "usdValue": money(equity),
                "walletBalance": money(account.wallet),
                "availableToWithdraw": "",
                "availableToBorrow": "",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": money(tied - held),
                "totalPositionIM": money(held),
                "totalPositionMM": money(maintenance(state, account)),
                "unrealisedPnl": money(profit),
                "cumRealisedPnl": "0",
                "bonus": "0",
                "locked": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
                "spotBorrow": "0",
            }
        ],
    }
