"""Public endpoints of spot, and its accounts: what is listed, prices, balances and fees."""

from __future__ import annotations

from simulator.binance.families import venue_name
from simulator.binance.market import book_ticker_json, one_or_all, rate_limits
from simulator.binance.rest import Context
from simulator.binance.spot_wire import KINDS, balance_json
from simulator.binance.wire import Json, money, price_text
from simulator.engine.instrument import Instrument
from simulator.engine.margin import locked
from simulator.engine.order import ZERO
from simulator.engine.state import State
from simulator.limits import Limits


def exchange_info(limits: Limits, ctx: Context) -> object:
    """GET /api/v3/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": ctx.exchange.state.now(),
        "rateLimits": rate_limits(limits),
        "exchangeFilters": [],
        "symbols": [_symbol(instrument) for instrument in ctx.instruments],
    }


def _symbol(instrument: Instrument) -> Json:
    return {
        "symbol": venue_name(instrument.symbol),
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", *KINDS],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _filters(instrument: Instrument) -> list[Json]:
    lot = {"minQty": money(instrument.min_quantity), "stepSize": money(instrument.step)}
    up, down = f"{1 + instrument.price_band:.4f}", f"{1 - instrument.price_band:.4f}"
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": money(instrument.tick),
            "maxPrice": "1000000.00000000",
            "tickSize": money(instrument.tick),
        },
        {"filterType": "LOT_SIZE", **lot, "maxQty": money(instrument.max_quantity)},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": money(ZERO),
            "maxQty": money(instrument.max_market_quantity),
            "stepSize": money(ZERO),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": money(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": instrument.max_open_orders},
    ]


def ticker_price(ctx: Context) -> object:
    """GET /api/v3/ticker/price."""
    state = ctx.exchange.state
    rows: list[Json] = [
        {"symbol": venue_name(i.symbol), "price": money(state.mark(i.symbol))} for i in ctx.instruments
    ]
    return one_or_all(ctx, rows)


def book_ticker(ctx: Context) -> object:
    """GET /api/v3/ticker/bookTicker."""
    rows = [book_ticker_json(ctx.exchange.state, i) for i in ctx.instruments]
    shown = {"symbol", "bidPrice", "bidQty", "askPrice", "askQty"}
    return one_or_all(ctx, [{name: row[name] for name in shown} for row in rows])


def mini_ticker(state: State, instrument: Instrument) -> Json:
    """Return the event 24hrMiniTicker of one market; volumes are of the price's own walk, so zero."""
    tape, now = state.tape, state.now()
    return {
        "e": "24hrMiniTicker",
        "E": now,
        "s": venue_name(instrument.symbol),
        "c": price_text(instrument, state.mark(instrument.symbol)),
        "o": price_text(instrument, tape.opens[instrument.symbol]),
        "h": price_text(instrument, tape.highs[instrument.symbol]),
        "l": price_text(instrument, tape.lows[instrument.symbol]),
        "v": "0",
        "q": "0",
    }


def account(ctx: Context) -> object:
    """GET /api/v3/account."""
    state, owner = ctx.exchange.state, ctx.account
    omits = ctx.params.flag("omitZeroBalances")
    listed = {asset for i in state.listed(ctx.family.kind) for asset in (i.base, i.quote)}
    names = ("asset", "free", "locked")
    return {
        "makerCommission": 0,
        "takerCommission": 0,
        "commissionRates": {"maker": f"{owner.maker_fee:.8f}", "taker": f"{owner.taker_fee:.8f}"},
        "canTrade": owner.permissions.spot,
        "canWithdraw": owner.permissions.withdrawals,
        "canDeposit": True,
        "brokered": False,
        "accountType": "SPOT",
        "balances": [
            balance_json(asset, owner.wallets.get(asset, ZERO), locked(state, owner, asset), names=names)
            for asset in sorted(listed | owner.wallets.keys())
            if owner.wallets.get(asset) or not omits
        ],
        "permissions": ["SPOT"],
        "uid": int(owner.account_id[:8], 16),
    }


def commission(ctx: Context) -> object:
    """GET /api/v3/account/commission."""
    nothing = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}
    own = {"maker": f"{ctx.account.maker_fee:.8f}", "taker": f"{ctx.account.taker_fee:.8f}"}
    return {
        "symbol": venue_name(ctx.instrument.symbol),
        "standardCommission": {**nothing, **own},
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }
