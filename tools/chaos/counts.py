"""The count after the storm: what the exchange's own ledger holds, judged against what our books say. Pure.

Nothing is taken on trust from our side: an order that we do not know, an intent that executed twice and a position whose
leader has gone are all found on the exchange's rows.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

OUR_FORM: Final = re.compile(r"c[0-9a-z]{24}[ex][0-9a-z]")

OURS: Final = """
SELECT o.client_order_id, t.follow_id || '/' || t.signal_id || '/' || t.leg AS intent, t.quantity
  FROM orders o JOIN trades t USING (follow_id, signal_id, leg)
"""
LEAKS: Final = """
SELECT a.label FROM funds m JOIN accounts a ON a.id = m.account_id
 WHERE m.held <> coalesce((SELECT sum(t.hold_left) FROM trades t
                            WHERE t.account_id = m.account_id AND NOT t.settled AND t.state <> 'ABANDONED'), 0)
"""

LOTS: Final = """
SELECT p.follow_id, f.user_id, a.label, p.symbol, p.quantity, p.opened_at
  FROM positions p JOIN follows f ON f.id = p.follow_id JOIN accounts a ON a.id = p.account_id WHERE p.quantity <> 0
"""
CLOSES: Final = """
SELECT scope, symbol, side, created_at FROM signals
 WHERE source IN ('FOLLOWER', 'OPERATOR') AND action = 'CLOSE' AND fraction = 1
"""
"""What people asked to be closed as a whole: by a follow (`scope`), or by all of the leader's where there is none."""
TRADED: Final = """
SELECT t.follow_id, t.symbol, t.side, t.leg, t.executed, t.created_at FROM trades t WHERE t.executed > 0
 ORDER BY t.created_at
"""
"""What each follow bought and sold, in the order of its decisions."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Counts:
    """The breaches, each by the names of its examples; `audit` is what our own audit finds, `books` where the two differ."""

    duplicates: tuple[str, ...] = ()
    lost_closes: tuple[str, ...] = ()
    leaked_holds: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    books: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not any(getattr(self, one.name) for one in fields(self))

    def sentence(self) -> str:
        """Return the counts, and an example of each kind that was found."""
        parts = []
        for one in fields(self):
            found = getattr(self, one.name)
            example = f" ({found[0]})" if found else ""
            parts.append(f"{len(found)} {one.name.replace('_', ' ')}{example}")
        return ", ".join(parts)


def duplicates(orders: Rows, ours: Rows) -> tuple[str, ...]:
    """Return what executed more than once: one id twice at the exchange, or an intent beyond its quantity."""
    executed = [order for order in orders if Decimal(order["executed_quantity"]) > 0]
    ids = Counter((order["account_id"], order["client_order_id"]) for order in executed)
    found = [f"{cid} executed {number} times" for (_, cid), number in ids.items() if number > 1]
    known = {row["client_order_id"]: row for row in ours}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    wanted: dict[str, Decimal] = {}
    for order in executed:
        row = known.get(order["client_order_id"])
        if row is not None:
            sums[row["intent"]] += Decimal(order["executed_quantity"])
            wanted[row["intent"]] = row["quantity"]
    found += [
        f"intent {intent} executed {total} of {wanted[intent]}"
        for intent, total in sums.items()
        if total > wanted[intent]
    ]
    return tuple(found)


def orphans(orders: Rows, ours: Rows) -> tuple[str, ...]:
    """Return the ids of our form at the exchange that no attempt of ours bears."""
    known = {row["client_order_id"] for row in ours}
    return tuple(
        sorted(
            order["client_order_id"]
            for order in orders
            if OUR_FORM.fullmatch(order["client_order_id"]) and order["client_order_id"] not in known
        )
    )


def lost_closes(positions: Rows, leader: str) -> tuple[str, ...]:
    """Return the followers' positions on markets on which the leader has none, or stands on the other side."""
    held = [row for row in positions if Decimal(row["quantity"])]
    led = {_side(row) for row in held if row["account_id"] == leader}
    return tuple(
        f"{row['label']} holds {row['quantity']} {row['symbol']}"
        for row in held
        if row["account_id"] != leader and _side(row) not in led
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """A promise to leave what was opened before `at` (None: at any time), of one follow, of one user, or of everybody."""

    at: datetime | None = None
    follow: int | None = None
    user: int | None = None


def not_left(lots: Rows, closes: Rows, leavings: Sequence[Leaving], traded: Rows) -> tuple[str, ...]:
    """Return the lots that somebody asked to close, or stopped or halted with the promise to close, and that are still held.

    What was decided after a close is not for it to close, though the lot be the same: a close that had to wait leaves that. A
    follow that was stopped opens none. `traded` is in the order of its decisions.
    """
    found = []
    for lot in lots:
        asked = [
            close["created_at"]
            for close in closes
            if close["symbol"] == lot["symbol"]
            and close["side"] == _side_out(lot)
            and close["scope"] in (None, lot["follow_id"])
            and _holds_older(lot, close["created_at"], traded)
        ]
        promised = [
            leaving
            for leaving in leavings
            if leaving.follow in (None, lot["follow_id"])
            and leaving.user in (None, lot["user_id"])
            and (leaving.at is None or _holds_older(lot, leaving.at, traded))
        ]
        if asked or promised:
            found.append(
                f"follow {lot['follow_id']} of {lot['label']} holds {lot['quantity']} {lot['symbol']} since "
                f"{lot['opened_at']}, to be left: {asked[:1] or promised[:1]}"
            )
    return tuple(found)


def _holds_older(lot: Mapping[str, Any], at: datetime, traded: Rows) -> bool:
    """Return whether some of a lot was surely decided before `at`: what was sold since took of the older part first."""
    older = newer = Decimal(0)
    for row in traded:
        if (row["follow_id"], row["symbol"]) != (lot["follow_id"], lot["symbol"]):
            continue
        is_exit = row["leg"] == "EXIT"
        if is_exit != (row["side"] == _side_out(lot)):
            continue  # of a lot on the other side
        if not is_exit:
            older += row["executed"] if row["created_at"] <= at else 0
            newer += row["executed"] if row["created_at"] > at else 0
            continue
        beyond = max(row["executed"] - older, Decimal(0))
        older, newer = max(older - row["executed"], Decimal(0)), max(newer - beyond, Decimal(0))
    return bool(abs(lot["quantity"]) > newer)


def _side_out(lot: Mapping[str, Any]) -> str:
    return "SELL" if lot["quantity"] > 0 else "BUY"


def _side(row: Mapping[str, Any]) -> tuple[str, bool]:
    return row["symbol"], Decimal(row["quantity"]) > 0


def total(counts: Sequence[Counts]) -> Counts:
    """Return all counts as one."""
    return Counts(
        *(tuple(found for count in counts for found in getattr(count, one.name)) for one in fields(Counts))
    )
