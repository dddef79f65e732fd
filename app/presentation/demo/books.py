"""The comparison of our books with the exchange's own ledger: one for one, by the ids that both sides bear. Pure.

The exchange's ledger is the truth. Compared for each account of the run: orders by client order id, executions by
trade id, positions, wallet to the last decimal, and that nothing is still reserved; for the leader, executions by
trade id and positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from app.config.demo import FillLine, OrderLine, RunBooks

Row = Mapping[str, Any]

# What each state of ours says of the exchange's ledger; an empty set says that the order is not there.
_STATUSES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "FILLED": frozenset({"FILLED"}),
        "PARTIAL": frozenset({"PARTIALLY_FILLED"}),
        "OPEN": frozenset({"NEW"}),
        "CANCELED": frozenset({"CANCELED", "EXPIRED"}),
        "REJECTED": frozenset(),
        "NOT_SENT": frozenset(),
        "ABSENT": frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class ExchangeBooks:
    """Rows of the exchange's ledger as the operator API gives them, of the run's accounts only."""

    orders: Sequence[Row]
    fills: Sequence[Row]
    positions: Sequence[Row]
    accounts: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much was compared, and each difference as a sentence."""

    orders: int
    fills: int
    positions: int
    wallets: int
    leader_fills: int
    differences: Sequence[str]


def compare(ours: RunBooks, theirs: ExchangeBooks, accounts: Mapping[str, int], leader: str) -> Comparison:
    """Compare both sides; `accounts` maps the exchange's account ids to ours, `leader` is the leader's at the exchange."""
    followed = ExchangeBooks(
        [row for row in theirs.orders if row["account_id"] in accounts],
        [row for row in theirs.fills if row["account_id"] in accounts],
        [row for row in theirs.positions if row["account_id"] in accounts],
        [row for row in theirs.accounts if row["account_id"] in accounts],
    )
    leading = [row for row in theirs.fills if row["account_id"] == leader]
    found = [
        *_orders(ours.orders, followed.orders, accounts),
        *_fills(ours.fills, followed.fills, accounts),
        *_positions(ours, followed.positions, accounts),
        *_wallets(ours, followed.accounts, accounts),
        *_leader(ours, leading, [row for row in theirs.positions if row["account_id"] == leader]),
    ]
    return Comparison(
        orders=len(followed.orders),
        fills=len(followed.fills),
        positions=len(followed.positions),
        wallets=len(followed.accounts),
        leader_fills=len(leading),
        differences=found,
    )


def _orders(ours: Sequence[OrderLine], theirs: Sequence[Row], accounts: Mapping[str, int]) -> Iterator[str]:
    rows = {(accounts[row["account_id"]], row["client_order_id"]): row for row in theirs}
    if len(rows) != len(theirs):
        yield f"the exchange has {len(theirs) - len(rows)} orders with a client order id that another one bears too"
    for order in ours:
        row = rows.pop((order.account_id, order.client_order_id), None)
        name = f"order {order.client_order_id} of account {order.account_id}"
        statuses = _STATUSES.get(order.state)
        if statuses is None:
            yield f"{name}: our books do not know its outcome ({order.state})"
        elif row is None:
            if statuses:
                yield f"{name}: {order.state} in our books, unknown at the exchange"
        else:
            if row["status"] not in statuses:
                yield f"{name}: {order.state} in our books, {row['status']} at the exchange"
            yield from _differences(
                name,
                ("symbol", _venue(order.symbol), row["symbol"]),
                ("side", order.side, row["side"]),
                ("executed quantity", order.executed, Decimal(row["executed_quantity"])),
                ("reduce-only", order.reduce_only, row["reduce_only"]),
                ("venue order id", order.venue_order_id, str(row["order_id"])),
            )
    for (account, client_order_id), row in rows.items():
        yield (
            f"order {client_order_id or row['order_id']} of account {account}: "
            f"{row['status']} at the exchange ({row['origin']}), unknown in our books"
        )


def _fills(ours: Sequence[FillLine], theirs: Sequence[Row], accounts: Mapping[str, int]) -> Iterator[str]:
    rows = {(accounts[row["account_id"]], row["symbol"], str(row["trade_id"])): row for row in theirs}
    for fill in ours:
        row = rows.pop((fill.account_id, _venue(fill.symbol), fill.trade_id), None)
        name = f"trade {fill.trade_id} of account {fill.account_id}"
        if row is None:
            yield f"{name}: in our books, unknown at the exchange"
            continue
        yield from _differences(
            name,
            ("side", fill.side, row["side"]),
            ("price", fill.price, Decimal(row["price"])),
            ("quantity", fill.quantity, Decimal(row["quantity"])),
            ("fee", fill.fee, Decimal(row["commission"])),
            ("realised result", fill.realised, Decimal(row["realised_pnl"])),
        )
    for account, _, trade_id in rows:
        yield f"trade {trade_id} of account {account}: at the exchange, unknown in our books"


def _positions(ours: RunBooks, theirs: Sequence[Row], accounts: Mapping[str, int]) -> Iterator[str]:
    held = {(accounts[row["account_id"]], row["symbol"]): Decimal(row["quantity"]) for row in theirs}
    lots = {
        (int(account.account_id), _venue(symbol)): quantity
        for account in ours.accounts
        for symbol, quantity in account.positions.items()
    }
    for account, symbol in sorted(held.keys() | lots.keys()):
        yield from _differences(
            f"position of account {account} on {symbol}",
            ("quantity", lots.get((account, symbol), Decimal(0)), held.get((account, symbol), Decimal(0))),
        )


def _wallets(ours: RunBooks, theirs: Sequence[Row], accounts: Mapping[str, int]) -> Iterator[str]:
    wallets = {accounts[row["account_id"]]: Decimal(row["wallet"]) for row in theirs}
    for account in ours.accounts:
        wallet = wallets.pop(account.account_id, None)
        name = f"account {account.account_id}"
        if wallet is None:
            yield f"{name}: unknown at the exchange"
            continue
        yield from _differences(name, ("wallet", account.wallet, wallet))
        if account.held:
            yield f"{name}: {account.held:f} is still reserved though nothing is on its way"
    for unknown in wallets:
        yield f"account {unknown}: at the exchange, not among our followers"


def _leader(ours: RunBooks, fills: Sequence[Row], positions: Sequence[Row]) -> Iterator[str]:
    rows = {(row["symbol"], str(row["trade_id"])): row for row in fills}
    for fill in ours.leader_fills:
        row = rows.pop((_venue(fill.symbol), fill.trade_id), None)
        if row is None:
            yield f"the leader's trade {fill.trade_id}: in our books, unknown at the exchange"
            continue
        yield from _differences(
            f"the leader's trade {fill.trade_id}",
            ("side", fill.side, row["side"]),
            ("price", fill.price, Decimal(row["price"])),
            ("quantity", fill.quantity, Decimal(row["quantity"])),
        )
    for _, trade_id in rows:
        yield f"the leader's trade {trade_id}: at the exchange, never seen by us"
    held = {row["symbol"]: Decimal(row["quantity"]) for row in positions}
    known = {_venue(symbol): quantity for symbol, quantity in ours.leader_positions.items()}
    for symbol in sorted(held.keys() | known.keys()):
        yield from _differences(
            f"the leader's position on {symbol}",
            ("quantity", known.get(symbol, Decimal(0)), held.get(symbol, Decimal(0))),
        )


def _differences(name: str, *pairs: tuple[str, object, object]) -> Iterable[str]:
    return (
        f"{name}: {what} {_text(our)} in our books, {_text(their)} at the exchange"
        for what, our, their in pairs
        if our != their
    )


def _text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _venue(symbol: str) -> str:
    return symbol.replace("-", "")
