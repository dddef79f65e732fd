"""How the venue's three markets differ, as a table: addresses, writers and readers. A gateway reads its row and has no
other way to know which market it is on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from app.domain.exchanges.outcomes import Outcome
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Venue
from app.infrastructure.exchanges.binance.wire import (
    algo,
    orders,
    spot_accounts,
    spot_orders,
    trades,
)
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import Names

_DAY_MS: Final = 86_400_000
ReadOrder: TypeAlias = Callable[[Instrument, str, bytes], OrderReport]


@dataclass(frozen=True, slots=True)
class Protections:
    """How protections are spoken of. Where `read_cancelled` is None the reply to a cancellation is their last report;
    else it says no more than yes, and the report is looked up.
    """

    path: str
    open_path: str
    protect_text: Callable[[PlaceProtection], str]
    outcome: Callable[[PlaceProtection, int, bytes, str | None], ProtectionOutcome]
    name_text: Callable[[Instrument, ClientOrderId], str]
    read: Callable[[Instrument, ClientOrderId, bytes], ProtectionReport]
    read_open: Callable[[bytes, Names], list[ProtectionReport]]
    read_cancelled: Callable[[Instrument, ClientOrderId, bytes], None] | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One market's words. `trades_window_ms` is how long a time executions may be asked for at once, `trades_page` how
    many rows a page has at most; `collateral` is the wallet that orders are paid from, None where each market has its
    own coin.
    """

    root: str
    place_text: Callable[[PlaceOrder], str]
    outcome: Callable[[PlaceOrder, int, bytes, str | None], Outcome]
    read_order: ReadOrder
    read_own: ReadOrder
    read_orders: Callable[[bytes, Names], list[OrderReport]]
    read_fills: Callable[[Instrument, bytes, Rates], list[Fill]]
    protections: Protections
    trades: str
    trades_window_ms: int
    collateral: str | None
    trades_page: int = 1000
    balances: str = ""
    positions: str = ""

    @property
    def order(self) -> str:
        """The endpoint of orders."""
        return self.root + "/order"


def _by_venue_id(read: Callable[..., OrderReport]) -> ReadOrder:
    return lambda instrument, name, body: read(instrument, name, body, ours=False)


def _algo(venue: Venue, root: str) -> Protections:
    return Protections(
        path=root + "/algoOrder",
        open_path=root + "/openAlgoOrders",
        protect_text=algo.protect_text,
        outcome=algo.protect_outcome,
        name_text=algo.name_text,
        read=algo.read_protection,
        read_open=lambda body, names: algo.read_open(body, names, venue),
        read_cancelled=algo.read_cancelled,
    )


_SPOT: Final = Protections(
    path="/api/v3/order",
    open_path="/api/v3/openOrders",
    protect_text=spot_orders.protect_text,
    outcome=spot_orders.protect_outcome,
    name_text=orders.order_text,
    read=spot_orders.read_protection,
    read_open=spot_orders.read_open,
)

DIALECTS: Final[Mapping[Venue, Dialect]] = MappingProxyType(
    {
        Venue.BINANCE_USDM: Dialect(
            root="/fapi/v1",
            place_text=orders.place_text,
            outcome=orders.outcome,
            read_order=_by_venue_id(orders.read_order),
            read_own=orders.read_order,
            read_orders=lambda body, names: orders.read_orders(body, names, Venue.BINANCE_USDM),
            read_fills=trades.read_fills,
            protections=_algo(Venue.BINANCE_USDM, "/fapi/v1"),
            trades="/fapi/v1/userTrades",
            trades_window_ms=7 * _DAY_MS - 1,
            collateral="USDT",
            balances="/fapi/v3/balance",
            positions="/fapi/v2/positionRisk",
        ),
        # The page is the smaller of the two figures that the venue's documents and its own client give (100 and 1000):
        # a page cut short would end the paging early.
        Venue.BINANCE_COINM: Dialect(
            root="/dapi/v1",
            place_text=orders.place_text,
            outcome=orders.outcome,
            read_order=_by_venue_id(orders.read_order),
            read_own=orders.read_order,
            read_orders=lambda body, names: orders.read_orders(body, names, Venue.BINANCE_COINM),
            read_fills=trades.read_fills,
            protections=_algo(Venue.BINANCE_COINM, "/dapi/v1"),
            trades="/dapi/v1/userTrades",
            trades_window_ms=7 * _DAY_MS - 1,
            collateral=None,
            trades_page=100,
            balances="/dapi/v1/balance",
            positions="/dapi/v1/positionRisk",
        ),
        Venue.BINANCE_SPOT: Dialect(
            root="/api/v3",
            place_text=spot_orders.place_text,
            outcome=spot_orders.outcome,
            read_order=_by_venue_id(spot_orders.read_order),
            read_own=spot_orders.read_order,
            read_orders=spot_orders.read_orders,
            read_fills=spot_accounts.read_fills,
            protections=_SPOT,
            trades="/api/v3/myTrades",
            trades_window_ms=_DAY_MS - 1,
            collateral=spot_accounts.QUOTE,
        ),
    }
)
