"""Engine events as the messages of the user-data and market streams of contracts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from simulator.binance.families import venue_name
from simulator.binance.market import book_ticker_json, premium_json
from simulator.binance.wire import (
    Json,
    average_text,
    execution_text,
    money,
    price_text,
    quantity_text,
)
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.margin import isolated_margin
from simulator.engine.order import ZERO, Execution, Fill, Order
from simulator.engine.position import Position
from simulator.engine.state import State


def order_trade_update(instrument: Instrument, order: Order, execution: Execution, fill: Fill | None) -> Json:
    """ORDER_TRADE_UPDATE: one change of one order; commission fields only beside a fill."""
    now = order.updated_ms
    body: Json = {
        "s": venue_name(order.symbol),
        "c": order.client_order_id,
        "S": order.side.value,
        "o": order.type.value,
        "f": order.time_in_force.value,
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "ap": average_text(instrument, order.average_price),
        "sp": price_text(instrument, order.trigger_price),
        "x": execution.value,
        "X": order.status.value,
        "i": order.order_id,
        "l": quantity_text(instrument, fill.quantity if fill else Decimal(0)),
        "z": quantity_text(instrument, order.executed),
        "L": execution_text(instrument, fill.price) if fill else "0",
        "T": now,
        "t": fill.trade_id if fill else 0,
        "b": "0",
        "a": "0",
        "m": fill.maker if fill else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.original_type,
        "ps": order.position_side.value,
        "cp": order.close_position,
        "rp": money(fill.realised_pnl) if fill else "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    if fill is not None:
        body["N"] = fill.commission_asset
        body["n"] = money(fill.commission)
    if instrument.kind is Kind.INVERSE:
        body["ma"] = instrument.settle
    return {"e": "ORDER_TRADE_UPDATE", "T": now, "E": now, "o": body}


def account_update(
    state: State,
    account: Account,
    reason: str,
    amount: Decimal,
    positions: Sequence[Position],
    asset: str,
) -> Json:
    """ACCOUNT_UPDATE: the wallet and the positions that changed."""
    now = state.now()
    wallet = money(account.wallets.get(asset, ZERO))
    cross = money(account.wallets.get(asset, ZERO) - isolated_margin(state, account, asset))
    rows = []
    for p in positions:
        instrument = state.instruments[p.symbol]
        entry = average_text(instrument, p.entry_price)
        rows.append(
            {
                "s": venue_name(p.symbol),
                "pa": quantity_text(instrument, p.quantity),
                "ep": entry,
                "bep": entry,
                "cr": money(p.realised_pnl),
                "up": money(p.unrealised(state.mark(p.symbol))),
                "mt": "isolated" if p.symbol in account.isolated else "cross",
                "iw": money(p.margin),
                "ps": p.side.value,
            }
        )
    balances = [{"a": asset, "wb": wallet, "cw": cross, "bc": money(amount)}]
    return {"e": "ACCOUNT_UPDATE", "T": now, "E": now, "a": {"m": reason, "B": balances, "P": rows}}


def algo_update(instrument: Instrument, conditional: Conditional) -> Json:
    """ALGO_UPDATE: one change of one conditional order."""
    request, order, now = conditional.request, conditional.order, conditional.updated_ms
    body: Json = {
        "caid": conditional.client_algo_id,
        "aid": conditional.algo_id,
        "at": "CONDITIONAL",
        "o": conditional.kind.value,
        "s": venue_name(request.symbol),
        "S": request.side.value,
        "ps": request.position_side.value,
        "f": request.time_in_force.value,
        "q": quantity_text(instrument, request.quantity),
        "X": conditional.status.value,
        "ai": str(order.order_id) if order else "",
        "ap": average_text(instrument, order.average_price if order else Decimal(0)),
        "aq": quantity_text(instrument, order.executed if order else Decimal(0)),
        "act": order.type.value if order else "0",
        "tp": price_text(instrument, conditional.trigger_price),
        "p": price_text(instrument, request.price),
        "V": "EXPIRE_MAKER",
        "wt": conditional.working_type,
        "pm": "NONE",
        "cp": request.close_position,
        "pP": False,
        "R": request.reduce_only,
        "tt": conditional.triggered_ms,
        "gtd": 0,
        "rm": conditional.refusal,
    }
    return {"e": "ALGO_UPDATE", "T": now, "E": now, "o": body}


def account_config_update(now: int, symbol: str, leverage: int) -> Json:
    """ACCOUNT_CONFIG_UPDATE: a new leverage."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": {"s": symbol, "l": leverage}}


def listen_key_expired(now: int, listen_key: str) -> Json:
    """The listenKeyExpired message: nothing more will come."""
    return {"e": "listenKeyExpired", "E": now, "listenKey": listen_key}


def mark_price_update(state: State, instrument: Instrument) -> Json:
    """MarkPriceUpdate of one symbol."""
    premium = premium_json(state, instrument)
    return {
        "e": "markPriceUpdate",
        "E": premium["time"],
        "s": venue_name(instrument.symbol),
        "p": premium["markPrice"],
        "i": premium["indexPrice"],
        "P": premium["estimatedSettlePrice"],
        "r": premium["lastFundingRate"],
        "T": premium["nextFundingTime"],
    }


def book_ticker_update(state: State, instrument: Instrument) -> Json:
    """BookTicker of one symbol."""
    best = book_ticker_json(state, instrument)
    return {
        "e": "bookTicker",
        "u": best["lastUpdateId"],
        "s": venue_name(instrument.symbol),
        "b": best["bidPrice"],
        "B": best["bidQty"],
        "a": best["askPrice"],
        "A": best["askQty"],
        "T": best["time"],
        "E": best["time"],
    }
