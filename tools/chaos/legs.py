"""The matrix's columns of orders: an entry, an addition and an exit of every follower, each struck by its own fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from tests.support.books import books_differ
from tests.support.system import Follower, System, until
from tools.chaos.cells import Cell
from tools.chaos.convergence import converged
from tools.chaos.counts import OURS, duplicates, orphans
from tools.chaos.faults import Fault
from tools.chaos.scene import WITHIN_S, books_agree, exchange_fails, programs
from tools.chaos.stage import Stage

_MOVES: Final = {"entry": ("BUY", "0.100"), "add": ("BUY", "0.100"), "exit": ("SELL", "0.200")}
_SETTLED: Final = """
SELECT a.label, t.state, t.attempt + 1 AS attempts
  FROM trades t JOIN signals s ON s.id = t.signal_id JOIN accounts a ON a.id = t.account_id
 WHERE s.seq > :before AND t.settled
"""
_LAST: Final = "SELECT max(seq) FROM signals"
_SINCE: Final = "SELECT client_order_id FROM orders JOIN signals s ON s.id = signal_id WHERE s.seq > :before"


async def orders(set_up: Stage, mode: str, wave: Sequence[Fault]) -> list[Cell]:
    """Let the leader open, add and close, and return what became of each account's copy."""
    cells: list[Cell] = []
    accounts = dict(zip(set_up.followers, wave, strict=False))
    async with programs(set_up, wave):
        for leg in _MOVES:
            cells += await _leg(set_up, mode, leg, accounts)
    return cells


async def _leg(set_up: Stage, mode: str, leg: str, accounts: Mapping[Follower, Fault]) -> list[Cell]:
    system = set_up.system
    settled: dict[str, float] = {}
    end, late_s = "settled", 0.0
    side, quantity = _MOVES[leg]
    before = await system.value(_LAST)
    async with exchange_fails(set_up, mode, accounts):
        began = time.monotonic()
        await asyncio.to_thread(system.lead, side, quantity)
        watching = asyncio.create_task(_settling(system, before, began, settled))
        try:
            await converged(system, WITHIN_S)
            if not await books_agree(
                system
            ):  # an order that was given up for absent is on its way to the books
                await until(lambda: books_agree(system), WITHIN_S)
                late_s = time.monotonic() - began
        except AssertionError as error:
            end = str(error)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    seconds = {label: max(late_s, seen) for label, seen in settled.items()}
    return await _cells(set_up, (mode, leg, end), accounts, before, seconds)


async def _settling(system: System, before: int, began: float, settled: dict[str, float]) -> None:
    """Note when each account's trade is first seen settled; until cancelled."""
    while True:
        for row in await system.rows(_SETTLED, before=before):
            settled.setdefault(row["label"], time.monotonic() - began)
        await asyncio.sleep(0.03)


async def _cells(
    set_up: Stage,
    where: tuple[str, str, str],
    accounts: Mapping[Follower, Fault],
    before: int,
    seconds: Mapping[str, float],
) -> list[Cell]:
    system, (mode, leg, end) = set_up.system, where
    settled = {row["label"]: row for row in await system.rows(_SETTLED, before=before)}
    labels = {row["id"]: row["label"] for row in await system.rows("SELECT id, label FROM accounts")}
    ledger = await asyncio.to_thread(system.simulator.operator.ledger, "orders")
    theirs = [order for order in ledger if order["account_id"] != system.leader["account_id"]]
    ids = {row["client_order_id"] for row in await system.rows(_SINCE, before=before)}
    every = await system.rows(OURS)
    equal = not (await books_differ(system) or duplicates(theirs, every) or orphans(theirs, every))
    cells = []
    for follower, fault in accounts.items():
        label = labels[follower.account_id]
        row = settled.get(label)
        executed = [
            order
            for order in theirs
            if order["account_id"] == follower.simulator_account
            and order["client_order_id"] in ids
            and Decimal(order["executed_quantity"]) > 0
        ]
        cells.append(
            Cell(
                fault=fault.name,
                uniqueness=mode,
                leg=leg,
                orders=len(executed),
                attempts=row["attempts"] if row else 0,
                seconds=round(seconds.get(label, WITHIN_S), 2),
                equal=equal,
                end=end if row is not None else "not settled",
            )
        )
    return cells
