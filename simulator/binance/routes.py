"""The route table of the USD-M dialect: one row an endpoint, with what it asks and what it weighs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simulator.binance import algo, holdings, market, settings, trading
from simulator.binance.rest import Context, Endpoint, Security
from simulator.limits import Limits

PUBLIC, KEY, READ, TRADE = Security.PUBLIC, Security.KEY, Security.READ, Security.TRADE
Run = Callable[[Context], object]


def _row(
    method: str, path: str, run: Run, security: Security, weight: int
) -> tuple[tuple[str, str], Endpoint]:
    counts = (method == "POST" and path in {"/fapi/v1/order", "/fapi/v1/algoOrder"}) or (method, path) == (
        "PUT",
        "/fapi/v1/order",
    )
    return (method, path), Endpoint(run, security, weight, counts)


def usdm_routes(limits: Limits) -> dict[tuple[str, str], Endpoint]:
    """Return every endpoint; `limits` is what exchangeInfo shows."""
    rows: list[tuple[str, str, Run, Security, int]] = [
        ("GET", "/fapi/v1/ping", market.ping, PUBLIC, 1),
        ("GET", "/fapi/v1/time", market.server_time, PUBLIC, 1),
        ("GET", "/fapi/v1/exchangeInfo", partial(market.exchange_info, limits), PUBLIC, 1),
        ("GET", "/fapi/v1/premiumIndex", market.premium_index, PUBLIC, 1),
        ("GET", "/fapi/v1/ticker/price", market.ticker_price, PUBLIC, 1),
        ("GET", "/fapi/v2/ticker/price", market.ticker_price, PUBLIC, 1),
        ("GET", "/fapi/v1/ticker/bookTicker", market.book_ticker, PUBLIC, 2),
        ("GET", "/fapi/v1/ticker/24hr", market.ticker_24h, PUBLIC, 1),
        ("GET", "/fapi/v1/depth", market.depth, PUBLIC, 5),
        ("POST", "/fapi/v1/order", trading.place_order, TRADE, 0),
        ("POST", "/fapi/v1/order/test", trading.check_order, TRADE, 1),
        ("PUT", "/fapi/v1/order", trading.amend_order, TRADE, 1),
        ("GET", "/fapi/v1/order", trading.query_order, READ, 1),
        ("DELETE", "/fapi/v1/order", trading.cancel_order, TRADE, 1),
        ("GET", "/fapi/v1/openOrder", trading.query_open_order, READ, 1),
        ("GET", "/fapi/v1/openOrders", trading.open_orders, READ, 1),
        ("DELETE", "/fapi/v1/allOpenOrders", trading.cancel_all, TRADE, 1),
        ("GET", "/fapi/v1/allOrders", trading.all_orders, READ, 5),
        ("GET", "/fapi/v1/userTrades", trading.user_trades, READ, 5),
        ("POST", "/fapi/v1/algoOrder", algo.place_algo, TRADE, 0),
        ("GET", "/fapi/v1/algoOrder", algo.query_algo, READ, 1),
        ("DELETE", "/fapi/v1/algoOrder", algo.cancel_algo, TRADE, 1),
        ("GET", "/fapi/v1/openAlgoOrders", algo.open_algos, READ, 1),
        ("GET", "/fapi/v1/algoOpenOrders", algo.open_algos, READ, 1),
        ("DELETE", "/fapi/v1/algoOpenOrders", algo.cancel_open_algos, TRADE, 1),
        ("GET", "/fapi/v1/allAlgoOrders", algo.all_algos, READ, 5),
        ("GET", "/fapi/v2/balance", holdings.balance, READ, 5),
        ("GET", "/fapi/v3/balance", holdings.balance, READ, 5),
        ("GET", "/fapi/v2/account", holdings.account_v2, READ, 5),
        ("GET", "/fapi/v3/account", holdings.account_v3, READ, 5),
        ("GET", "/fapi/v2/positionRisk", holdings.position_risk_v2, READ, 5),
        ("GET", "/fapi/v3/positionRisk", holdings.position_risk_v3, READ, 5),
        ("POST", "/fapi/v1/leverage", settings.set_leverage, TRADE, 1),
        ("POST", "/fapi/v1/marginType", settings.set_margin_type, TRADE, 1),
        ("GET", "/fapi/v1/positionSide/dual", settings.get_position_mode, READ, 30),
        ("POST", "/fapi/v1/positionSide/dual", settings.set_position_mode, TRADE, 1),
        ("GET", "/fapi/v1/multiAssetsMargin", settings.get_multi_assets_mode, READ, 30),
        ("GET", "/fapi/v1/symbolConfig", settings.symbol_config, READ, 5),
        ("GET", "/fapi/v1/leverageBracket", settings.leverage_brackets, READ, 1),
        ("GET", "/fapi/v1/commissionRate", settings.commission_rate, READ, 20),
        ("GET", "/fapi/v1/income", settings.income, READ, 30),
        ("GET", "/sapi/v1/account/apiRestrictions", settings.api_restrictions, READ, 1),
        ("POST", "/fapi/v1/listenKey", settings.open_listen_key, KEY, 1),
        ("PUT", "/fapi/v1/listenKey", settings.renew_listen_key, KEY, 1),
        ("DELETE", "/fapi/v1/listenKey", settings.close_listen_key, KEY, 1),
    ]
    return dict(_row(*row) for row in rows)
