"""The comparison of books: what the exchange's own ledger holds against what our database holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.shared.ids import is_ours
from app.infrastructure.exchanges.hyperliquid.wire.ids import id_of
from tests.support.system import System

_OURS = """
SELECT o.client_order_id, o.venue_order_id, t.side, o.executed, t.reduce_only, o.state
  FROM orders o JOIN trades t USING (follow_id, signal_id, leg) JOIN signals s ON s.id = o.signal_id
 WHERE o.state NOT IN ('NOT_SENT', 'ABSENT', 'REJECTED') AND s.source <> 'EXTERNAL'
"""
_OUTSIDE = """
SELECT o.venue_order_id, sum(o.executed) AS executed FROM orders o JOIN signals s ON s.id = o.signal_id
 WHERE s.source = 'EXTERNAL' GROUP BY o.venue_order_id
"""
_WALLETS = """
SELECT a.label, f.wallet, f.held, f.margin,
       CASE WHEN a.venue LIKE '%-spot' THEN coalesce((SELECT sum(p.cost) FROM positions p WHERE p.account_id = a.id), 0)
            ELSE 0 END AS coins
  FROM funds f JOIN accounts a ON a.id = f.account_id
"""
_LOTS = """
SELECT a.label, p.symbol, sum(p.quantity) AS quantity FROM positions p JOIN accounts a ON a.id = p.account_id
 GROUP BY a.label, p.symbol HAVING sum(p.quantity) <> 0
"""
_LEDGER_SUMS = """
SELECT a.label, f.wallet - coalesce(sum(e.amount), 0) AS rest
  FROM funds f JOIN accounts a ON a.id = f.account_id LEFT JOIN ledger_entries e ON e.account_id = f.account_id
 GROUP BY a.label, f.wallet HAVING f.wallet <> coalesce(sum(e.amount), 0)
"""


async def books_differ(system: System, owned: Mapping[str, str] | None = None) -> list[str]:
    """Return every difference between the exchange's books and ours, in words; none when they are equal.

    Orders at the exchange whose ids have not our form are the owners': of them only what we booked as outside exits must
    be there. `owned` says what owners hold beside us, signed, by account label and market (`label BTCUSDT`).
    """
    operator = system.simulator.operator
    orders, fills, positions, balances = [
        await asyncio.to_thread(operator.ledger, name)
        for name in ("orders", "fills", "positions", "balances")
    ]
    leaders = system.leader_accounts
    differences: list[str] = []
    followers = [order for order in orders if order["account_id"] not in leaders]
    theirs = {_our_id(order): order for order in followers if is_ours(_our_id(order))}
    foreign = {order["order_id"]: order for order in followers if not is_ours(_our_id(order))}
    ours = {row["client_order_id"]: row for row in await system.rows(_OURS)}
    differences += [f"only at the exchange: {cid}" for cid in theirs.keys() - ours.keys()]
    differences += [f"only in our books: {cid}" for cid in ours.keys() - theirs.keys()]
    for cid in theirs.keys() & ours.keys():
        differences += _order_differs(cid, theirs[cid], ours[cid])
    for row in await system.rows(_OUTSIDE):
        order = foreign.get(_number(row["venue_order_id"]))
        if order is None or Decimal(order["executed_quantity"]) < row["executed"]:
            differences.append(f"an outside exit of no order at the exchange, or beyond it: {dict(row)}")
    booked = {
        _number(row["trade_id"].partition("~")[0]) for row in await system.rows("SELECT trade_id FROM fills")
    }
    executed = {
        fill["trade_id"]
        for fill in fills
        if fill["account_id"] not in leaders
        and (fill["order_id"] not in foreign or fill["trade_id"] in booked)
    }
    if booked != executed:
        differences.append(
            f"fills: {len(executed - booked)} only at the exchange, {len(booked - executed)} only ours"
        )
    differences += await _accounts_differ(system, positions, balances, leaders, owned or {})
    return differences


def _our_id(order: Any) -> str:
    """Return our own spelling of a client order id: Hyperliquid's is the same number in hex."""
    told: str = order["client_order_id"]
    return id_of(told) if told.startswith("0x") else told


def _number(told: str) -> int:
    """Return the exchange's own number behind an id as a venue's dialect spells it: a UUID, or digits with a prefix."""
    if "-" in told:
        return int(told.replace("-", "")[-16:], 16)
    return int(told) % 10**11


def _order_differs(cid: str, theirs: Any, ours: Any) -> list[str]:
    # At some venues a stop keeps its own number when it triggers; the exchange's ledger numbers what it became besides.
    numbers = {theirs["order_id"], theirs["conditional_id"]} - {0}
    same = (
        _number(ours["venue_order_id"]) in numbers
        and theirs["side"] == ours["side"]
        and Decimal(theirs["executed_quantity"]) == ours["executed"]
        # At spot there is no such flag: a sale is all that an exit can be.
        and (theirs["reduce_only"] == ours["reduce_only"] or theirs["symbol"].endswith(":SPOT"))
    )
    return [] if same else [f"order {cid}: exchange {theirs}, ours {dict(ours)}"]


def _coins_differ(balances: Any, newest: Any, ours: Any, leaders: frozenset[str]) -> list[str]:
    """Compare the coins of spot accounts: what was bought, beside what the owner brought."""
    found = []
    for (label, asset), row in newest.items():
        if asset in ("USDT", "USDC") or row["account_id"] in leaders:
            continue
        brought = sum(
            Decimal(each["amount"])
            for each in balances
            if (each["label"], each["asset"], each["kind"]) == (label, asset, "DEPOSIT")
        )
        lots = ours.get((label, f"{asset}USDT"), Decimal(0))
        if Decimal(row["balance"]) - brought != lots:
            found.append(f"{asset} of {label}: exchange {row['balance']} less {brought}, ours {lots}")
    return found


async def _accounts_differ(
    system: System, positions: Any, balances: Any, leaders: frozenset[str], owned: Mapping[str, str]
) -> list[str]:
    found: list[str] = []
    theirs = {
        (row["label"], row["symbol"]): Decimal(row["quantity"])
        for row in positions
        if Decimal(row["quantity"]) and row["account_id"] not in leaders
    }
    ours = {
        (row["label"], row["symbol"].replace("-", "")): row["quantity"] for row in await system.rows(_LOTS)
    }
    held = {key: lot for key, lot in ours.items() if "-spot-" not in key[0]}
    for label, symbol in (name.rsplit(" ", 1) for name in owned):
        both = held.get((label, symbol), Decimal(0)) + Decimal(owned[f"{label} {symbol}"])
        held[label, symbol] = both
    if theirs != {key: lot for key, lot in held.items() if lot}:
        found.append(f"positions: exchange {theirs}, ours {ours}")
    wallets = {row["label"]: row for row in await system.rows(_WALLETS)}
    # The ledger is in order: the last row of an account and asset stands.
    newest = {(row["label"], row["asset"]): row for row in balances}
    found += _coins_differ(balances, newest, ours, leaders)
    for row in (row for (_, asset), row in newest.items() if asset == "USDT"):
        mine = wallets.get(row["label"])
        if row["account_id"] in leaders or mine is None:
            continue
        if mine["wallet"] - mine["coins"] != Decimal(row["balance"]):
            found.append(f"wallet of {row['label']}: exchange {row['balance']}, ours {dict(mine)}")
    holding = [label for label, row in wallets.items() if row["held"] != 0]
    if holding:
        found.append(f"funds still held though nothing is open: {holding[:5]}")
    found += [f"ledger of {row['label']} is off by {row['rest']}" for row in await system.rows(_LEDGER_SUMS)]
    return found
