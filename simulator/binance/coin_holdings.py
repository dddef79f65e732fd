"""What an account holds, as COIN-M shows it: a wallet for each coin, and positions in contracts."""

from __future__ import annotations

from simulator.binance.families import venue_name
from simulator.binance.holdings import legs
from simulator.binance.position_numbers import numbers
from simulator.binance.rest import Context
from simulator.binance.wire import Json, money
from simulator.engine.account import Account
from simulator.engine.margin import (
    available,
    free,
    isolated_margin,
    maintenance,
    position_margin,
    total_margin,
    unrealised,
)
from simulator.engine.order import ZERO
from simulator.engine.position import Position
from simulator.engine.state import State


def _coins(ctx: Context) -> list[str]:
    return sorted({instrument.settle for instrument in ctx.exchange.state.listed(ctx.family.kind)})


def balance(ctx: Context) -> object:
    """GET /dapi/v1/balance: every coin, empty ones too."""
    state, account = ctx.exchange.state, ctx.account
    return [
        {
            "accountAlias": account.account_id[:6],
            "asset": coin,
            "balance": money(account.wallets.get(coin, ZERO)),
            "withdrawAvailable": money(free(state, account, coin)),
            "crossWalletBalance": money(
                account.wallets.get(coin, ZERO) - isolated_margin(state, account, coin)
            ),
            "crossUnPnl": money(unrealised(state, account, coin, cross_only=True)),
            "availableBalance": money(max(ZERO, available(state, account, coin))),
            "updateTime": state.now(),
        }
        for coin in _coins(ctx)
    ]


def position_risk(ctx: Context) -> object:
    """GET /dapi/v1/positionRisk: every contract, flat ones too."""
    state, account = ctx.exchange.state, ctx.account
    return [_risk(state, account, position) for position in legs(ctx)]


def account(ctx: Context) -> object:
    """GET /dapi/v1/account."""
    state, owner = ctx.exchange.state, ctx.account
    return {
        "feeTier": 0,
        "canTrade": owner.permissions.futures,
        "canDeposit": True,
        "canWithdraw": owner.permissions.withdrawals,
        "updateTime": 0,
        "assets": [_asset(state, owner, coin) for coin in _coins(ctx)],
        "positions": [_position(state, owner, position) for position in legs(ctx)],
    }


def _asset(state: State, account: Account, coin: str) -> Json:
    wallet, profit = account.wallets.get(coin, ZERO), unrealised(state, account, coin)
    tied, held = total_margin(state, account, coin), position_margin(state, account, coin)
    return {
        "asset": coin,
        "walletBalance": money(wallet),
        "unrealizedProfit": money(profit),
        "marginBalance": money(wallet + profit),
        "maintMargin": money(maintenance(state, account, coin)),
        "initialMargin": money(tied),
        "positionInitialMargin": money(held),
        "openOrderInitialMargin": money(max(ZERO, tied - held)),
        "crossWalletBalance": money(wallet - isolated_margin(state, account, coin)),
        "crossUnPnl": money(unrealised(state, account, coin, cross_only=True)),
        "availableBalance": money(max(ZERO, available(state, account, coin))),
        "maxWithdrawAmount": money(free(state, account, coin)),
        "updateTime": state.now(),
    }


def _risk(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": venue_name(position.symbol),
        "positionAmt": n["amount"],
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "markPrice": n["mark"],
        "unRealizedProfit": n["profit"],
        "liquidationPrice": n["liquidation"],
        "leverage": str(account.leverage(position.symbol)),
        "maxQty": "1000000",
        "marginType": n["margin_type"],
        "isolatedMargin": n["isolated_margin"],
        "isAutoAddMargin": "false",
        "positionSide": position.side.value,
        "notionalValue": n["notional"],
        "isolatedWallet": n["isolated_wallet"],
        "updateTime": position.updated_ms,
    }


def _position(state: State, account: Account, position: Position) -> Json:
    n = numbers(state, account, position)
    return {
        "symbol": venue_name(position.symbol),
        "positionAmt": n["amount"],
        "initialMargin": n["margin"],
        "maintMargin": n["maintenance"],
        "unrealizedProfit": n["profit"],
        "positionInitialMargin": n["margin"],
        "openOrderInitialMargin": n["orders"],
        "leverage": str(account.leverage(position.symbol)),
        "isolated": position.symbol in account.isolated,
        "positionSide": position.side.value,
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "maxQty": "1000000",
        "notionalValue": n["notional"],
        "isolatedWallet": n["isolated_wallet"],
        "updateTime": position.updated_ms,
    }
