"""Account settings, fees, income and listen keys: the small endpoints round trading."""

from __future__ import annotations

import orjson

from simulator.binance.errors import ApiError
from simulator.binance.families import venue_name
from simulator.binance.rest import Context
from simulator.binance.wire import money
from simulator.engine.instrument import Kind
from simulator.engine.refusal import Reason, Refusal

INCOME_NAMES = {"DEPOSIT": "TRANSFER"}
MODE_ERRORS = {
    Reason.MODE_UNCHANGED: (-4059, "No need to change position side."),
    Reason.OPEN_ORDERS_EXIST: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.OPEN_POSITIONS_EXIST: (-4068, "Position side cannot be changed if there exists position."),
}


def set_leverage(ctx: Context) -> object:
    """POST leverage."""
    instrument, leverage = ctx.instrument, ctx.params.integer("leverage")
    ctx.exchange.set_leverage(ctx.account, instrument.symbol, leverage)
    most = "maxQty" if ctx.family.kind is Kind.INVERSE else "maxNotionalValue"
    return {"symbol": venue_name(instrument.symbol), "leverage": leverage, most: "100000000"}


def set_margin_type(ctx: Context) -> object:
    """POST marginType."""
    symbol, mode = ctx.instrument.symbol, ctx.params.text("marginType")
    if mode not in {"ISOLATED", "CROSSED"}:
        raise ApiError(-4045, "Invalid margin type.")
    ctx.exchange.set_isolated(ctx.account, symbol, isolated=mode == "ISOLATED")
    return {"code": 200, "msg": "success"}


def get_position_mode(ctx: Context) -> object:
    """GET positionSide/dual."""
    return {"dualSidePosition": ctx.account.hedge_mode}


def set_position_mode(ctx: Context) -> object:
    """POST positionSide/dual."""
    ctx.params.text("dualSidePosition")
    try:
        ctx.exchange.set_hedge_mode(ctx.account, hedge=ctx.params.flag("dualSidePosition"))
    except Refusal as refusal:
        raise ApiError(*MODE_ERRORS[refusal.reason]) from refusal
    return {"code": 200, "msg": "success"}


def get_multi_assets_mode(ctx: Context) -> object:
    """GET multiAssetsMargin: always single-asset mode."""
    return {"multiAssetsMargin": False}


def symbol_config(ctx: Context) -> object:
    """GET symbolConfig: leverage and margin type of one symbol or all."""
    account, names = ctx.account, [instrument.symbol for instrument in ctx.instruments]
    return [
        {
            "symbol": venue_name(name),
            "marginType": "ISOLATED" if name in account.isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": account.leverage(name),
            "maxNotionalValue": "100000000",
        }
        for name in names
    ]


def leverage_brackets(ctx: Context) -> object:
    """GET leverageBracket: one bracket a symbol."""
    return [
        {
            "symbol": venue_name(instrument.symbol),
            "notionalCoef": 1,
            "brackets": [
                {
                    "bracket": 1,
                    "initialLeverage": instrument.max_leverage,
                    "qtyCap" if instrument.kind is Kind.INVERSE else "notionalCap": 100_000_000,
                    "qtylFloor" if instrument.kind is Kind.INVERSE else "notionalFloor": 0,
                    "maintMarginRatio": orjson.Fragment(f"{instrument.maintenance_rate:f}"),
                    "cum": 0,
                }
            ],
        }
        for instrument in ctx.instruments
    ]


def commission_rate(ctx: Context) -> object:
    """GET commissionRate."""
    account = ctx.account
    return {
        "symbol": venue_name(ctx.instrument.symbol),
        "makerCommissionRate": f"{account.maker_fee:f}",
        "takerCommissionRate": f"{account.taker_fee:f}",
    }


def income(ctx: Context) -> object:
    """GET income: every movement of this market's wallets, oldest first."""
    params, state, kind_wanted = ctx.params, ctx.exchange.state, ctx.params.optional("incomeType")
    symbol = ctx.instrument.symbol if params.optional("symbol") else None
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    settles = {instrument.settle for instrument in state.listed(ctx.family.kind)}
    rows = []
    for change in ctx.account.changes:
        name = INCOME_NAMES.get(change.kind, change.kind)
        elsewhere = not ctx.family.has(change.symbol) if change.symbol else change.asset not in settles
        if elsewhere or symbol not in (None, change.symbol) or kind_wanted not in (None, name):
            continue
        if (start is not None and change.time_ms < start) or (end is not None and change.time_ms > end):
            continue
        rows.append(
            {
                "symbol": venue_name(change.symbol) if change.symbol else "",
                "incomeType": name,
                "income": money(change.amount),
                "asset": change.asset,
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
        "enableSpotAndMarginTrading": permissions.spot,
        "enablePortfolioMarginTrading": False,
    }


def open_listen_key(ctx: Context) -> object:
    """POST listenKey."""
    return {"listenKey": ctx.listen_keys.open(ctx.account.account_id).value}


def renew_listen_key(ctx: Context) -> object:
    """PUT listenKey."""
    key = ctx.listen_keys.renew(ctx.account.account_id)
    if key is None:
        raise ApiError(-1125, "This listenKey does not exist.")
    return {"listenKey": key.value}


def close_listen_key(ctx: Context) -> object:
    """DELETE listenKey."""
    ctx.listen_keys.close(ctx.account.account_id)
    return {}
