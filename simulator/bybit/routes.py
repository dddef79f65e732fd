"""The route table of the v5 dialect: one row an endpoint, with what it asks."""

from __future__ import annotations

from simulator.bybit import entries, executions, holdings, log, market, trading
from simulator.bybit.rest import Endpoint


def v5_routes() -> dict[tuple[str, str], Endpoint]:
    """Return every endpoint."""
    return {
        ("GET", "/v5/market/time"): Endpoint(market.server_time, keyed=False),
        ("GET", "/v5/market/instruments-info"): Endpoint(market.instruments, keyed=False),
        ("GET", "/v5/market/tickers"): Endpoint(market.tickers, keyed=False),
        ("GET", "/v5/market/orderbook"): Endpoint(market.order_book, keyed=False),
        ("POST", "/v5/order/create"): Endpoint(trading.create_order, trades=True),
        ("POST", "/v5/order/cancel"): Endpoint(trading.cancel_order, trades=True),
        ("POST", "/v5/order/amend"): Endpoint(trading.amend_order, trades=True),
        ("POST", "/v5/order/cancel-all"): Endpoint(trading.cancel_all, trades=True),
        ("GET", "/v5/order/realtime"): Endpoint(entries.realtime),
        ("GET", "/v5/order/history"): Endpoint(entries.history),
        ("GET", "/v5/execution/list"): Endpoint(executions.executions),
        ("GET", "/v5/position/list"): Endpoint(holdings.positions),
        ("POST", "/v5/position/set-leverage"): Endpoint(holdings.set_leverage, trades=True),
        ("POST", "/v5/position/switch-mode"): Endpoint(holdings.switch_mode, trades=True),
        ("GET", "/v5/account/wallet-balance"): Endpoint(holdings.wallet_balance),
        ("POST", "/v5/account/set-margin-mode"): Endpoint(holdings.set_margin_mode, trades=True),
        ("GET", "/v5/account/fee-rate"): Endpoint(holdings.fee_rate),
        ("GET", "/v5/account/info"): Endpoint(holdings.account_info),
        ("GET", "/v5/account/transaction-log"): Endpoint(log.transaction_log),
        ("GET", "/v5/user/query-api"): Endpoint(holdings.key_info),
    }
