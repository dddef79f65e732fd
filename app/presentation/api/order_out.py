"""An order as it is shown."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from app.domain.shared.execution import Leg
from app.domain.shared.market import Side, Venue
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState
from app.presentation.api.fields import Moment, Number, Outgoing, example

_ORDER: Final[dict[str, Any]] = {
    "client_order_id": "c0123456789abcdefghijklmne0",
    "signal_id": "0a4b5c6d-7e8f-8012-b456-7890abcdef12",
    "follow_id": 11,
    "account_id": 7,
    "leg": "ENTRY",
    "attempt": 0,
    "venue": "binance-usdm",
    "symbol": "BTC-USDT",
    "side": "BUY",
    "reduce_only": False,
    "quantity": "0.004",
    "executed": "0.004",
    "average_price": "64251.2",
    "state": "FILLED",
    "trade_state": "FILLED",
    "venue_order_id": "8389765",
    "code": None,
    "message": None,
    "created_at": "2026-03-01T12:00:00.300000Z",
}


class OrderOut(Outgoing):
    """One attempt at the venue. `executed` is the venue's cumulative figure; UNKNOWN means that evidence is being gathered."""

    model_config = example(**_ORDER)

    client_order_id: str
    signal_id: UUID
    follow_id: int
    account_id: int
    leg: Leg
    attempt: int
    venue: Venue
    symbol: str
    side: Side
    reduce_only: bool
    quantity: Number
    executed: Number
    average_price: Number | None
    state: OrderState
    trade_state: TradeState
    venue_order_id: str | None
    code: str | None
    message: str | None
    created_at: Moment


class OrderPage(Outgoing):
    """Orders, those of the newest signals first."""

    model_config = example(items=[_ORDER], next="1042.11.0.0")

    items: list[OrderOut]
    next: str | None
