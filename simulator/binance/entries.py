"""Orders as an owner sees them: what is in the book, and at spot also what waits for its price.

There a conditional order is an order of the order endpoint. When its price is reached it keeps its number and its client
order id, so that the order which the engine makes of it is shown under the number of the conditional one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.engine.account import Account
from simulator.engine.conditional import Conditional, ConditionalStatus
from simulator.engine.conditional_desk import ConditionalDesk
from simulator.engine.order import Order, Origin
from simulator.engine.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Entry:
    """An order, a conditional order that waits or has ended, or both when one became the other."""

    order: Order | None
    conditional: Conditional | None = None

    @property
    def number(self) -> int:
        """Return the id that its owner knows."""
        if self.conditional is not None:
            return self.conditional.algo_id
        assert self.order is not None
        return self.order.order_id

    @property
    def symbol(self) -> str:
        """Return the engine symbol."""
        if self.order is not None:
            return self.order.symbol
        assert self.conditional is not None
        return self.conditional.request.symbol

    @property
    def is_open(self) -> bool:
        """Say whether it can still execute, or waits."""
        if self.order is not None:
            return self.order.is_open
        return self.conditional is not None and self.conditional.status is ConditionalStatus.NEW

    @property
    def created_ms(self) -> int:
        """Return when its owner placed it."""
        if self.conditional is not None:
            return self.conditional.created_ms
        return self.order.created_ms if self.order is not None else 0

    def visible(self, now_ms: int) -> bool:
        """Say whether look-ups show it: not before the visibility lag is over."""
        return self.order is None or self.order.visible_ms <= now_ms


def entry_of(desk: ConditionalDesk, account: Account, order: Order, *, keeps: bool) -> Entry:
    """Return an order with the conditional one that it came from, where the market keeps those."""
    if keeps and order.origin is Origin.CONDITIONAL:
        return Entry(order, desk.find(account, None, order.client_order_id))
    return Entry(order)


def find_entry(ctx: Context) -> Entry | None:
    """Return what orderId or origClientOrderId names, or None; orderId rules when both are given."""
    params, account, family = ctx.params, ctx.account, ctx.family
    symbol = ctx.instrument.symbol
    number, name = params.optional_integer("orderId"), params.optional("origClientOrderId")
    if number is None and name is None:
        raise ApiError(
            -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        )
    if family.keeps_conditionals:
        conditional = ctx.exchange.conditionals.find(account, number, name)
        if conditional is not None and conditional.request.symbol == symbol:
            return Entry(conditional.order, conditional)
    found = account.orders.get(number) if number is not None else account.client_ids.get(name or "")
    return Entry(found) if found is not None and found.symbol == symbol else None


def entries(ctx: Context) -> Iterator[Entry]:
    """Yield everything the account ever ordered in this market, oldest first as the engine counts."""
    desk, family = ctx.exchange.conditionals, ctx.family
    if family.keeps_conditionals:
        for conditional in desk.of(ctx.account):
            if family.has(conditional.request.symbol):
                yield Entry(conditional.order, conditional)
    for order in ctx.account.orders.values():
        triggered = family.keeps_conditionals and order.origin is Origin.CONDITIONAL
        if family.has(order.symbol) and not triggered:
            yield Entry(order)


def number_of(ctx: Context, order_id: int) -> int:
    """Return the id that the owner of an order knows it by."""
    order = ctx.account.orders[order_id]
    keeps = ctx.family.keeps_conditionals
    return entry_of(ctx.exchange.conditionals, ctx.account, order, keeps=keeps).number


def refuse_duplicate(ctx: Context, client_order_id: str) -> None:
    """Refuse an id that an open order or a waiting one bears: where the market keeps both, they share their ids."""
    if not client_order_id or not ctx.family.keeps_conditionals:
        return
    earlier = ctx.account.client_ids.get(client_order_id)
    waiting = ctx.exchange.conditionals.live(ctx.account)
    if (earlier is not None and earlier.is_open) or any(c.client_algo_id == client_order_id for c in waiting):
        raise Refusal(Reason.DUPLICATE_CLIENT_ID)


def cancel_entry(ctx: Context, entry: Entry | None) -> Entry:
    """Cancel what is open or waits; refuse what is not."""
    if entry is not None and entry.order is None:
        return Entry(None, ctx.exchange.conditionals.cancel(ctx.account, entry.conditional))
    ctx.exchange.desk.cancel(ctx.account, entry.order if entry is not None else None)
    assert entry is not None
    return entry
