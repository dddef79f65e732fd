"""What one exchange needs besides the library's unified interface, as data and small functions: a venue more is a value.

The library unifies names, not behaviour. A recipe states what differs where it matters: how our ids are spelled, what
bounds a late request, how an order is asked for by our id, which codes prove a refusal and which prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from app.domain.exchanges.outcomes import RefusalKind
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode
from app.domain.shared.ids import ClientOrderId

Row: TypeAlias = Mapping[str, object]
"""A structure of the library's unified interface: its fields as text, the exchange's own under `info`."""

Params: TypeAlias = Mapping[str, object]
LookUp: TypeAlias = Callable[[Any, str, str], Awaitable[Row | None]]
"""Asks (client, unified symbol, our id as the exchange spells it) for an order."""

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def same(text: str) -> str:
    """Spell an id as it is."""
    return text


def no_window(order_signed_ms: int, valid_ms: int) -> Params:
    """The exchange bounds nothing that we could set."""
    return NOTHING


def anything(payload: object) -> bool:
    """Take every answer but an empty object for one."""
    return payload != {}


def enveloped(*needed: str) -> Callable[[object], bool]:
    """Return a check that an answer has these fields: one without them is no answer, and must not read as an empty list."""

    def speaks(payload: object) -> bool:
        return isinstance(payload, dict) and all(name in payload for name in needed)

    return speaks


async def by_client_order_id(client: Any, symbol: str, spelled: str) -> Row | None:
    """Ask by the unified parameter."""
    found: Row = await client.fetch_order("", symbol, {"clientOrderId": spelled})
    return found


@dataclass(frozen=True, slots=True)
class Recipe:
    """One exchange.

    `quote` is the asset that the served perpetuals are quoted and settled in. `spell` writes our client order id as the
    exchange takes it, `heard` reads it back. `look_up` is None where orders cannot be asked for by our id; then
    `histories` (methods of the library, each giving the latest orders of a market) are the evidence. `window` gives the
    parameters that make the exchange refuse a late copy. `fill_window` is the longest stretch of executions that may be
    asked for at once, by `fill_until`, and `fill_page` how many it tells at most; without a window the exchange only
    goes backwards from `lastFillTime`. `kinds` are codes that prove a refusal and say why, `unknown` codes that prove
    nothing whatever class the library gives them, `duplicates` those of a client order id in use, `silent` HTTP statuses that ask for silence before any order is looked
    at. `wallet` names the
    field of the wallet without unrealised profit where the library's total holds it, `profit` that of an execution's
    profit, `executed_id` that of our id on an execution, `mark` that of a mark price on a ticker; `markets` and `marks` name the methods that list
    no more than is served. `leverage` are the
    parameters of each call that sets it (none: it cannot be set), `funding_apart` that funding must be asked for market by market, `rings` whether the library's
    socket serves as a bell, `unchanged` codes that say a setting was so already.
    """

    library_id: str
    quote: str = "USDT"
    options: Params = field(default_factory=dict)
    spell: Callable[[str], str] = same
    heard: Callable[[str], str] = same
    look_up: LookUp | None = by_client_order_id
    histories: tuple[str, ...] = ("fetch_closed_orders",)
    window: Callable[[int, int], Params] = no_window
    shape: Callable[[PlaceOrder, dict[str, object]], dict[str, object]] = lambda order, params: params
    speaks: Callable[[object], bool] = anything
    fill_window: timedelta | None = timedelta(days=7)
    fill_until: str = "until"
    fill_page: int = 100
    order_trades: bool = True
    kinds: Mapping[str, RefusalKind] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    silent: frozenset[int] = frozenset({418, 429})
    duplicates: frozenset[str] = frozenset()
    wallet: tuple[str, ...] = ()
    profit: tuple[str, ...] = ()
    executed_id: tuple[str, ...] = ()
    mark: tuple[str, ...] = ()
    markets: str = "fetch_markets"
    marks: str = "fetch_tickers"
    funding_apart: bool = False
    rings: bool = True
    hedges: bool = False
    margin_per_order: bool = False
    leverage: tuple[Params, ...] = (NOTHING,)
    unchanged: frozenset[str] = frozenset()
    position_mode: Callable[[Any], Awaitable[str]] | None = None
    key_facts: Callable[[Any], Awaitable[KeyFacts]] | None = None
    unbranded: frozenset[str] = frozenset()

    def plain_body(self, body: str) -> str:
        """Return a JSON body without the fields that carry the library's broker code; only where bodies are unsigned."""
        if not self.unbranded:
            return body
        try:
            fields = json.loads(body)
        except ValueError:
            return body
        if not isinstance(fields, dict) or not self.unbranded & fields.keys():
            return body
        return json.dumps({name: value for name, value in fields.items() if name not in self.unbranded})

    def unified(self, base: str) -> str:
        """Return the library's name of the perpetual on `base`."""
        return f"{base}/{self.quote}:{self.quote}"

    def is_ours(self, heard: str, client_order_id: ClientOrderId) -> bool:
        """Return whether an id that the exchange told is this one of ours."""
        return bool(heard) and (heard == self.spell(client_order_id) or self.heard(heard) == client_order_id)

    def params(self, order: PlaceOrder) -> dict[str, object]:
        """Return what the library is told besides market, type, side, amount and price."""
        params: dict[str, object] = {"clientOrderId": self.spell(order.client_order_id)}
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.type is OrderType.LIMIT:
            params["timeInForce"] = order.time_in_force.value
        if order.position_mode is PositionMode.HEDGE:
            params["hedged"] = True
        if self.margin_per_order:
            params["marginMode"] = order.margin_mode.value.lower()
        params.update(self.window(order.signed_ms, order.valid_ms))
        return self.shape(order, params)
