"""Account endpoints: executions, positions, wallet, leverage, modes, the transaction log, and the rights of a key."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from simulator.bybit.errors import ApiError, wrong
from simulator.bybit.params import DAY_MS, WINDOW_MS
from simulator.bybit.rest import Context
from simulator.bybit.trading import linear
from simulator.bybit.wire import (
    CATEGORY,
    EXECUTIONS,
    SIDES,
    Json,
    closed,
    execution_json,
    id_text,
    money,
    number_of,
    plain,
    position_json,
    wallet_json,
)
from simulator.engine.account import Account
from simulator.engine.order import Fill, PositionSide

LOG_TYPES = {"FUNDING_FEE": "SETTLEMENT", "DEPOSIT": "TRANSFER_IN", "INSURANCE_CLEAR": "BONUS"}
LOG_IDS = 1 << 65


def executions(ctx: Context) -> object:
    """GET /v5/execution/list: newest first, of an order or of a symbol; it does not tell realised profit."""
    params, account = ctx.params, ctx.account
    linear(params)
    now = ctx.exchange.state.now()
    order_id, link, symbol = (params.optional(name) for name in ("orderId", "orderLinkId", "symbol"))
    if params.optional("execType") not in (None, "Trade", "BustTrade"):
        return {"category": CATEGORY, "nextPageCursor": "", "list": []}
    first, last = params.window(now, WINDOW_MS)
    wanted = []
    for fill, row in _told(account):
        if fill.visible_ms > now or not first <= fill.time_ms <= last:
            continue
        if order_id is not None:
            fits = fill.order_id == number_of(order_id)
        elif link is not None:
            fits = fill.client_order_id == link
        else:
            fits = symbol in (None, fill.symbol)
        if fits:
            wanted.append(row)
    page, cursor = params.page(wanted[::-1], 50, 100)
    return {"category": CATEGORY, "nextPageCursor": cursor, "list": page}


def _told(account: Account) -> list[tuple[Fill, Json]]:
    """Return the account's fills with their rows, replayed for what was open and left at the time of each."""
    held: dict[tuple[str, PositionSide], Decimal] = defaultdict(Decimal)
    done: dict[int, Decimal] = defaultdict(Decimal)
    told = []
    for fill in account.fills:
        order, key = account.orders[fill.order_id], (fill.symbol, fill.position_side)
        change = fill.quantity * fill.side.sign
        size = closed(held[key], change)
        held[key] += change
        done[fill.order_id] += fill.quantity
        leaves = order.quantity - done[fill.order_id]
        told.append((fill, execution_json(order, fill, leaves=leaves, closed_size=size)))
    return told


def positions(ctx: Context) -> object:
    """GET /v5/position/list: of one symbol, flat or not, or all that are open."""
    params, account, state = ctx.params, ctx.account, ctx.exchange.state
    linear(params)
    symbol = params.optional("symbol")
    if symbol is None and not params.optional("settleCoin"):
        raise ApiError(10001, "params error: symbol or settleCoin is required")
    if symbol is not None:
        state.instrument(symbol)
        sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge_mode else (PositionSide.BOTH,)
        found = [account.position(symbol, side) for side in sides]
    else:
        found = list(account.live_positions())
    page, cursor = params.page(found, 20, 200)
    rows = [position_json(state, account, position) for position in page]
    return {"category": CATEGORY, "nextPageCursor": cursor, "list": rows}


def set_leverage(ctx: Context) -> object:
    """POST /v5/position/set-leverage: both sides alike."""
    params = ctx.params
    linear(params)
    symbol = ctx.exchange.state.instrument(params.text("symbol")).symbol
    buy, sell = params.decimal("buyLeverage"), params.decimal("sellLeverage")
    if buy != sell or buy != int(buy):
        raise wrong("buyLeverage")
    if ctx.account.leverage(symbol) == buy:
        raise ApiError(110043, "leverage not modified")
    ctx.exchange.set_leverage(ctx.account, symbol, int(buy))
    return {}


def switch_mode(ctx: Context) -> object:
    """POST /v5/position/switch-mode: 0 is one-way, 3 is hedge mode, for the whole account."""
    linear(ctx.params)
    mode = ctx.params.integer("mode", -1)
    if mode not in (0, 3):
        raise wrong("mode")
    ctx.exchange.set_hedge_mode(ctx.account, hedge=mode == 3)
    return {}


def wallet_balance(ctx: Context) -> object:
    """GET /v5/account/wallet-balance."""
    if ctx.params.text("accountType") != "UNIFIED":
        raise wrong("accountType")
    return {"list": [wallet_json(ctx.exchange.state, ctx.account)]}


def account_info(ctx: Context) -> object:
    """GET /v5/account/info: a unified account in cross margin."""
    return {
        "marginMode": "REGULAR_MARGIN",
        "updatedTime": str(ctx.account.created_ms),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def key_info(ctx: Context) -> object:
    """GET /v5/user/query-api."""
    account, rights = ctx.account, ctx.account.permissions
    return {
        "id": account.account_id,
        "note": account.label,
        "apiKey": account.api_key,
        "readOnly": 0 if rights.futures else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"] if rights.futures else [],
            "Spot": [],
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


def transaction_log(ctx: Context) -> object:
    """GET /v5/account/transaction-log: trades with their profit, funding and transfers, newest first."""
    params, now = ctx.params, ctx.exchange.state.now()
    kind, category = params.optional("type"), params.optional("category")
    first, last = params.window(now, DAY_MS)
    rows = [*_trades(ctx.account, now), *_others(ctx)]
    chosen = [
        row
        for at, row in sorted(rows, key=lambda entry: entry[0], reverse=True)
        if first <= at <= last and kind in (None, row["type"]) and category in (None, row["category"])
    ]
    page, cursor = params.page(chosen, 20, 50)
    return {"nextPageCursor": cursor, "list": page}


def _trades(account: Account, now: int) -> list[tuple[int, Json]]:
    return [
        (
            fill.time_ms,
            {
                "id": id_text(LOG_IDS + fill.seq),
                "symbol": fill.symbol,
                "category": CATEGORY,
                "side": SIDES[fill.side],
                "transactionTime": str(fill.time_ms),
                "type": "TRADE",
                "qty": plain(fill.quantity),
                "currency": "USDT",
                "tradePrice": plain(fill.price),
                "funding": "",
                "fee": money(fill.commission),
                "cashFlow": money(fill.realised_pnl),
                "change": money(fill.realised_pnl - fill.commission),
                "tradeId": id_text(EXECUTIONS + fill.trade_id),
                "orderId": id_text(fill.order_id),
                "orderLinkId": fill.client_order_id,
            },
        )
        for fill in account.fills
        if fill.visible_ms <= now
    ]


def _others(ctx: Context) -> list[tuple[int, Json]]:
    rows: list[tuple[int, Json]] = []
    for change in ctx.account.changes:
        kind = LOG_TYPES.get(change.kind)
        if kind is None:
            continue
        if kind == "TRANSFER_IN" and change.amount < 0:
            kind = "TRANSFER_OUT"
        funding = kind == "SETTLEMENT"
        row: Json = {
            "id": id_text(LOG_IDS + change.seq),
            "symbol": change.symbol,
            "category": CATEGORY if funding else "",
            "side": "None",
            "transactionTime": str(change.time_ms),
            "type": kind,
            "qty": "0",
            "currency": "USDT",
            "tradePrice": "0",
            "funding": money(change.amount) if funding else "",
            "fee": "0",
            "cashFlow": "0" if funding else money(change.amount),
            "change": money(change.amount),
            "cashBalance": money(change.balance),
            "tradeId": "",
            "orderId": "",
            "orderLinkId": "",
        }
        rows.append((change.time_ms, row))
    return rows
