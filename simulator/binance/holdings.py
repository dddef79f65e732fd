"""What an account holds, as the venue shows it: balances, positions and the account summary, versions 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from simulator.binance.rest import Context
from simulator.binance.wire import Json, average_text, money, quantity_text
from simulator.engine.account import Account
from simulator.engine.margin import (
    available,
    maintenance,
    position_margin,
    symbol_margin,
    total_margin,
    unrealised,
)
from simulator.engine.order import ZERO, PositionSide, Side
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
    return [
        _risk_v2(ctx.exchange.state, ctx.account, position)
        for position in _legs(ctx, ctx.params.optional("symbol"))
    ]


def position_risk_v3(ctx: Context) -> object:
    """GET /fapi/v3/positionRisk: only symbols with a position or an open order."""
    state, account = ctx.exchange.state, ctx.account
    live = {position.symbol for position in account.live_positions()}
    live.update(order.symbol for order in account.open_orders.values())
    return [
        _risk_v3(state, account, position)
        for position in _legs(ctx, ctx.params.optional("symbol"))
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
    positions = [_position_v2(state, account, position) for position in _legs(ctx, None)]
    return {**head, **_totals(state, account), "positions": positions}


def account_v3(ctx: Context) -> object:
    """GET /fapi/v3/account: only live positions."""
    state, account = ctx.exchange.state, ctx.account
    positions = [_position_v3(state, account, position) for position in account.live_positions()]
    return {**_totals(state, account), "positions": positions}


def _legs(ctx: Context, symbol: str | None) -> Iterator[Position]:
    state, account = ctx.exchange.state, ctx.account
    symbols = list(state.instruments) if symbol is None else [state.instrument(symbol).symbol]
    sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge_mode else (PositionSide.BOTH,)
    for name in symbols:
        for side in sides:
            yield account.positions.get((name, side)) or Position(name, side)


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


def liquidation_price(state: State, account: Account, position: Position) -> Decimal:
    """Return the mark price at which this position alone, moving, would liquidate the account; zero when none."""
    if not position.quantity:
        return ZERO
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    rate, size = instrument.maintenance_rate, abs(position.quantity)
    others = unrealised(state, account) - position.unrealised(mark)
    owed = maintenance(state, account) - size * mark * rate
    price = (position.entry_price * position.quantity - account.wallet - others + owed) / (
        position.quantity - size * rate
    )
    return max(ZERO, price)


def _numbers(state: State, account: Account, position: Position) -> dict[str, str]:
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    margin = abs(position.quantity) * mark / account.leverage(position.symbol)
    orders = [o for o in account.open_orders.values() if o.symbol == position.symbol]
    bids = sum((o.remaining * o.price for o in orders if o.side is Side.BUY), ZERO)
    asks = sum((o.remaining * o.price for o in orders if o.side is Side.SELL), ZERO)
    tied = symbol_margin(account, position.symbol, mark) if orders or position.quantity else ZERO
    whole = position_margin_of(account, position.symbol, mark)
    return {
        "amount": quantity_text(instrument, position.quantity),
        "entry": average_text(instrument, position.entry_price),
        "mark": money(mark),
        "profit": money(position.unrealised(mark)),
        "notional": money(position.quantity * mark),
        "liquidation": average_text(instrument, liquidation_price(state, account, position)),
        "margin": money(margin),
        "maintenance": money(abs(position.quantity) * mark * instrument.maintenance_rate),
        "orders": money(tied - whole),
        "bids": money(bids),
        "asks": money(asks),
    }


def position_margin_of(account: Account, symbol: str, mark: Decimal) -> Decimal:
    """Return the initial margin of all legs of one symbol."""
    legs = (p.quantity for p in account.live_positions() if p.symbol == symbol)
    return sum((abs(quantity) for quantity in legs), ZERO) * mark / account.leverage(symbol)


def _risk_v2(state: State, account: Account, position: Position) -> Json:
    n = _numbers(state, account, position)
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
        "marginType": "isolated" if position.symbol in account.isolated else "cross",
        "isolatedMargin": "0.00000000",
        "isAutoAddMargin": "false",
        "positionSide": position.side.value,
        "notional": n["notional"],
        "isolatedWallet": "0",
        "updateTime": position.updated_ms,
        "isolated": position.symbol in account.isolated,
        "adlQuantile": 0,
    }


def _risk_v3(state: State, account: Account, position: Position) -> Json:
    n = _numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": n["amount"],
        "entryPrice": n["entry"],
        "breakEvenPrice": n["entry"],
        "markPrice": n["mark"],
        "unRealizedProfit": n["profit"],
        "liquidationPrice": n["liquidation"],
        "isolatedMargin": "0",
        "notional": n["notional"],
        "marginAsset": "USDT",
        "isolatedWallet": "0",
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
    n = _numbers(state, account, position)
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
    n = _numbers(state, account, position)
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": n["amount"],
        "unrealizedProfit": n["profit"],
        "isolatedMargin": "0",
        "notional": n["notional"],
        "isolatedWallet": "0",
        "initialMargin": n["margin"],
        "maintMargin": n["maintenance"],
        "updateTime": position.updated_ms,
    }
