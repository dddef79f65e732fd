"""A transport that answers from a table, and each exchange's listing of one contract in its documented shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from app.domain.exchanges.requests import OrderType, PlaceOrder, TimeInForce
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import price, quantity
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.breaker import Breakers
from app.infrastructure.exchanges.budget import Bucket, LocalBudget
from app.infrastructure.exchanges.clock import VenueClock
from app.infrastructure.exchanges.generic.costs import WEIGHTS
from app.infrastructure.exchanges.generic.gateway import GenericGateway
from app.infrastructure.exchanges.generic.library import Library
from app.infrastructure.exchanges.generic.market import GenericMarket
from app.infrastructure.exchanges.generic.recipe import Recipe
from app.infrastructure.exchanges.generic.recipes import RECIPES
from app.infrastructure.exchanges.guard import Costs, VenueGuard
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.settings import BreakerSettings, RetrySettings, VenueSettings
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import Sockets

NOW_MS: Final = 1_790_000_000_000
CID: Final = "c0123456789abcdefghijklmne0"
Answer = tuple[int, Any] | Exception | Callable[["Request"], tuple[int, Any]]


@dataclass
class Request:
    """One request as it went out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def said(self) -> str:
        """Everything that could name somebody: address, headers and body."""
        return f"{self.url} {dict(self.headers)} {self.body}"


@dataclass
class Canned:
    """Answers by the end of a path; `sent` are the requests. An unknown path is 404."""

    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    __hash__ = object.__hash__

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float,
        leave_within_s: float | None = None,
    ) -> Reply:  # fmt: skip
        asked = Request(method, url, headers, (body or b"").decode())
        self.sent.append(asked)
        found = next(
            (made for end, made in self.answers.items() if f"{method} {asked.path}".endswith(end)), None
        )
        if isinstance(found, Exception):
            raise found
        status, payload = (404, {}) if found is None else found(asked) if callable(found) else found
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return Reply(status, {}, raw)

    async def warm(self, url: str, connections: int) -> int:
        return 0

    async def close(self) -> None:
        return None

    @property
    def changes(self) -> list[Request]:
        return [made for made in self.sent if made.method != "GET"]


class PlainVault:
    """Seals nothing."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return b""

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey("the-key", "dGhlLXNlY3JldA==", "passphrase")


@dataclass
class World:
    """One account at one exchange of the library, over canned answers."""

    venue: Venue
    transport: Canned
    shared: VenueShared
    library: Library
    gateway: GenericGateway
    market: GenericMarket

    async def order(self, side: Side = Side.BUY, **change: Any) -> PlaceOrder:
        symbol = Symbol(f"BTC-{self.library.recipe.quote}")
        instrument: Instrument = await self.shared.instruments.instrument(symbol)
        limit = change.pop("limit", "")
        return PlaceOrder(
            instrument, side, change.pop("size", quantity("0.02")), change.pop("reduce_only", False),
            ClientOrderId(CID), NOW_MS, 5000, OrderType.LIMIT if limit else OrderType.MARKET,
            price(limit) if limit else None, change.pop("tif", TimeInForce.GTC), **change,
        )  # fmt: skip


async def world(
    venue: Venue, recipe: Recipe | None = None, listing: Mapping[str, Answer] | None = None
) -> World:
    transport = Canned(dict(LISTINGS[venue] if listing is None else listing))
    settings = VenueSettings("", "")
    library = Library(recipe or RECIPES[venue], transport, settings)
    market = GenericMarket(venue, library)

    async def now_ms() -> int:
        return NOW_MS

    shared = VenueShared(
        venue=venue, settings=settings, transport=transport, sockets=Sockets(settings.stream),
        clock=VenueClock(settings.clock, now_ms), instruments=InstrumentTable(market.listing, lambda: 0.0),
        marks=MarkBook(lambda: 0), keys=KeyRing(PlainVault(), venue, 10),
        guard=VenueGuard(
            costs=Costs(WEIGHTS), retry=RetrySettings(), breakers=Breakers(BreakerSettings(), lambda: 0.0),
            budget=LocalBudget(lambda: 0.0), weight=Bucket("w", 1e6, 1e6, 0),
            orders=lambda account: Bucket("o", 1e6, 1e6, 0),
        ),
        now=lambda: datetime.fromtimestamp(NOW_MS / 1000, UTC), weight_limit=100, orders_limit=100,
    )  # fmt: skip
    await shared.clock.sample()
    gateway = GenericGateway(shared, library, AccountId(1), b"")
    return World(venue, transport, shared, library, gateway, market)


LISTINGS: Final[Mapping[Venue, Mapping[str, Answer]]] = {
    Venue.CCXT_GATE: {
        "GET /api/v4/futures/usdt/contracts": (
            200,
            [
                {
                    "name": "BTC_USDT", "type": "direct", "quanto_multiplier": "0.0001", "order_price_round": "0.1",
                    "order_size_min": 1, "order_size_max": 1000000, "mark_price_round": "0.01", "leverage_max": "100",
                    "leverage_min": "1", "maker_fee_rate": "-0.0001", "taker_fee_rate": "0.0005",
                    "mark_price": "64000", "in_delisting": False, "order_price_deviate": "0.5",
                }
            ],
        ),
    },
    Venue.CCXT_KUCOINFUTURES: {
        "GET /api/v1/contracts/active": (
            200,
            {
                "code": "200000",
                "data": [
                    {
                        "symbol": "XBTUSDTM", "type": "FFWCSX", "baseCurrency": "XBT", "quoteCurrency": "USDT",
                        "settleCurrency": "USDT", "maxOrderQty": 1000000, "maxPrice": 1000000.0, "lotSize": 1,
                        "tickSize": 0.1, "indexPriceTickSize": 0.01, "multiplier": 0.001, "makerFeeRate": 0.0002,
                        "takerFeeRate": 0.0006, "isInverse": False, "status": "Open", "maxLeverage": 125,
                        "expireDate": None, "nextFundingRateTime": 1000,
                    }
                ],
            },
        ),
    },
    Venue.CCXT_KRAKENFUTURES: {
        "GET /derivatives/api/v3/instruments": (
            200,
            {
                "result": "success",
                "instruments": [
                    {
                        "symbol": "PF_XBTUSD", "type": "flexible_futures", "tickSize": 1, "contractSize": 1,
                        "tradeable": True, "impactMidSize": 1, "maxPositionSize": 1000000,
                        "contractValueTradePrecision": 4, "fundingRateCoefficient": 8, "base": "BTC", "quote": "USD",
                    }
                ],
                "serverTime": "2026-09-21T13:33:20.000Z",
            },
        ),
    },
    Venue.CCXT_MEXC: {
        "GET /api/v1/contract/detail": (
            200,
            {
                "success": True, "code": 0,
                "data": [
                    {
                        "symbol": "BTC_USDT", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT",
                        "contractSize": 0.0001, "minLeverage": 1, "maxLeverage": 125, "priceScale": 1, "volScale": 0,
                        "priceUnit": 0.1, "volUnit": 1, "minVol": 1, "maxVol": 1000000, "takerFeeRate": 0.0002,
                        "makerFeeRate": 0, "state": 0,
                    }
                ],
            },
        ),
    },
    Venue.CCXT_BINGX: {
        "GET /openApi/swap/v2/quote/contracts": (
            200,
            {
                "code": 0, "msg": "",
                "data": [
                    {
                        "contractId": "100", "symbol": "BTC-USDT", "size": "0.0001", "quantityPrecision": 4,
                        "pricePrecision": 1, "feeRate": 0.0005, "makerFeeRate": 0.0002, "takerFeeRate": 0.0005,
                        "tradeMinLimit": 0, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2, "currency": "USDT",
                        "asset": "BTC", "status": 1, "apiStateOpen": "true", "apiStateClose": "true",
                    }
                ],
            },
        ),
    },
    Venue.CCXT_HTX: {
        "GET /linear-swap-api/v1/swap_contract_info": (
            200,
            {
                "status": "ok",
                "data": [
                    {
                        "symbol": "BTC", "contract_code": "BTC-USDT", "contract_size": 0.001, "price_tick": 0.1,
                        "delivery_date": "", "delivery_time": "", "create_date": "20201021", "contract_status": 1,
                        "settlement_date": "1790000000000", "support_margin_mode": "all", "business_type": "swap",
                        "pair": "BTC-USDT", "contract_type": "swap", "trade_partition": "USDT",
                    }
                ],
                "ts": NOW_MS,
            },
        ),
    },
}  # fmt: skip
