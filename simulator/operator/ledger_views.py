"""The ledger as rows of text: what the exchange knows to be true, for comparison from outside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from simulator.engine.account import Account
from simulator.engine.ledger import BalanceChange, Event
from simulator.engine.margin import available, locked, unrealised
from simulator.engine.order import Fill, Order
from simulator.engine.state import State

Row = dict[str, object]
MOST_ROWS = 10_000


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...
    @property
    def account_id(self) -> str: ...


N = TypeVar("N", bound=_Numbered)


def _page(items: Sequence[N], after: int, account_id: str | None, limit: int) -> Iterator[N]:
    """Yield the items after sequence number `after`; `items` are in order of theirs."""
    left = limit
    for index in range(bisect_right(items, after, key=lambda item: item.seq), len(items)):
        if left <= 0:
            return
        if account_id in (None, items[index].account_id):
            left -= 1
            yield items[index]


def orders(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return orders by the number they were accepted under, as they stand now."""
    label = _labels(state)
    return [
        _order(order, label(order.account_id))
        for order in _page(state.ledger.orders, after, account_id, limit)
    ]


def _labels(state: State) -> Callable[[str], str]:
    return lambda account_id: state.accounts[account_id].label if account_id in state.accounts else ""


def _order(order: Order, label: str) -> Row:
    return {
        "seq": order.seq,
        "account_id": order.account_id,
        "label": label,
        "order_id": order.order_id,
        "conditional_id": order.conditional_id,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "position_side": order.position_side.value,
        "type": order.type.value,
        "original_type": order.original_type,
        "time_in_force": order.time_in_force.value,
        "price": f"{order.price:f}",
        "quantity": f"{order.quantity:f}",
        "executed_quantity": f"{order.executed:f}",
        "average_price": f"{order.average_price:f}",
        "reduce_only": order.reduce_only,
        "status": order.status.value,
        "origin": order.origin.value,
        "received_ms": order.received_ms,
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
    }


def fills(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return executions."""
    label = _labels(state)
    return [
        _fill(fill, label(fill.account_id)) for fill in _page(state.ledger.fills, after, account_id, limit)
    ]


def _fill(fill: Fill, label: str) -> Row:
    return {
        "seq": fill.seq,
        "account_id": fill.account_id,
        "label": label,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "position_side": fill.position_side.value,
        "price": f"{fill.price:f}",
        "quantity": f"{fill.quantity:f}",
        "commission": f"{fill.commission:f}",
        "commission_asset": fill.commission_asset,
        "realised_pnl": f"{fill.realised_pnl:f}",
        "maker": fill.maker,
        "time_ms": fill.time_ms,
    }


def balances(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return wallet movements, each with the balance after it."""
    label = _labels(state)
    return [
        _change(item, label(item.account_id))
        for item in _page(state.ledger.balances, after, account_id, limit)
    ]


def _change(item: BalanceChange, label: str) -> Row:
    return {
        "seq": item.seq,
        "account_id": item.account_id,
        "label": label,
        "kind": item.kind,
        "asset": item.asset,
        "amount": f"{item.amount:f}",
        "balance": f"{item.balance:f}",
        "symbol": item.symbol,
        "reference": item.reference,
        "time_ms": item.time_ms,
    }


def events(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return the journal."""
    return [_event(item) for item in _page(state.ledger.events, after, account_id, limit)]


def _event(item: Event) -> Row:
    return {
        "seq": item.seq,
        "time_ms": item.time_ms,
        "kind": item.kind,
        "account_id": item.account_id,
        "symbol": item.symbol,
        "order_id": item.order_id,
        **item.data,
    }


def positions(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return the open positions now; they have no sequence numbers, so `after` counts rows to skip."""
    chosen = state.accounts.values() if account_id is None else [state.account(account_id)]
    rows = [row for account in chosen for row in _positions(state, account)]
    return rows[after : after + limit]


def _positions(state: State, account: Account) -> Iterator[Row]:
    for position in account.live_positions():
        mark = state.mark(position.symbol)
        yield {
            "account_id": account.account_id,
            "label": account.label,
            "symbol": position.symbol,
            "settle": state.instruments[position.symbol].settle,
            "position_side": position.side.value,
            "quantity": f"{position.quantity:f}",
            "entry_price": f"{position.entry_price:f}",
            "mark_price": f"{mark:f}",
            "unrealised_pnl": f"{position.unrealised(mark):f}",
            "realised_pnl": f"{position.realised_pnl:f}",
            "leverage": account.leverage(position.symbol),
            "isolated": position.symbol in account.isolated,
            "margin": f"{position.margin:f}",
            "updated_ms": position.updated_ms,
        }


def accounts(state: State, after: int, account_id: str | None, limit: int) -> list[Row]:
    """Return the accounts and their money now; no secrets. `after` counts rows to skip."""
    chosen = list(state.accounts.values()) if account_id is None else [state.account(account_id)]
    return [
        {
            "account_id": account.account_id,
            "label": account.label,
            "api_key": account.api_key,
            "wallet": f"{account.wallet:f}",
            "unrealised_pnl": f"{unrealised(state, account):f}",
            "available": f"{available(state, account):f}",
            "balances": {
                asset: {"wallet": f"{wallet:f}", "locked": f"{locked(state, account, asset):f}"}
                for asset, wallet in account.wallets.items()
            },
            "open_orders": len(account.open_orders),
            "hedge_mode": account.hedge_mode,
        }
        for account in chosen[after : after + limit]
    ]
