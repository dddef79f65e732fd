"""Orders and triggers as the venue shows them: a trigger is an order too, and keeps its number when it becomes one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.conditional import STOP_KINDS, Conditional, ConditionalStatus
from simulator.engine.exchange import Exchange
from simulator.engine.order import Order, OrderType, Origin, Status, TimeInForce
from simulator.hyperliquid.wire import SIDES, Json, cloid_of, coin_of, dec, size

TIMES = {
    TimeInForce.GTC: "Gtc",
    TimeInForce.IOC: "Ioc",
    TimeInForce.GTX: "Alo",
    TimeInForce.FOK: "Ioc",
}
ORDERS_FROM = 10_000_000
"""Numbers below are those of triggers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One order: what it was as a trigger, what it became, or both."""

    conditional: Conditional | None
    order: Order | None

    @property
    def oid(self) -> int:
        """Return its number."""
        if self.conditional is not None:
            return self.conditional.algo_id
        assert self.order is not None
        return self.order.order_id

    @property
    def symbol(self) -> str:
        """Return the engine's name of its market."""
        if self.order is not None:
            return self.order.symbol
        assert self.conditional is not None
        return self.conditional.request.symbol

    @property
    def created_ms(self) -> int:
        """Return when it was placed."""
        if self.conditional is not None:
            return self.conditional.created_ms
        assert self.order is not None
        return self.order.created_ms

    @property
    def changed_ms(self) -> int:
        """Return when it last changed."""
        if self.order is not None:
            return self.order.updated_ms
        assert self.conditional is not None
        return self.conditional.updated_ms

    @property
    def visible_ms(self) -> int:
        """Return from when on questions may find it."""
        if self.order is not None and self.conditional is None:
            return self.order.visible_ms
        return 0

    @property
    def is_open(self) -> bool:
        """Say whether it rests or waits."""
        if self.order is not None:
            return self.order.is_open
        return self.conditional is not None and self.conditional.status is ConditionalStatus.NEW

    @property
    def word(self) -> str:
        """Return the venue's word for how it stands."""
        if self.order is not None:
            return _order_word(self.order)
        assert self.conditional is not None
        return _trigger_word(self.conditional)


def _order_word(order: Order) -> str:
    if order.is_open:
        return "open"
    if order.status is Status.FILLED:
        return "filled"
    if order.status is Status.CANCELED:
        return "canceled"
    if order.time_in_force is TimeInForce.IOC and not order.executed:
        return "iocCancelRejected"
    return "reduceOnlyCanceled" if order.reduce_only else "canceled"


def _trigger_word(conditional: Conditional) -> str:
    status = conditional.status
    if status is ConditionalStatus.NEW:
        return "open"
    if status is ConditionalStatus.REJECTED:
        return "reduceOnlyRejected"
    if status is ConditionalStatus.EXPIRED:
        return "liquidatedCanceled"
    return "canceled" if status is ConditionalStatus.CANCELED else "triggered"


def of_order(exchange: Exchange, account: Account, order: Order) -> Shown:
    """Return an order with the trigger that it was, if it was one."""
    if order.origin is not Origin.CONDITIONAL:
        return Shown(None, order)
    return Shown(exchange.conditionals.find(account, None, order.client_order_id), order)


def by_number(exchange: Exchange, account: Account, oid: int) -> Shown | None:
    """Return the order of a number."""
    if oid >= ORDERS_FROM:
        order = account.orders.get(oid)
        return None if order is None or order.origin is Origin.CONDITIONAL else Shown(None, order)
    conditional = exchange.conditionals.find(account, oid, None)
    return None if conditional is None else Shown(conditional, conditional.order)


def by_cloid(exchange: Exchange, account: Account, cloid: str) -> Shown | None:
    """Return the latest order of a cloid, which the venue does not keep from being used again."""
    order = account.client_ids.get(cloid)
    if order is not None:
        return of_order(exchange, account, order)
    conditional = exchange.conditionals.find(account, None, cloid)
    return None if conditional is None else Shown(conditional, conditional.order)


def shown(exchange: Exchange, account: Account, symbols: set[str]) -> Iterator[Shown]:
    """Yield every order and trigger of some markets, oldest first."""
    for conditional in exchange.conditionals.of(account):
        if conditional.request.symbol in symbols:
            yield Shown(conditional, conditional.order)
    for order in account.orders.values():
        if order.symbol in symbols and order.origin is not Origin.CONDITIONAL:
            yield Shown(None, order)


def basic_json(exchange: Exchange, found: Shown) -> Json:
    """Return an order as the stream's updates show it."""
    order, conditional = found.order, found.conditional
    request = order if order is not None else conditional.request if conditional is not None else None
    assert request is not None
    left = order.remaining if order is not None else request.quantity
    row: Json = {
        "coin": coin_of(exchange.state.instruments[found.symbol]),
        "side": SIDES[request.side],
        "limitPx": dec(_limit(found)),
        "sz": size(left),
        "oid": found.oid,
        "timestamp": found.created_ms,
        "origSz": size(request.quantity),
    }
    client_id = order.client_order_id if order is not None else ""
    cloid = cloid_of(client_id or (conditional.client_algo_id if conditional is not None else ""))
    if cloid is not None:
        row["cloid"] = cloid
    if request.reduce_only:
        row["reduceOnly"] = True
    return row


def full_json(exchange: Exchange, found: Shown) -> Json:
    """Return an order as questions show it."""
    conditional = found.conditional
    basic = basic_json(exchange, found)
    waits = conditional is not None and found.order is None
    kind, tif = _kind(found)
    return {
        **basic,
        "triggerCondition": _condition(conditional) if conditional is not None and waits else "N/A",
        "isTrigger": waits,
        "triggerPx": dec(conditional.trigger_price) if conditional is not None else "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": basic.get("reduceOnly", False),
        "orderType": kind,
        "tif": tif,
        "cloid": basic.get("cloid"),
    }


def _limit(found: Shown) -> Decimal:
    if found.order is not None and found.conditional is None:
        return found.order.price
    assert found.conditional is not None
    return found.conditional.request.price or found.conditional.trigger_price


def _condition(conditional: Conditional) -> str:
    side = "above" if conditional.rises else "below"
    return f"Price {side} {conditional.trigger_price:f}"


def _kind(found: Shown) -> tuple[str, str | None]:
    conditional = found.conditional
    if conditional is not None:
        name = "Stop" if conditional.kind in STOP_KINDS else "Take Profit"
        return f"{name} {'Market' if conditional.request.type is OrderType.MARKET else 'Limit'}", None
    assert found.order is not None
    if found.order.type is OrderType.MARKET:
        return "Market", "FrontendMarket"
    return "Limit", TIMES[found.order.time_in_force]


def update_json(exchange: Exchange, found: Shown, word: str) -> Json:
    """Return an order with how it stands, as the stream's updates show it."""
    return {"order": basic_json(exchange, found), "status": word, "statusTimestamp": found.changed_ms}
