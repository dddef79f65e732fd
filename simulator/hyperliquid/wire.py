"""Engine values as the venue writes them: coins, numbers as text, fills, positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.margin import (
    available,
    cross_balance,
    maintenance,
    position_margin,
    unrealised,
)
from simulator.engine.order import Fill, Order, Origin, PositionSide, Side
from simulator.engine.position import Position
from simulator.engine.state import State

Json = dict[str, object]
SIDES = {Side.BUY: "B", Side.SELL: "A"}
ZERO = Decimal(0)
THOUSAND = "1000"


def dec(value: Decimal) -> str:
    """Write a number as the venue does: plain, with one decimal at least."""
    text = f"{value.normalize():f}" if value else "0"
    return text if "." in text else f"{text}.0"


def size(value: Decimal) -> str:
    """Write a quantity."""
    return dec(value)


def coin_of(instrument: Instrument) -> str:
    """Return the venue's name of a market: a thousand coins of one kind begin with k."""
    base = instrument.base
    return f"k{base.removeprefix(THOUSAND)}" if base.startswith(THOUSAND) else base


def universe(state: State) -> list[Instrument]:
    """Return the markets of this dialect; the place of each is its number."""
    return [instrument for instrument in state.listed(Kind.LINEAR) if instrument.quote == "USDT"]


def cloid_of(client_order_id: str) -> str | None:
    """Return the cloid of an order, None when its owner gave none."""
    return client_order_id if client_order_id.startswith("0x") else None


def mark_text(state: State, instrument: Instrument) -> str:
    """Write the mark price of a market."""
    return dec(state.mark(instrument.symbol))


def context_json(state: State, instrument: Instrument) -> Json:
    """Return the prices of a market."""
    mark = mark_text(state, instrument)
    return {
        "funding": dec(state.funding_rates.get(instrument.symbol, ZERO)),
        "openInterest": "0.0",
        "prevDayPx": mark,
        "dayNtlVlm": "0.0",
        "dayBaseVlm": "0.0",
        "premium": "0.0",
        "oraclePx": mark,
        "markPx": mark,
        "midPx": mark,
        "impactPxs": [mark, mark],
    }


def told(account: Account, symbols: set[str], now_ms: int) -> Iterator[tuple[Fill, Decimal]]:
    """Yield the visible fills of some markets, oldest first, each with the position before it."""
    held: dict[tuple[str, PositionSide], Decimal] = defaultdict(Decimal)
    for fill in account.fills:
        key = (fill.symbol, fill.position_side)
        before = held[key]
        held[key] += fill.quantity * fill.side.sign
        if fill.symbol in symbols and fill.visible_ms <= now_ms:
            yield fill, before


def fill_json(instrument: Instrument, order: Order, fill: Fill, before: Decimal, oid: int) -> Json:
    """Return an execution; `before` is the position that it met, `oid` the number of its order."""
    row: Json = {
        "coin": coin_of(instrument),
        "px": dec(fill.price),
        "sz": size(fill.quantity),
        "side": SIDES[fill.side],
        "time": fill.time_ms,
        "startPosition": size(before),
        "dir": _direction(before, fill.quantity * fill.side.sign),
        "closedPnl": dec(fill.realised_pnl),
        "hash": f"0x{fill.trade_id:064x}",
        "oid": oid,
        "crossed": not fill.maker,
        "fee": dec(fill.commission),
        "tid": fill.trade_id,
        "feeToken": "USDC",
        "twapId": None,
    }
    cloid = cloid_of(fill.client_order_id)
    if cloid is not None:
        row["cloid"] = cloid
    if order.origin is Origin.DELEVERAGING:
        row["dir"] = "Auto-Deleveraging"
    if order.origin is Origin.LIQUIDATION:
        row["liquidation"] = {"liquidatedUser": "", "markPx": dec(fill.price), "method": "market"}
    return row


def _direction(before: Decimal, change: Decimal) -> str:
    after = before + change
    if before * after < 0:
        return "Long > Short" if before > 0 else "Short > Long"
    leg = "Long" if (after or before) > 0 else "Short"
    return f"Open {leg}" if abs(after) > abs(before) else f"Close {leg}"


def leverage_json(state: State, account: Account, symbol: str) -> Json:
    """Return leverage and margin mode of a market."""
    value = account.leverage(symbol)
    if symbol not in account.isolated:
        return {"type": "cross", "value": value}
    margin = sum((p.margin for p in account.live_positions() if p.symbol == symbol), ZERO)
    return {"type": "isolated", "value": value, "rawUsd": dec(margin)}


def position_json(state: State, account: Account, position: Position) -> Json:
    """Return a position that is not flat."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    worth, profit = abs(position.quantity) * mark, _profit(state, position)
    used = position.margin or worth / account.leverage(position.symbol)
    entry = position.entry_price.quantize(Decimal("0.000001"))
    return {
        "type": "oneWay",
        "position": {
            "coin": coin_of(instrument),
            "szi": size(position.quantity),
            "leverage": leverage_json(state, account, position.symbol),
            "entryPx": dec(entry),
            "positionValue": dec(worth),
            "unrealizedPnl": dec(profit),
            "returnOnEquity": dec(round(profit / used, 8)) if used else "0.0",
            "liquidationPx": None,
            "marginUsed": dec(round(used, 8)),
            "maxLeverage": instrument.max_leverage,
            "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
        },
    }


def _profit(state: State, position: Position) -> Decimal:
    # An average entry may have no end in decimals; what is written of it has, and the account's worth is made of that.
    return round(position.unrealised(state.mark(position.symbol)), 8)


def state_json(state: State, account: Account | None) -> Json:
    """Return all of an account's perpetual side; an address that is nobody's holds nothing."""
    symbols = {instrument.symbol for instrument in universe(state)}
    if account is None:
        positions: list[Position] = []
        profit = worth = used = cross = upkeep = free = ZERO
    else:
        positions = [p for p in account.live_positions() if p.symbol in symbols]
        profit, used = sum((_profit(state, p) for p in positions), ZERO), position_margin(state, account)
        worth, cross = account.wallet + profit, cross_balance(state, account)
        cross += profit - unrealised(state, account)
        upkeep, free = maintenance(state, account, cross_only=True), max(ZERO, available(state, account))
    notional = sum((abs(p.quantity) * state.mark(p.symbol) for p in positions), ZERO)
    rows = [position_json(state, account, p) for p in positions if account is not None]
    return {
        "marginSummary": _summary(worth, notional, used),
        "crossMarginSummary": _summary(cross, notional, used),
        "crossMaintenanceMarginUsed": dec(round(upkeep, 8)),
        "withdrawable": dec(round(free, 8)),
        "assetPositions": rows,
        "time": state.now(),
    }


def _summary(value: Decimal, notional: Decimal, used: Decimal) -> Json:
    return {
        "accountValue": dec(value),
        "totalNtlPos": dec(notional),
        "totalRawUsd": dec(value - notional),
        "totalMarginUsed": dec(round(used, 8)),
    }
