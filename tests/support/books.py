"""The comparison of books: what the exchange's own ledger holds against what our database holds."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from tests.support.system import System

_OURS = """
SELECT o.client_order_id, o.venue_order_id, t.side, o.executed, t.reduce_only, o.state
  FROM orders o JOIN trades t USING (follow_id, signal_id, leg)
 WHERE o.state NOT IN ('NOT_SENT', 'ABSENT', 'REJECTED')
"""
_WALLETS = "SELECT a.label, f.wallet, f.held, f.margin FROM funds f JOIN accounts a ON a.id = f.account_id"
_LOTS = """
SELECT a.label, p.symbol, sum(p.quantity) AS quantity FROM positions p JOIN accounts a ON a.id = p.account_id
 GROUP BY a.label, p.symbol HAVING sum(p.quantity) <> 0
"""
_LEDGER_SUMS = """
SELECT a.label, f.wallet - coalesce(sum(e.amount), 0) AS rest
  FROM funds f JOIN accounts a ON a.id = f.account_id LEFT JOIN ledger_entries e ON e.account_id = f.account_id
 GROUP BY a.label, f.wallet HAVING f.wallet <> coalesce(sum(e.amount), 0)
"""


async def books_differ(system: System) -> list[str]:
    """Return every difference between the exchange's books and ours, in words; none when they are equal."""
    operator = system.simulator.operator
    orders, fills, positions, balances = [
        await asyncio.to_thread(operator.ledger, name)
        for name in ("orders", "fills", "positions", "balances")
    ]
    leader = system.leader.get("account_id")
    differences: list[str] = []
    theirs = {order["client_order_id"]: order for order in orders if order["account_id"] != leader}
    ours = {row["client_order_id"]: row for row in await system.rows(_OURS)}
    differences += [f"only at the exchange: {cid}" for cid in theirs.keys() - ours.keys()]
    differences += [f"only in our books: {cid}" for cid in ours.keys() - theirs.keys()]
    for cid in theirs.keys() & ours.keys():
        differences += _order_differs(cid, theirs[cid], ours[cid])
    booked = {(row["trade_id"]) for row in await system.rows("SELECT trade_id FROM fills")}
    executed = {str(fill["trade_id"]) for fill in fills if fill["account_id"] != leader}
    if booked != executed:
        differences.append(
            f"fills: {len(executed - booked)} only at the exchange, {len(booked - executed)} only ours"
        )
    differences += await _accounts_differ(system, positions, balances, leader)
    return differences


def _order_differs(cid: str, theirs: Any, ours: Any) -> list[str]:
    same = (
        str(theirs["order_id"]) == ours["venue_order_id"]
        and theirs["side"] == ours["side"]
        and Decimal(theirs["executed_quantity"]) == ours["executed"]
        and theirs["reduce_only"] == ours["reduce_only"]
    )
    return [] if same else [f"order {cid}: exchange {theirs}, ours {dict(ours)}"]


async def _accounts_differ(system: System, positions: Any, balances: Any, leader: str | None) -> list[str]:
    found: list[str] = []
    theirs = {
        (row["label"], row["symbol"]): Decimal(row["quantity"])
        for row in positions
        if Decimal(row["quantity"]) and row["account_id"] != leader
    }
    ours = {
        (row["label"], row["symbol"].replace("-", "")): row["quantity"] for row in await system.rows(_LOTS)
    }
    if theirs != ours:
        found.append(f"positions: exchange {theirs}, ours {ours}")
    wallets = {row["label"]: row for row in await system.rows(_WALLETS)}
    newest = {
        row["label"]: row for row in balances
    }  # the ledger is in order: the last row of an account stands
    for row in newest.values():
        mine = wallets.get(row["label"])
        if row["account_id"] != leader and mine is not None and mine["wallet"] != Decimal(row["balance"]):
            found.append(f"wallet of {row['label']}: exchange {row['balance']}, ours {mine['wallet']}")
    held = [label for label, row in wallets.items() if row["held"] != 0]
    if held:
        found.append(f"funds still held though nothing is open: {held[:5]}")
    found += [f"ledger of {row['label']} is off by {row['rest']}" for row in await system.rows(_LEDGER_SUMS)]
    return found
