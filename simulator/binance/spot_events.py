"""Engine events as the messages of spot's user-data stream."""

from __future__ import annotations

from simulator.binance.families import venue_name
from simulator.binance.spot_wire import CONDITIONAL_STATUS, NAMES, balance_json, force_name, type_name
from simulator.binance.wire import Json, execution_text, money, price_text
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional
from simulator.engine.instrument import Instrument
from simulator.engine.margin import locked
from simulator.engine.order import ZERO, Execution, Fill, Order
from simulator.engine.state import State


def execution_report(
    instrument: Instrument, order: Order, number: int, execution: Execution, fill: Fill | None
) -> Json:
    """ExecutionReport: one change of the order that its owner knows as `number`."""
    cancelled = execution is Execution.CANCELED
    return {
        "e": "executionReport",
        "E": order.updated_ms,
        "s": venue_name(order.symbol),
        # A cancellation has an id of its own; the order's stands beside it.
        "c": f"cancel-{number}" if cancelled else order.client_order_id,
        "S": order.side.value,
        "o": type_name(order),
        "f": force_name(order.time_in_force),
        "q": money(order.quantity),
        "p": price_text(instrument, order.price),
        "P": price_text(instrument, order.trigger_price),
        "F": "0.00000000",
        "g": -1,
        "C": order.client_order_id if cancelled else "",
        "x": execution.value,
        "X": order.status.value,
        "r": "NONE",
        "i": number,
        "l": money(fill.quantity if fill else ZERO),
        "z": money(order.executed),
        "L": execution_text(instrument, fill.price) if fill else "0.00000000",
        "n": money(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": order.updated_ms,
        "t": fill.trade_id if fill else -1,
        "I": order.seq,
        "w": order.is_open,
        "m": fill.maker if fill else False,
        "M": False,
        "O": order.created_ms,
        "Z": money(order.cost),
        "Y": money(fill.price * fill.quantity if fill else ZERO),
        "Q": money(order.quote_quantity),
        "V": "NONE",
    }


def waiting_report(instrument: Instrument, conditional: Conditional) -> Json:
    """ExecutionReport of a conditional order that is no order in the book."""
    request, status = conditional.request, CONDITIONAL_STATUS[conditional.status]
    cancelled = status == "CANCELED"
    return {
        "e": "executionReport",
        "E": conditional.updated_ms,
        "s": venue_name(request.symbol),
        "c": f"cancel-{conditional.algo_id}" if cancelled else conditional.client_algo_id,
        "S": request.side.value,
        "o": NAMES[conditional.kind.value],
        "f": force_name(request.time_in_force),
        "q": money(request.quantity),
        "p": price_text(instrument, request.price),
        "P": price_text(instrument, conditional.trigger_price),
        "C": conditional.client_algo_id if cancelled else "",
        "x": status,
        "X": status,
        "r": "NONE",
        "i": conditional.algo_id,
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": conditional.updated_ms,
        "t": -1,
        "w": False,
        "m": False,
        "O": conditional.created_ms,
        "Z": "0.00000000",
        "V": "NONE",
        **({"eR": "REJECTED"} if conditional.refusal else {}),
    }


def account_position(state: State, account: Account, asset: str) -> Json:
    """OutboundAccountPosition: the wallet that changed."""
    now, whole = state.now(), account.wallets.get(asset, ZERO)
    row = balance_json(asset, whole, locked(state, account, asset), names=("a", "f", "l"))
    return {"e": "outboundAccountPosition", "E": now, "u": now, "B": [row]}
