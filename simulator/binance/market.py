"""Public endpoints: time, instruments with their filters, prices and the book."""

from __future__ import annotations

from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.binance.wire import Json, price_text, quantity_text
from simulator.engine.book import Level
from simulator.engine.instrument import Instrument
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
    """GET /fapi/v1/ping."""
    return {}


def server_time(ctx: Context) -> object:
    """GET /fapi/v1/time."""
    return {"serverTime": ctx.exchange.state.now()}


def exchange_info(limits: Limits, ctx: Context) -> object:
    """GET /fapi/v1/exchangeInfo."""
    state = ctx.exchange.state
    return {
        "timezone": "UTC",
        "serverTime": state.now(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
            _rate("ORDERS", "MINUTE", 1, limits.orders_per_minute),
            _rate("ORDERS", "SECOND", 10, limits.orders_per_10s),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(instrument) for instrument in state.instruments.values()],
    }


def _rate(kind: str, interval: str, count: int, limit: int) -> Json:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(instrument: Instrument) -> Json:
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": FOREVER_MS,
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "maintMarginPercent": f"{instrument.maintenance_rate * 100:.4f}",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.quantity_decimals,
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
    """Return the filters that the engine enforces, in the venue's shapes."""
    step, least = f"{instrument.step:f}", f"{instrument.min_quantity:f}"
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": f"{instrument.tick:f}",
            "maxPrice": "100000000",
            "tickSize": f"{instrument.tick:f}",
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": least,
            "maxQty": f"{instrument.max_quantity:f}",
            "stepSize": step,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": least,
            "maxQty": f"{instrument.max_market_quantity:f}",
            "stepSize": step,
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": f"{instrument.min_notional:f}"},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{1 + instrument.price_band:.4f}",
            "multiplierDown": f"{1 - instrument.price_band:.4f}",
            "multiplierDecimal": "4",
        },
    ]


def _each(ctx: Context) -> list[Instrument]:
    symbol = ctx.params.optional("symbol")
    state = ctx.exchange.state
    return list(state.instruments.values()) if symbol is None else [state.instrument(symbol)]


def _one_or_all(ctx: Context, rows: list[Json]) -> object:
    return rows[0] if ctx.params.optional("symbol") else rows


def premium_json(state: State, instrument: Instrument) -> Json:
    """Return mark price and funding of one symbol."""
    now, mark = state.now(), f"{state.mark(instrument.symbol):.8f}"
    return {
        "symbol": instrument.symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": f"{state.funding_rates[instrument.symbol]:.8f}",
        "interestRate": "0.00010000",
        "nextFundingTime": (now // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS,
        "time": now,
    }


def premium_index(ctx: Context) -> object:
    """GET /fapi/v1/premiumIndex."""
    return _one_or_all(ctx, [premium_json(ctx.exchange.state, i) for i in _each(ctx)])


def ticker_price(ctx: Context) -> object:
    """GET /fapi/v1/ticker/price and v2."""
    state = ctx.exchange.state
    return _one_or_all(
        ctx,
        [
            {"symbol": i.symbol, "price": price_text(i, state.mark(i.symbol)), "time": state.now()}
            for i in _each(ctx)
        ],
    )


def book_ticker_json(state: State, instrument: Instrument) -> Json:
    """Return the best bid and ask of one symbol."""
    ladder = state.ladder(instrument.symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    return {
        "symbol": instrument.symbol,
        "bidPrice": price_text(instrument, bid[0]),
        "bidQty": quantity_text(instrument, bid[1]),
        "askPrice": price_text(instrument, ask[0]),
        "askQty": quantity_text(instrument, ask[1]),
        "time": state.now(),
        "lastUpdateId": state.ledger.last_seq,
    }


def book_ticker(ctx: Context) -> object:
    """GET /fapi/v1/ticker/bookTicker."""
    return _one_or_all(ctx, [book_ticker_json(ctx.exchange.state, i) for i in _each(ctx)])


def ticker_24h(ctx: Context) -> object:
    """GET /fapi/v1/ticker/24hr: since the exchange started; volumes are of the mark price walk, so zero."""
    state, tape = ctx.exchange.state, ctx.exchange.state.tape
    rows: list[Json] = []
    for i in _each(ctx):
        mark, opened = state.mark(i.symbol), tape.opens[i.symbol]
        rows.append(
            {
                "symbol": i.symbol,
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
    return _one_or_all(ctx, rows)


def depth(ctx: Context) -> object:
    """GET /fapi/v1/depth."""
    state = ctx.exchange.state
    instrument = state.instrument(ctx.params.text("symbol"))
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
