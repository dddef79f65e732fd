"""The route table of spot: one row an endpoint, with what it asks and what it weighs."""

from __future__ import annotations

from functools import partial

from simulator.binance import market, spot_market, spot_trading
from simulator.binance.families import SPOT
from simulator.binance.routes import PUBLIC, READ, TRADE, Routes, Row, table
from simulator.limits import Limits


def spot_routes(limits: Limits) -> Routes:
    """Return every endpoint; `limits` is what exchangeInfo shows."""
    rows: list[Row] = [
        ("GET", "/ping", market.ping, PUBLIC, 1),
        ("GET", "/time", market.server_time, PUBLIC, 1),
        ("GET", "/exchangeInfo", partial(spot_market.exchange_info, limits), PUBLIC, 20),
        ("GET", "/ticker/price", spot_market.ticker_price, PUBLIC, 4),
        ("GET", "/ticker/bookTicker", spot_market.book_ticker, PUBLIC, 4),
        ("GET", "/ticker/24hr", market.ticker_24h, PUBLIC, 2),
        ("GET", "/depth", market.depth, PUBLIC, 5),
        ("POST", "/order", spot_trading.place_order, TRADE, 1),
        ("POST", "/order/test", spot_trading.check_order, TRADE, 1),
        ("GET", "/order", spot_trading.query_order, READ, 4),
        ("DELETE", "/order", spot_trading.cancel_order, TRADE, 1),
        ("GET", "/openOrders", spot_trading.open_orders, READ, 6),
        ("DELETE", "/openOrders", spot_trading.cancel_all, TRADE, 1),
        ("GET", "/allOrders", spot_trading.all_orders, READ, 20),
        ("GET", "/myTrades", spot_trading.my_trades, READ, 20),
        ("GET", "/account", spot_market.account, READ, 20),
        ("GET", "/account/commission", spot_market.commission, READ, 20),
    ]
    return table(SPOT, rows)
