"""What an account holds, as USD-M shows it: balances, positions and the account summary, versions 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.binance.position_numbers import numbers
from simulator.binance.rest import Context
from simulator.binance.wire import Json, money
from simulator.engine.account import Account
from simulator.engine.margin import available, maintenance, position_margin, total_margin, unrealised
from simulator.engine.order import ZERO, PositionSide
from simulator.engine.position import Position
from simulator.engine.state import State

MAX_NOTIONAL = "100000000"


def balance(ctx: Context) -> object:
    """GET /fapi/v2/balance and /fapi/v3/balance."""
    state, account = ctx.exchange.state, ctx.account
    free = money(max(ZERO, available(state, account)))
    return [
        {
            "accountAlias": account.account_id[:6],
            "asset": "USDT",
            "balance": money(account.wallet),
            "crossWalletBalance": money(account.wallet),
            "crossUnPnl": money(unrealised(state, account)),
            "availableBalance": free,
            "maxWithdrawAmount": free,
            "marginAvailable": True,
            "updateTime": state.now(),
        }
    ]


def position_risk_v2(ctx: Context) -> object:
    """GET /fapi/v2/positionRisk: every symbol, flat ones too."""
    return [_risk_v2(ctx.exchange.state, ctx.account, position) for position in legs(ctx)]


def position_risk_v3(ctx: Context) -> object:
    """GET /fapi/v3/positionRisk: only symbols with a position or an open order."""
    state, account = ctx.exchange.state, ctx.account
    live = {position.symbol for position in account.live_positions()}
    live.update(order.symbol for order in account.open_orders.values())
    return [
        _risk_v3(state, account, position)
        for position in legs(ctx)
        if position.symbol in live and (position.quantity or not account.hedge_mode)
    ]


def account_v2(ctx: Context) -> object:
    """GET /fapi/v2/account."""
    state, account = ctx.exchange.state, ctx.account
    head: Json = {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": account.permissions.futures,
        "canDeposit": True,
        "canWithdraw": account.permissions.withdrawals,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }
    positions = [_position_v2(state, account, position) for position in legs(ctx)]
    return {**head, **_totals(state, account), "positions": positions}


def account_v3(ctx: Context) -> object:
    """GET /fapi/v3/account: only live positions."""
    state, account = ctx.exchange.state, ctx.account
    positions = [
        _position_v3(state, account, position)
        for position in account.live_positions()
        if ctx.family.has(position.symbol)
    ]
    return {**_totals(state, account), "positions": positions}


def legs(ctx: Context) -> Iterator[Position]:
    """Yield the positions of one symbol or of all, flat ones too, each leg in hedge mode."""
    account = ctx.account
    sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge_mode else (PositionSide.BOTH,)
    for instrument in ctx.instruments:
        for side in sides:
            yield account.positions.get((instrument.symbol, side)) or Position(instrument.symbol, side)


def _totals(state: State, account: Account) -> Json:
    profit, tied, held = (
        unrealised(state, account),
        total_margin(state, account),
        position_margin(state, account),
    )
    margin = account.wallet + profit
    free = money(max(ZERO, margin - tied))
    asset: Json = {
        "asset": "USDT",
        "walletBalance": money(account.wallet),
        "unrealizedProfit": money(profit),
        "marginBalance": money(margin),
        "maintMargin": money(maintenance(state, account)),
        "initialMargin": money(tied),
        "positionInitialMargin": money(held),
        "openOrderInitialMargin": money(tied - held),
        "crossWalletBalance": money(account.wallet),
        "crossUnPnl": money(profit),
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "marginAvailable": True,
        "updateTime": state.now(),
    }
    return {
        "totalInitialMargin": money(tied),
        "totalMaintMargin": asset["maintMargin"],
        "totalWalletBalance": money(account.wallet),
        "totalUnrealizedProfit": money(profit),
        "totalMarginBalance": money(margin),
        "totalPositionInitialMargin": money(held),
        "totalOpenOrderInitialMargin": money(tied - held),
        "totalCrossWalletBalance": money(account.wallet),
        "totalCrossUnPnl": money(profit),
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "assets": [asset],
    }


def _risk_v2(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "positionAmt": n["amount"],
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "markPrice": n["mark"],
        "unRealizedProfit": n["profit"],
        "liquidationPrice": n["liquidation"],
        "leverage": str(account.leverage(position.symbol)),
        "maxNotionalValue": MAX_NOTIONAL,
        "marginType": n["margin_type"],
        "isolatedMargin": n["isolated_margin"],
        "isAutoAddMargin": "false",
        "positionSide": position.side.value,
        "notional": n["notional"],
        "isolatedWallet": n["isolated_wallet"],
        "updateTime": position.updated_ms,
        "isolated": position.symbol in account.isolated,
        "adlQuantile": 0,
    }


def _risk_v3(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": n["amount"],
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "markPrice": n["mark"],
        "unRealizedProfit": n["profit"],
        "liquidationPrice": n["liquidation"],
        "isolatedMargin": n["isolated_margin"],
        "notional": n["notional"],
        "marginAsset": "USDT",
        "isolatedWallet": n["isolated_wallet"],
        "initialMargin": n["margin"],
        "maintMargin": n["maintenance"],
        "positionInitialMargin": n["margin"],
        "openOrderInitialMargin": n["orders"],
        "adl": 0,
        "bidNotional": n["bids"],
        "askNotional": n["asks"],
        "updateTime": position.updated_ms,
    }


def _position_v2(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "initialMargin": n["margin"],
        "maintMargin": n["maintenance"],
        "unrealizedProfit": n["profit"],
        "positionInitialMargin": n["margin"],
        "openOrderInitialMargin": n["orders"],
        "leverage": str(account.leverage(position.symbol)),
        "isolated": position.symbol in account.isolated,
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "maxNotional": MAX_NOTIONAL,
        "bidNotional": n["bids"],
        "askNotional": n["asks"],
        "positionSide": position.side.value,
        "positionAmt": n["amount"],
        "updateTime": position.updated_ms,
    }


def _position_v3(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": n["amount"],
        "unrealizedProfit": n["profit"],
        "isolatedMargin": n["isolated_margin"],
        "notional": n["notional"],
        "isolatedWallet": n["isolated_wallet"],
        "initialMargin": n["margin"],
        "maintMargin": n["maintenance"],
        "updateTime": position.updated_ms,
    }
