"""The endpoints of the dialect, each with what the documentation allows in two seconds."""

from __future__ import annotations

from simulator.okx import algos, holdings, market, trading
from simulator.okx.rest import Endpoint, Routes

PUBLIC = "/api/v5/public/"
MARKET = "/api/v5/market/"
TRADE = "/api/v5/trade/"
ACCOUNT = "/api/v5/account/"


def v5_routes() -> Routes:
    """Return the table."""
    return {
        ("GET", PUBLIC + "time"): Endpoint(market.server_time, 10, keyed=False),
        ("GET", "/api/v5/system/status"): Endpoint(market.status, 5, keyed=False),
        ("GET", PUBLIC + "instruments"): Endpoint(market.instruments, 20, keyed=False),
        ("GET", PUBLIC + "mark-price"): Endpoint(market.marks, 10, keyed=False),
        ("GET", PUBLIC + "funding-rate"): Endpoint(market.funding_rate, 10, keyed=False),
        ("GET", MARKET + "tickers"): Endpoint(market.tickers, 20, keyed=False),
        ("GET", MARKET + "ticker"): Endpoint(market.ticker, 20, keyed=False),
        ("GET", MARKET + "books"): Endpoint(market.books, 40, keyed=False),
        ("POST", TRADE + "order"): Endpoint(trading.place, 60, trades=True, places=True),
        ("POST", TRADE + "batch-orders"): Endpoint(trading.place, 300, trades=True, places=True),
        ("POST", TRADE + "cancel-order"): Endpoint(trading.cancel, 60, trades=True),
        ("POST", TRADE + "cancel-batch-orders"): Endpoint(trading.cancel, 300, trades=True),
        ("GET", TRADE + "order"): Endpoint(trading.one, 60),
        ("GET", TRADE + "orders-pending"): Endpoint(trading.pending, 60),
        ("GET", TRADE + "orders-history"): Endpoint(trading.ended, 40),
        ("GET", TRADE + "orders-history-archive"): Endpoint(trading.ended, 20),
        ("GET", TRADE + "fills"): Endpoint(holdings.fills, 60),
        ("GET", TRADE + "fills-history"): Endpoint(holdings.fills, 10),
        ("POST", TRADE + "order-algo"): Endpoint(algos.place, 20, trades=True),
        ("POST", TRADE + "cancel-algos"): Endpoint(algos.cancel, 20, trades=True),
        ("GET", TRADE + "order-algo"): Endpoint(algos.one, 20),
        ("GET", TRADE + "orders-algo-pending"): Endpoint(algos.pending, 20),
        ("GET", TRADE + "orders-algo-history"): Endpoint(algos.ended, 20),
        ("GET", ACCOUNT + "positions"): Endpoint(holdings.positions, 10),
        ("GET", ACCOUNT + "balance"): Endpoint(holdings.balance, 10),
        ("GET", ACCOUNT + "bills"): Endpoint(holdings.bills, 10),
        ("GET", ACCOUNT + "bills-archive"): Endpoint(holdings.bills, 10),
        ("GET", ACCOUNT + "config"): Endpoint(holdings.configuration, 5),
        ("GET", ACCOUNT + "trade-fee"): Endpoint(holdings.fees, 5),
        ("GET", ACCOUNT + "leverage-info"): Endpoint(holdings.leverage, 20),
        ("POST", ACCOUNT + "set-leverage"): Endpoint(holdings.set_leverage, 20),
        ("POST", ACCOUNT + "set-position-mode"): Endpoint(holdings.set_mode, 5),
    }
