"""Account settings, fees, income and listen keys: the small endpoints round trading."""

from __future__ import annotations

import orjson

from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.binance.wire import money
from simulator.engine.refusal import Reason, Refusal

INCOME_NAMES = {"DEPOSIT": "TRANSFER"}
MODE_ERRORS = {
    Reason.MODE_UNCHANGED: (-4059, "No need to change position side."),
    Reason.OPEN_ORDERS_EXIST: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.OPEN_POSITIONS_EXIST: (-4068, "Position side cannot be changed if there exists position."),
}


def set_leverage(ctx: Context) -> object:
    """POST /fapi/v1/leverage."""
    symbol, leverage = ctx.params.text("symbol"), ctx.params.integer("leverage")
    ctx.exchange.set_leverage(ctx.account, symbol, leverage)
    return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": "100000000"}


def set_margin_type(ctx: Context) -> object:
    """POST /fapi/v1/marginType: stored; margin itself stays cross."""
    symbol, mode = ctx.params.text("symbol"), ctx.params.text("marginType")
    if mode not in {"ISOLATED", "CROSSED"}:
        raise ApiError(-4045, "Invalid margin type.")
    ctx.exchange.set_isolated(ctx.account, symbol, isolated=mode == "ISOLATED")
    return {"code": 200, "msg": "success"}


def get_position_mode(ctx: Context) -> object:
    """GET /fapi/v1/positionSide/dual."""
    return {"dualSidePosition": ctx.account.hedge_mode}


def set_position_mode(ctx: Context) -> object:
    """POST /fapi/v1/positionSide/dual."""
    ctx.params.text("dualSidePosition")
    try:
        ctx.exchange.set_hedge_mode(ctx.account, hedge=ctx.params.flag("dualSidePosition"))
    except Refusal as refusal:
        raise ApiError(*MODE_ERRORS[refusal.reason]) from refusal
    return {"code": 200, "msg": "success"}


def get_multi_assets_mode(ctx: Context) -> object:
    """GET /fapi/v1/multiAssetsMargin: always single-asset mode."""
    return {"multiAssetsMargin": False}


def symbol_config(ctx: Context) -> object:
    """GET /fapi/v1/symbolConfig: leverage and margin type of one symbol or all."""
    state, account, symbol = ctx.exchange.state, ctx.account, ctx.params.optional("symbol")
    names = list(state.instruments) if symbol is None else [state.instrument(symbol).symbol]
    return [
        {
            "symbol": name,
            "marginType": "ISOLATED" if name in account.isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": account.leverage(name),
            "maxNotionalValue": "100000000",
        }
        for name in names
    ]


def leverage_brackets(ctx: Context) -> object:
    """GET /fapi/v1/leverageBracket: one bracket a symbol."""
    state, symbol = ctx.exchange.state, ctx.params.optional("symbol")
    chosen = list(state.instruments.values()) if symbol is None else [state.instrument(symbol)]
    return [
        {
            "symbol": instrument.symbol,
            "notionalCoef": 1,
            "brackets": [
                {
                    "bracket": 1,
                    "initialLeverage": instrument.max_leverage,
                    "notionalCap": 100_000_000,
                    "notionalFloor": 0,
                    "maintMarginRatio": orjson.Fragment(f"{instrument.maintenance_rate:f}"),
                    "cum": 0,
                }
            ],
        }
        for instrument in chosen
    ]


def commission_rate(ctx: Context) -> object:
    """GET /fapi/v1/commissionRate."""
    symbol = ctx.exchange.state.instrument(ctx.params.text("symbol")).symbol
    account = ctx.account
    return {
        "symbol": symbol,
        "makerCommissionRate": f"{account.maker_fee:f}",
        "takerCommissionRate": f"{account.taker_fee:f}",
    }


def income(ctx: Context) -> object:
    """GET /fapi/v1/income: every wallet movement, oldest first."""
    params = ctx.params
    symbol, kind = params.optional("symbol"), params.optional("incomeType")
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    rows = []
    for change in ctx.account.changes:
        name = INCOME_NAMES.get(change.kind, change.kind)
        if symbol not in (None, change.symbol) or kind not in (None, name):
            continue
        if (start is not None and change.time_ms < start) or (end is not None and change.time_ms > end):
            continue
        rows.append(
            {
                "symbol": change.symbol,
                "incomeType": name,
                "income": money(change.amount),
                "asset": "USDT",
                "info": name,
                "time": change.time_ms,
                "tranId": change.seq,
                "tradeId": change.reference,
            }
        )
    size = params.limit(100, 1000)
    return rows[:size] if start is not None else rows[-size:]


def api_restrictions(ctx: Context) -> object:
    """GET /sapi/v1/account/apiRestrictions."""
    permissions = ctx.account.permissions
    return {
        "ipRestrict": permissions.ip_restricted,
        "createTime": ctx.account.created_ms,
        "enableReading": permissions.reading,
        "enableWithdrawals": permissions.withdrawals,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": permissions.futures,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }


def open_listen_key(ctx: Context) -> object:
    """POST /fapi/v1/listenKey."""
    return {"listenKey": ctx.listen_keys.open(ctx.account.account_id).value}


def renew_listen_key(ctx: Context) -> object:
    """PUT /fapi/v1/listenKey."""
    key = ctx.listen_keys.renew(ctx.account.account_id)
    if key is None:
        raise ApiError(-1125, "This listenKey does not exist.")
    return {"listenKey": key.value}


def close_listen_key(ctx: Context) -> object:
    """DELETE /fapi/v1/listenKey."""
    ctx.listen_keys.close(ctx.account.account_id)
    return {}
