"""Which position an execution moved, as each venue words it: comparing books asks this where a long and a short one stand
beside each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.shared.execution import Fill
from app.domain.shared.market import Side, Venue
from app.infrastructure.exchanges.binance.wire import trades
from app.infrastructure.exchanges.bitget.wire import fills as bitget
from app.infrastructure.exchanges.bitget.wire.products import FUTURES
from app.infrastructure.exchanges.bybit.wire import fills as bybit
from app.infrastructure.exchanges.hyperliquid.wire import fills as hyperliquid
from app.infrastructure.exchanges.okx.wire import fills as okx
from tests.unit.infrastructure.exchanges import bybit_rows
from tests.unit.infrastructure.exchanges.binance import binance_rows
from tests.unit.infrastructure.exchanges.bitget import bitget_rows
from tests.unit.infrastructure.exchanges.hyperliquid import rows as hyperliquid_rows
from tests.unit.infrastructure.exchanges.okx import okx_rows

LONG, SHORT = Side.BUY, Side.SELL
Read = Callable[[dict[str, Any]], Fill]


def usdm(change: dict[str, Any]) -> Fill:
    body = binance_rows.raw([{**binance_rows.TRADE, **change}])
    return trades.read_fills(binance_rows.BTC, body, {})[0]


def coinm(change: dict[str, Any]) -> Fill:
    body = binance_rows.raw([{**binance_rows.COIN_TRADE, **change}])
    return trades.read_fills(binance_rows.COIN, body, {})[0]


def bybit_linear(change: dict[str, Any]) -> Fill:
    body = bybit_rows.listed(bybit_rows.execution(**change))
    return bybit.read_fills(bybit_rows.instrument(Venue.BYBIT_LINEAR), body, {})[0][0]


def bybit_streamed(change: dict[str, Any]) -> Fill:
    [fact] = bybit_rows.facts("execution", bybit_rows.execution(**change))
    assert isinstance(fact, Fill)
    return fact


def okx_swap(change: dict[str, Any]) -> Fill:
    return okx.read_fills(okx_rows.SWAPS, okx_rows.answer(okx_rows.fill(**change)), {})[0][0]


def bitget_futures(change: dict[str, Any]) -> Fill:
    body = bitget_rows.answer({"fillList": [bitget_rows.futures_fill(**change)]})
    return bitget.read_fills(FUTURES, bitget_rows.PERPETUAL, body, bitget_rows.MARKS)[0][0]


def hyperliquid_perp(change: dict[str, Any]) -> Fill:
    [row] = hyperliquid.read_fills(hyperliquid_rows.raw([{**hyperliquid_rows.FILL, **change}]))
    return hyperliquid.fill_of(row, bybit_rows.BTC, hyperliquid_rows.MARKS)


HEDGED: list[tuple[Read, dict[str, Any], Side, Side]] = [
    # An execution's side, and which position it moved: each is opened and closed once.
    (usdm, {"side": "BUY", "positionSide": "LONG"}, Side.BUY, LONG),
    (usdm, {"side": "SELL", "positionSide": "LONG"}, Side.SELL, LONG),
    (usdm, {"side": "SELL", "positionSide": "SHORT"}, Side.SELL, SHORT),
    (usdm, {"side": "BUY", "positionSide": "SHORT"}, Side.BUY, SHORT),
    (coinm, {"side": "SELL", "positionSide": "LONG"}, Side.SELL, LONG),
    (coinm, {"side": "BUY", "positionSide": "SHORT"}, Side.BUY, SHORT),
    # Bybit names no position, but how much of one was closed.
    (bybit_linear, {"side": "Buy", "closedSize": "0"}, Side.BUY, LONG),
    (bybit_linear, {"side": "Sell", "closedSize": "1"}, Side.SELL, LONG),
    (bybit_linear, {"side": "Sell", "closedSize": "0"}, Side.SELL, SHORT),
    (bybit_linear, {"side": "Buy", "closedSize": "1"}, Side.BUY, SHORT),
    (bybit_streamed, {"side": "Sell", "closedSize": "1"}, Side.SELL, LONG),
    (bybit_streamed, {"side": "Buy", "closedSize": "1"}, Side.BUY, SHORT),
    (okx_swap, {"side": "buy", "posSide": "long"}, Side.BUY, LONG),
    (okx_swap, {"side": "sell", "posSide": "long"}, Side.SELL, LONG),
    (okx_swap, {"side": "sell", "posSide": "short"}, Side.SELL, SHORT),
    (okx_swap, {"side": "buy", "posSide": "short"}, Side.BUY, SHORT),
    # Bitget's side names the position there; whether it was sold or bought follows from opening or closing.
    (bitget_futures, {"side": "buy", "tradeSide": "open"}, Side.BUY, LONG),
    (bitget_futures, {"side": "buy", "tradeSide": "close"}, Side.SELL, LONG),
    (bitget_futures, {"side": "sell", "tradeSide": "open"}, Side.SELL, SHORT),
    (bitget_futures, {"side": "sell", "tradeSide": "close"}, Side.BUY, SHORT),
    (bitget_futures, {"side": "sell", "tradeSide": "burst_close_long"}, Side.SELL, LONG),
    (bitget_futures, {"side": "buy", "tradeSide": "burst_close_short"}, Side.BUY, SHORT),
    (bitget_futures, {"side": "sell", "tradeSide": "reduce_close_long"}, Side.SELL, LONG),
]
NETTED: list[tuple[Read, dict[str, Any]]] = [
    (usdm, {"positionSide": "BOTH"}),
    (usdm, {}),
    (coinm, {"positionSide": "BOTH"}),
    (bybit_linear, {"closedSize": ""}),
    (bybit_streamed, {"closedSize": ""}),
    (okx_swap, {"posSide": "net"}),
    (bitget_futures, {"side": "buy", "tradeSide": "buy_single", "posMode": "one_way_mode"}),
    (bitget_futures, {"side": "sell", "tradeSide": "sell_single", "posMode": "one_way_mode"}),
    (bitget_futures, {"side": "sell", "tradeSide": "burst_close_long", "posMode": "one_way_mode"}),
    # Hyperliquid has one position for a coin; `dir` is a word for people.
    (hyperliquid_perp, {"dir": "Open Long"}),
    (hyperliquid_perp, {"side": "A", "dir": "Close Long"}),
    (hyperliquid_perp, {"side": "A", "dir": "Long > Short"}),
]


@pytest.mark.parametrize(("told", "change", "side", "leg"), HEDGED)
def test_a_hedged_execution_tells_which_position_it_moved(
    told: Read, change: dict[str, Any], side: Side, leg: Side
) -> None:
    found = told(change)
    assert (found.side, found.position_side) == (side, leg)


@pytest.mark.parametrize(("told", "change"), NETTED)
def test_where_positions_net_an_execution_names_none(told: Read, change: dict[str, Any]) -> None:
    assert told(change).position_side is None
