"""The two product lines as a table: endpoints, names, and the fields that only futures requests carry.

Spot and futures share one grammar; where they differ it is in these rows. `/api/v2/spot/...` and `/api/v2/mix/...`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import MarketKind, Side, Venue

MARGIN_ASSET: Final = "USDT"


@dataclass(frozen=True, slots=True)
class Product:
    """One product line. `name` is its `productType` and its `instType` on sockets; `fields` go with every request about
    orders, `business` names it where fees are asked for. `rows` is what a page of orders is called, `executions` what a
    page of fills; empty where the page is a bare list.
    """

    venue: Venue
    kind: MarketKind
    name: str
    business: str
    fields: Mapping[str, str]
    place: str
    cancel: str
    look_up: str
    pending: str
    fills: str
    plan_place: str
    plan_cancel: str
    plan_pending: str
    plan_history: str

    @property
    def is_spot(self) -> bool:
        """Whether coins change hands, with no position, margin or mode."""
        return self.kind is MarketKind.SPOT

    @property
    def scope(self) -> str:
        """Return what narrows a query to this line, with its ampersand."""
        return "" if self.is_spot else f"&productType={self.name}"


FUTURES: Final = Product(
    venue=Venue.BITGET_USDT_FUTURES,
    kind=MarketKind.LINEAR,
    name="USDT-FUTURES",
    business="mix",
    fields=MappingProxyType({"productType": "USDT-FUTURES", "marginCoin": MARGIN_ASSET}),
    place="/api/v2/mix/order/place-order",
    cancel="/api/v2/mix/order/cancel-order",
    look_up="/api/v2/mix/order/detail",
    pending="/api/v2/mix/order/orders-pending",
    fills="/api/v2/mix/order/fills",
    plan_place="/api/v2/mix/order/place-tpsl-order",
    plan_cancel="/api/v2/mix/order/cancel-plan-order",
    plan_pending="/api/v2/mix/order/orders-plan-pending",
    plan_history="/api/v2/mix/order/orders-plan-history",
)

SPOT: Final = Product(
    venue=Venue.BITGET_SPOT,
    kind=MarketKind.SPOT,
    name="SPOT",
    business="spot",
    fields=MappingProxyType({}),
    place="/api/v2/spot/trade/place-order",
    cancel="/api/v2/spot/trade/cancel-order",
    look_up="/api/v2/spot/trade/orderInfo",
    pending="/api/v2/spot/trade/unfilled-orders",
    fills="/api/v2/spot/trade/fills",
    plan_place="/api/v2/spot/trade/place-plan-order",
    plan_cancel="/api/v2/spot/trade/cancel-plan-order",
    plan_pending="/api/v2/spot/trade/current-plan-order",
    plan_history="/api/v2/spot/trade/history-plan-order",
)

SIDE_WORDS: Final[Mapping[Side, str]] = MappingProxyType({Side.BUY: "buy", Side.SELL: "sell"})
SIDES: Final[Mapping[str, Side]] = MappingProxyType({word: side for side, word in SIDE_WORDS.items()})
HEDGE_WORD: Final = "hedge_mode"
ONE_WAY_WORD: Final = "one_way_mode"
