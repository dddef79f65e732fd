"""Public endpoints of contracts: time, instruments with their filters, prices and the book."""

from __future__ import annotations

from simulator.binance.errors import ApiError
from simulator.binance.families import contract_size, venue_name
from simulator.binance.rest import Context
from simulator.binance.wire import Json, market_json, pair_of, price_text, quantity_text
from simulator.engine.book import Level
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.state import State
from simulator.limits import Limits

ORDER_TYPES = [
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]
FOREVER_MS = 4_133_404_800_000
LISTED_MS = 1_569_398_400_000
FUNDING_PERIOD_MS = 8 * 3_600_000


def ping(ctx: Context) -> object:
    """Answer that the exchange is there."""
    return {}


def server_time(ctx: Context) -> object:
    """Return epoch milliseconds."""
    return {"serverTime": ctx.exchange.state.now()}


def exchange_info(limits: Limits, ctx: Context) -> object:
    """GET exchangeInfo."""
    state = ctx.exchange.state
    linear = ctx.family.kind is Kind.LINEAR
    return {
        "timezone": "UTC",
        "serverTime": state.now(),
        **({"futuresType": "U_MARGINED"} if linear else {}),
        "rateLimits": rate_limits(limits),
        "exchangeFilters": [],
        "assets": (
            [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}] if linear else []
        ),
        "symbols": [_symbol(instrument) for instrument in state.listed(ctx.family.kind)],
    }


def rate_limits(limits: Limits) -> list[Json]:
    """Return the limits in force."""
    return [
        _rate("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        _rate("ORDERS", "MINUTE", 1, limits.orders_per_minute),
        _rate("ORDERS", "SECOND", 10, limits.orders_per_10s),
    ]


def _rate(kind: str, interval: str, count: int, limit: int) -> Json:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(instrument: Instrument) -> Json:
    inverse = instrument.kind is Kind.INVERSE
    return {
        "symbol": venue_name(instrument.symbol),
        "pair": pair_of(instrument),
        "contractType": "PERPETUAL",
        "deliveryDate": FOREVER_MS,
        "onboardDate": LISTED_MS,
        "contractStatus" if inverse else "status": "TRADING",
        **({"contractSize": int(contract_size(instrument)), "equalQtyPrecision": 4} if inverse else {}),
        "maintMarginPercent": f"{instrument.maintenance_rate * 100:.4f}",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.settle,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": 0 if inverse else instrument.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.000000",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": filters(instrument),
        "orderTypes": ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def filters(instrument: Instrument) -> list[Json]:
    """Return the filters that the engine enforces, in the venue's shapes and units."""
    inverse = instrument.kind is Kind.INVERSE
    step = "1" if inverse else f"{instrument.step:f}"
    least = "1" if inverse else f"{instrument.min_quantity:f}"
    found: list[Json] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": f"{instrument.tick:f}",
            "maxPrice": "100000000",
            "tickSize": f"{instrument.tick:f}",
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": least,
            "maxQty": quantity_text(instrument, instrument.max_quantity),
            "stepSize": step,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": least,
            "maxQty": quantity_text(instrument, instrument.max_market_quantity),
            "stepSize": step,
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{1 + instrument.price_band:.4f}",
            "multiplierDown": f"{1 - instrument.price_band:.4f}",
            "multiplierDecimal": "4",
        },
    ]
    if not inverse:  # COIN-M has none: one contract is the least
        found.insert(5, {"filterType": "MIN_NOTIONAL", "notional": f"{instrument.min_notional:f}"})
    return found


def one_or_all(ctx: Context, rows: list[Json]) -> object:
    """Return one row when a symbol was named, else a list; COIN-M always lists."""
    return rows[0] if ctx.params.optional("symbol") and ctx.family.kind is not Kind.INVERSE else rows


def premium_json(state: State, instrument: Instrument) -> Json:
    """Return mark price and funding of one symbol."""
    now, mark = state.now(), f"{state.mark(instrument.symbol):.8f}"
    return {
        **market_json(instrument),
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": f"{state.funding_rates[instrument.symbol]:.8f}",
        "interestRate": "0.00010000",
        "nextFundingTime": (now // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS,
        "time": now,
    }


def premium_index(ctx: Context) -> object:
    """GET premiumIndex."""
    return one_or_all(ctx, [premium_json(ctx.exchange.state, i) for i in ctx.instruments])


def ticker_price(ctx: Context) -> object:
    """GET ticker/price and v2."""
    state = ctx.exchange.state
    return one_or_all(
        ctx,
        [
            {**market_json(i), "price": price_text(i, state.mark(i.symbol)), "time": state.now()}
            for i in ctx.instruments
        ],
    )


def book_ticker_json(state: State, instrument: Instrument) -> Json:
    """Return the best bid and ask of one symbol."""
    ladder = state.ladder(instrument.symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    return {
        **market_json(instrument),
        "bidPrice": price_text(instrument, bid[0]),
        "bidQty": quantity_text(instrument, bid[1]),
        "askPrice": price_text(instrument, ask[0]),
        "askQty": quantity_text(instrument, ask[1]),
        "time": state.now(),
        "lastUpdateId": state.ledger.last_seq,
    }


def book_ticker(ctx: Context) -> object:
    """GET ticker/bookTicker."""
    return one_or_all(ctx, [book_ticker_json(ctx.exchange.state, i) for i in ctx.instruments])


def ticker_24h(ctx: Context) -> object:
    """GET ticker/24hr: since the exchange started; volumes are of the mark price walk, so zero."""
    state, tape = ctx.exchange.state, ctx.exchange.state.tape
    rows: list[Json] = []
    for i in ctx.instruments:
        mark, opened = state.mark(i.symbol), tape.opens[i.symbol]
        rows.append(
            {
                **market_json(i),
                "priceChange": price_text(i, mark - opened),
                "priceChangePercent": f"{(mark - opened) / opened * 100:.3f}",
                "weightedAvgPrice": price_text(i, mark),
                "lastPrice": price_text(i, mark),
                "lastQty": quantity_text(i, i.min_quantity),
                "openPrice": price_text(i, opened),
                "highPrice": price_text(i, tape.highs[i.symbol]),
                "lowPrice": price_text(i, tape.lows[i.symbol]),
                "volume": "0",
                "quoteVolume": "0",
                "openTime": state.now() - 86_400_000,
                "closeTime": state.now(),
                "firstId": 0,
                "lastId": 0,
                "count": 0,
            }
        )
    return one_or_all(ctx, rows)


def depth(ctx: Context) -> object:
    """GET depth: both sides of the pretended book."""
    state = ctx.exchange.state
    instrument = ctx.instrument
    size = ctx.params.limit(500, 1000)
    if size not in {5, 10, 20, 50, 100, 500, 1000}:
        raise ApiError(-4021, f"{size} is not valid depth limit.")
    ladder, now = state.ladder(instrument.symbol), state.now()

    def rows(levels: tuple[Level, ...]) -> list[list[str]]:
        return [[price_text(instrument, p), quantity_text(instrument, q)] for p, q in levels[:size]]

    return {
        "lastUpdateId": state.ledger.last_seq,
        "E": now,
        "T": now,
        "bids": rows(ladder.bids),
        "asks": rows(ladder.asks),
    }
