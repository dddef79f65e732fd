"""The route table of the v2 dialect: one row an endpoint, with what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from simulator.bitget import holdings, market, plans, trading
from simulator.bitget.rest import Context, Endpoint
from simulator.engine.instrument import Kind

Runs = Mapping[str, Callable[[Context], object]]


def _public() -> dict[tuple[str, str], Endpoint]:
    runs: Runs = {
        "/api/v2/public/time": market.server_time,
        "/api/v2/mix/market/contracts": market.contracts,
        "/api/v2/mix/market/tickers": partial(market.tickers, kind=Kind.LINEAR),
        "/api/v2/mix/market/ticker": partial(market.tickers, kind=Kind.LINEAR),
        "/api/v2/mix/market/symbol-price": market.symbol_price,
        "/api/v2/mix/market/current-fund-rate": market.funding_rate,
        "/api/v2/mix/market/merge-depth": partial(market.book, kind=Kind.LINEAR),
        "/api/v2/margin/currencies": market.margin_currencies,
        "/api/v2/spot/public/symbols": market.symbols,
        "/api/v2/spot/market/tickers": partial(market.tickers, kind=Kind.SPOT),
        "/api/v2/spot/market/orderbook": partial(market.book, kind=Kind.SPOT),
    }
    return {("GET", path): Endpoint(run, keyed=False) for path, run in runs.items()}


def _reads() -> dict[tuple[str, str], Endpoint]:
    runs: Runs = {
        "/api/v2/mix/order/detail": trading.futures_detail,
        "/api/v2/mix/order/orders-pending": partial(trading.futures_orders, ended=False),
        "/api/v2/mix/order/orders-history": partial(trading.futures_orders, ended=True),
        "/api/v2/mix/order/fills": trading.futures_fills,
        "/api/v2/mix/order/fill-history": trading.futures_fills,
        "/api/v2/mix/order/orders-plan-pending": partial(plans.futures_plans, ended=False),
        "/api/v2/mix/order/orders-plan-history": partial(plans.futures_plans, ended=True),
        "/api/v2/mix/position/all-position": holdings.all_positions,
        "/api/v2/mix/position/single-position": holdings.all_positions,
        "/api/v2/mix/account/accounts": holdings.accounts,
        "/api/v2/mix/account/account": holdings.account,
        "/api/v2/mix/account/bill": holdings.bills,
        "/api/v2/spot/trade/orderInfo": trading.spot_info,
        "/api/v2/spot/trade/unfilled-orders": partial(trading.spot_orders, ended=False),
        "/api/v2/spot/trade/history-orders": partial(trading.spot_orders, ended=True),
        "/api/v2/spot/trade/fills": trading.spot_fills,
        "/api/v2/spot/trade/current-plan-order": partial(plans.spot_plans, ended=False),
        "/api/v2/spot/trade/history-plan-order": partial(plans.spot_plans, ended=True),
        "/api/v2/spot/trade/plan-sub-order": plans.sub_orders,
        "/api/v2/spot/account/assets": holdings.assets,
        "/api/v2/spot/account/info": holdings.account_info,
        "/api/v2/common/trade-rate": holdings.trade_rate,
    }
    return {("GET", path): Endpoint(run) for path, run in runs.items()}


def _trades() -> dict[tuple[str, str], Endpoint]:
    futures = {
        "/api/v2/mix/order/place-order": trading.place_futures,
        "/api/v2/mix/order/cancel-order": trading.cancel_futures,
        "/api/v2/mix/order/place-tpsl-order": plans.place_tpsl,
        "/api/v2/mix/order/cancel-plan-order": plans.cancel_tpsl,
        "/api/v2/mix/account/set-leverage": holdings.set_leverage,
        "/api/v2/mix/account/set-margin-mode": holdings.set_margin_mode,
        "/api/v2/mix/account/set-position-mode": holdings.set_position_mode,
    }
    spot = {
        "/api/v2/spot/trade/place-order": trading.place_spot,
        "/api/v2/spot/trade/cancel-order": trading.cancel_spot,
        "/api/v2/spot/trade/place-plan-order": plans.place_spot_plan,
        "/api/v2/spot/trade/cancel-plan-order": plans.cancel_spot_plan,
    }
    return {
        ("POST", path): Endpoint(run, trades=kind)
        for kind, rows in ((Kind.LINEAR, futures), (Kind.SPOT, spot))
        for path, run in rows.items()
    }


def v2_routes() -> dict[tuple[str, str], Endpoint]:
    """Return every endpoint."""
    return {**_public(), **_reads(), **_trades()}
