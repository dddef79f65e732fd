"""Positions and wallets as queries and the stream show them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from simulator.bybit.categories import venue_name, word_of
from simulator.bybit.wire import INDEXES, SIDES, Json, average, money, plain
from simulator.engine.account import USDT, Account
from simulator.engine.margin import (
    available,
    locked,
    maintenance,
    position_margin,
    total_margin,
    unrealised,
)
from simulator.engine.order import ZERO, Side
from simulator.engine.position import Position
from simulator.engine.state import State


def position_json(state: State, account: Account, position: Position) -> Json:
    """Return a position; a flat one has no side. Worth and margin are in the asset that it settles in."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    held, worth = position.quantity, position.value(mark)
    isolated = position.symbol in account.isolated
    margin = position.margin if isolated else worth / account.leverage(position.symbol)
    entry = average(instrument, position.entry_price) or "0"
    return {
        "category": word_of(position.symbol),
        "positionIdx": INDEXES[position.side],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": venue_name(position.symbol),
        "side": "" if not held else SIDES[Side.BUY if held > 0 else Side.SELL],
        "size": plain(abs(held)),
        "avgPrice": entry,
        "entryPrice": entry,
        "positionValue": plain(position.value(position.entry_price)) if held else "0",
        "tradeMode": 1 if isolated else 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(account.leverage(position.symbol)),
        "markPrice": plain(mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": money(worth * instrument.maintenance_rate),
        "positionIM": money(margin),
        "positionBalance": money(margin),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "",
        "unrealisedPnl": money(position.unrealised(mark)),
        "curRealisedPnl": money(position.realised_pnl),
        "cumRealisedPnl": money(position.realised_pnl),
        "seq": state.ledger.last_seq,
        "isReduceOnly": False,
        "createdTime": str(account.created_ms),
        "updatedTime": str(position.updated_ms),
    }


def usd_price(state: State, asset: str) -> Decimal:
    """Return what one of an asset counts as collateral: a USDT one dollar, a listed coin its mark, others nothing."""
    if asset == USDT:
        return Decimal(1)
    symbol = f"{asset}{USDT}"
    return state.mark(symbol) if symbol in state.instruments else ZERO


def wallet_json(state: State, account: Account, assets: Iterable[str] | None = None) -> Json:
    """Return the unified wallet: its totals in USD over all coins, and the rows of some (None: of those held).

    With isolated margin the totals mean nothing and are empty.
    """
    held = [asset for asset, amount in account.wallets.items() if amount]
    told = held if assets is None else [asset for asset in assets if asset in account.wallets]
    totals = dict.fromkeys(("equity", "wallet", "available", "profit", "initial", "maintenance"), ZERO)
    for asset in held:
        price = usd_price(state, asset)
        profit = unrealised(state, account, asset)
        totals["wallet"] += account.wallets[asset] * price
        totals["profit"] += profit * price
        totals["equity"] += (account.wallets[asset] + profit) * price
        totals["available"] += max(ZERO, available(state, account, asset)) * price
        totals["initial"] += total_margin(state, account, asset) * price
        totals["maintenance"] += maintenance(state, account, asset) * price
    equity = totals["equity"]
    cross = not account.isolated

    def total(name: str) -> str:
        return money(totals[name]) if cross else ""

    return {
        "accountType": "UNIFIED",
        "accountIMRate": plain(round(totals["initial"] / equity, 4)) if equity > 0 and cross else "",
        "accountMMRate": plain(round(totals["maintenance"] / equity, 4)) if equity > 0 and cross else "",
        "accountLTV": "0",
        "totalEquity": money(equity),
        "totalWalletBalance": total("wallet"),
        "totalMarginBalance": total("equity"),
        "totalAvailableBalance": total("available"),
        "totalPerpUPL": total("profit"),
        "totalInitialMargin": total("initial"),
        "totalMaintenanceMargin": total("maintenance"),
        "coin": [_coin(state, account, asset) for asset in told],
    }


def _coin(state: State, account: Account, asset: str) -> Json:
    profit, margin = unrealised(state, account, asset), position_margin(state, account, asset)
    wallet = account.wallets[asset]
    return {
        "coin": asset,
        "equity": money(wallet + profit),
        "usdValue": money((wallet + profit) * usd_price(state, asset)),
        "walletBalance": money(wallet),
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": money(total_margin(state, account, asset) - margin),
        "totalPositionIM": money(margin),
        "totalPositionMM": money(maintenance(state, account, asset)),
        "unrealisedPnl": money(profit),
        "cumRealisedPnl": "0",
        "bonus": "0",
        "locked": money(locked(state, account, asset)),
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotBorrow": "0",
    }
