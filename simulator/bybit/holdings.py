"""What an account holds: positions and the unified wallet, what it pays, and the rights of its key."""

from __future__ import annotations

from simulator.bybit.categories import (
    WORDS,
    category_of,
    engine_symbol,
    optional_market,
    perpetual_of,
    venue_name,
)
from simulator.bybit.errors import ApiError, wrong
from simulator.bybit.holding_rows import position_json, wallet_json
from simulator.bybit.rest import Context
from simulator.bybit.wire import plain
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.order import PositionSide


def positions(ctx: Context) -> object:
    """GET /v5/position/list: of one symbol, flat or not, or all that are open."""
    params, account, state = ctx.params, ctx.account, ctx.exchange.state
    kind = perpetual_of(params)
    symbol = optional_market(state, kind, params)
    if symbol is None and kind is Kind.LINEAR and not params.optional("settleCoin"):
        raise ApiError(10001, "params error: symbol or settleCoin is required")
    if symbol is not None:
        sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge_mode else (PositionSide.BOTH,)
        found = [account.position(symbol, side) for side in sides]
    else:
        found = [position for position in account.live_positions() if kind_of(position.symbol) is kind]
    page, cursor = params.page(found, 20, 200)
    rows = [position_json(state, account, position) for position in page]
    return {"category": WORDS[kind], "nextPageCursor": cursor, "list": rows}


def wallet_balance(ctx: Context) -> object:
    """GET /v5/account/wallet-balance: of what is held, or of the coins named."""
    if ctx.params.text("accountType") != "UNIFIED":
        raise wrong("accountType")
    coins = ctx.params.optional("coin")
    named = coins.split(",") if coins is not None else None
    return {"list": [wallet_json(ctx.exchange.state, ctx.account, named)]}


def account_info(ctx: Context) -> object:
    """GET /v5/account/info: a unified account and its margin mode."""
    return {
        "marginMode": "ISOLATED_MARGIN" if ctx.account.isolated else "REGULAR_MARGIN",
        "updatedTime": str(ctx.account.created_ms),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def fee_rate(ctx: Context) -> object:
    """GET /v5/account/fee-rate: of one symbol, or of all of a category."""
    state, kind = ctx.exchange.state, category_of(ctx.params)
    symbol = optional_market(state, kind, ctx.params)
    names = [symbol] if symbol is not None else [instrument.symbol for instrument in state.listed(kind)]
    rows = [
        {
            "symbol": venue_name(name),
            "takerFeeRate": plain(ctx.account.taker_fee),
            "makerFeeRate": plain(ctx.account.maker_fee),
        }
        for name in names
    ]
    return {"category": WORDS[kind], "list": rows}


def key_info(ctx: Context) -> object:
    """GET /v5/user/query-api."""
    account, rights = ctx.account, ctx.account.permissions
    return {
        "id": account.account_id,
        "note": account.label,
        "apiKey": account.api_key,
        "readOnly": 0 if rights.futures or rights.spot else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"] if rights.futures else [],
            "Spot": ["SpotTrade"] if rights.spot else [],
            "Wallet": ["AccountTransfer", "Withdraw"] if rights.withdrawals else ["AccountTransfer"],
            "Options": [],
            "Derivatives": ["DerivativesTrade"] if rights.futures else [],
        },
        "ips": ["203.0.113.7"] if rights.ip_restricted else ["*"],
        "type": 1,
        "uta": 1,
        "userID": 1,
        "isMaster": True,
        "unified": 0,
    }


def set_leverage(ctx: Context) -> object:
    """POST /v5/position/set-leverage: both sides alike."""
    params, kind = ctx.params, perpetual_of(ctx.params)
    symbol = ctx.exchange.state.instrument(engine_symbol(kind, params.text("symbol"))).symbol
    buy, sell = params.decimal("buyLeverage"), params.decimal("sellLeverage")
    if buy != sell or buy != int(buy):
        raise wrong("buyLeverage")
    if ctx.account.leverage(symbol) == buy:
        raise ApiError(110043, "leverage not modified")
    ctx.exchange.set_leverage(ctx.account, symbol, int(buy))
    return {}


def switch_mode(ctx: Context) -> object:
    """POST /v5/position/switch-mode: 0 is one-way, 3 is hedge mode; here for the whole account at once."""
    if perpetual_of(ctx.params) is not Kind.LINEAR:
        raise ApiError(110029, "hedge mode is not supported for this symbol")
    if not ctx.params.optional("symbol") and not ctx.params.optional("coin"):
        raise wrong("symbol")
    mode = ctx.params.integer("mode", -1)
    if mode not in (0, 3):
        raise wrong("mode")
    ctx.exchange.set_hedge_mode(ctx.account, hedge=mode == 3)
    return {}


def set_margin_mode(ctx: Context) -> object:
    """POST /v5/account/set-margin-mode: of the whole account; refused while a contract is in use."""
    modes = {"REGULAR_MARGIN": False, "ISOLATED_MARGIN": True}
    isolated = ctx.params.member("setMarginMode", modes)
    state, account = ctx.exchange.state, ctx.account
    if bool(account.isolated) == isolated:
        raise ApiError(110026, "Cross/isolated margin mode is not modified")
    used = [order.symbol for order in account.open_orders.values()]
    used += [position.symbol for position in account.live_positions()]
    if any(kind_of(symbol) is not Kind.SPOT for symbol in used):
        raise ApiError(110073, "Set margin mode failed")
    for kind in (Kind.LINEAR, Kind.INVERSE):
        for instrument in state.listed(kind):
            if (instrument.symbol in account.isolated) != isolated:
                ctx.exchange.set_isolated(account, instrument.symbol, isolated=isolated)
    return {"reasons": []}
