"""The route tables of contracts: one row an endpoint, with what it asks and what it weighs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from simulator.binance import algo, coin_holdings, holdings, market, settings, trading
from simulator.binance.families import COINM, USDM, Family
from simulator.binance.rest import Context, Endpoint, Security
from simulator.limits import Limits

PUBLIC, KEY, READ, TRADE = Security.PUBLIC, Security.KEY, Security.READ, Security.TRADE
Run = Callable[[Context], object]
Row = tuple[str, str, Run, Security, int]
Routes = dict[tuple[str, str], Endpoint]
COUNTED = frozenset({("POST", "/order"), ("POST", "/algoOrder"), ("PUT", "/order")})
"""What the order limits count."""


def table(family: Family, rows: Iterable[Row]) -> Routes:
    """Return the endpoints by method and path; a path that names no root is behind the market's own."""
    found: Routes = {}
    for method, path, run, security, weight in rows:
        whole = path if path.startswith(("/sapi/", "/fapi/", "/dapi/")) else family.root + path
        found[method, whole] = Endpoint(run, security, weight, (method, path) in COUNTED)
    return found


def _common(limits: Limits) -> list[Row]:
    """Return what both kinds of contract have; `limits` is what exchangeInfo shows."""
    return [
        ("GET", "/ping", market.ping, PUBLIC, 1),
        ("GET", "/time", market.server_time, PUBLIC, 1),
        ("GET", "/exchangeInfo", partial(market.exchange_info, limits), PUBLIC, 1),
        ("GET", "/premiumIndex", market.premium_index, PUBLIC, 1),
        ("GET", "/ticker/price", market.ticker_price, PUBLIC, 1),
        ("GET", "/ticker/bookTicker", market.book_ticker, PUBLIC, 2),
        ("GET", "/ticker/24hr", market.ticker_24h, PUBLIC, 1),
        ("GET", "/depth", market.depth, PUBLIC, 5),
        ("POST", "/order", trading.place_order, TRADE, 0),
        ("PUT", "/order", trading.amend_order, TRADE, 1),
        ("GET", "/order", trading.query_order, READ, 1),
        ("DELETE", "/order", trading.cancel_order, TRADE, 1),
        ("GET", "/openOrder", trading.query_open_order, READ, 1),
        ("GET", "/openOrders", trading.open_orders, READ, 1),
        ("DELETE", "/allOpenOrders", trading.cancel_all, TRADE, 1),
        ("GET", "/allOrders", trading.all_orders, READ, 5),
        ("GET", "/userTrades", trading.user_trades, READ, 5),
        ("POST", "/algoOrder", algo.place_algo, TRADE, 0),
        ("GET", "/algoOrder", algo.query_algo, READ, 1),
        ("DELETE", "/algoOrder", algo.cancel_algo, TRADE, 1),
        ("GET", "/openAlgoOrders", algo.open_algos, READ, 1),
        ("GET", "/algoOpenOrders", algo.open_algos, READ, 1),
        ("DELETE", "/algoOpenOrders", algo.cancel_open_algos, TRADE, 1),
        ("GET", "/allAlgoOrders", algo.all_algos, READ, 5),
        ("POST", "/leverage", settings.set_leverage, TRADE, 1),
        ("POST", "/marginType", settings.set_margin_type, TRADE, 1),
        ("GET", "/positionSide/dual", settings.get_position_mode, READ, 30),
        ("POST", "/positionSide/dual", settings.set_position_mode, TRADE, 1),
        ("GET", "/leverageBracket", settings.leverage_brackets, READ, 1),
        ("GET", "/commissionRate", settings.commission_rate, READ, 20),
        ("GET", "/income", settings.income, READ, 30),
        ("POST", "/listenKey", settings.open_listen_key, KEY, 1),
        ("PUT", "/listenKey", settings.renew_listen_key, KEY, 1),
        ("DELETE", "/listenKey", settings.close_listen_key, KEY, 1),
    ]


def usdm_routes(limits: Limits) -> Routes:
    """Return the endpoints of USD-M, and those of the wallet."""
    rows: list[Row] = [
        *_common(limits),
        ("GET", "/fapi/v2/ticker/price", market.ticker_price, PUBLIC, 1),
        ("POST", "/order/test", trading.check_order, TRADE, 1),
        ("GET", "/fapi/v2/balance", holdings.balance, READ, 5),
        ("GET", "/fapi/v3/balance", holdings.balance, READ, 5),
        ("GET", "/fapi/v2/account", holdings.account_v2, READ, 5),
        ("GET", "/fapi/v3/account", holdings.account_v3, READ, 5),
        ("GET", "/fapi/v2/positionRisk", holdings.position_risk_v2, READ, 5),
        ("GET", "/fapi/v3/positionRisk", holdings.position_risk_v3, READ, 5),
        ("GET", "/multiAssetsMargin", settings.get_multi_assets_mode, READ, 30),
        ("GET", "/symbolConfig", settings.symbol_config, READ, 5),
        ("GET", "/sapi/v1/account/apiRestrictions", settings.api_restrictions, READ, 1),
    ]
    return table(USDM, rows)


def coinm_routes(limits: Limits) -> Routes:
    """Return the endpoints of COIN-M."""
    rows: list[Row] = [
        *_common(limits),
        ("GET", "/dapi/v2/leverageBracket", settings.leverage_brackets, READ, 1),
        ("GET", "/balance", coin_holdings.balance, READ, 1),
        ("GET", "/account", coin_holdings.account, READ, 5),
        ("GET", "/positionRisk", coin_holdings.position_risk, READ, 1),
    ]
    return table(COINM, rows)
