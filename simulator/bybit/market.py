"""Public endpoints: time, instruments with their filters, tickers and the book."""

from __future__ import annotations

from simulator.bybit.categories import WORDS, category_of, engine_symbol, market_of, venue_name
from simulator.bybit.rest import Context
from simulator.bybit.wire import Json, plain
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.state import State

LISTED_MS = 1_585_526_400_000
FUNDING_PERIOD_MS = 8 * 3_600_000


def server_time(ctx: Context) -> object:
    """GET /v5/market/time."""
    now = ctx.exchange.state.now()
    return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}


def _chosen(ctx: Context, kind: Kind) -> list[Instrument]:
    """Return the named instrument or all of the category."""
    state, symbol = ctx.exchange.state, ctx.params.optional("symbol")
    return state.listed(kind) if symbol is None else [state.instrument(engine_symbol(kind, symbol))]


def instruments(ctx: Context) -> object:
    """GET /v5/market/instruments-info; at spot it has no pages. Other product types list nothing."""
    if ctx.params.text("category") == "option":
        return {"category": "option", "nextPageCursor": "", "list": []}
    kind = category_of(ctx.params)
    found = _chosen(ctx, kind)
    page, cursor = (found, "") if kind is Kind.SPOT else ctx.params.page(found, 500, 1000)
    build = _coin_pair if kind is Kind.SPOT else _contract
    return {
        "category": WORDS[kind],
        "nextPageCursor": cursor,
        "list": [build(instrument) for instrument in page],
    }


def _coin_pair(instrument: Instrument) -> Json:
    return {
        "symbol": venue_name(instrument.symbol),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": plain(instrument.step),
            "quotePrecision": "0.0000001",
            "minOrderQty": plain(instrument.min_quantity),
            "maxOrderQty": plain(instrument.max_quantity),
            "minOrderAmt": plain(instrument.min_notional),
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": plain(instrument.max_quantity),
            "maxMarketOrderQty": plain(instrument.max_market_quantity),
            "postOnlyMaxLimitOrderSize": plain(instrument.max_quantity),
        },
        "priceFilter": {"tickSize": plain(instrument.tick)},
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
    }


def _contract(instrument: Instrument) -> Json:
    inverse = instrument.kind is Kind.INVERSE
    return {
        "symbol": venue_name(instrument.symbol),
        "contractType": "InversePerpetual" if inverse else "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.settle,
        "launchTime": str(LISTED_MS),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(instrument.price_decimals),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": f"{instrument.max_leverage}.00",
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": plain(instrument.tick),
            "maxPrice": "1999999.80",
            "tickSize": plain(instrument.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": plain(instrument.max_quantity),
            "minOrderQty": plain(instrument.min_quantity),
            "qtyStep": plain(instrument.step),
            "postOnlyMaxOrderQty": plain(instrument.max_quantity),
            "maxMktOrderQty": plain(instrument.max_market_quantity),
            "minNotionalValue": plain(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "none" if inverse else "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
    }


def ticker_json(state: State, instrument: Instrument) -> Json:
    """Return the ticker of one symbol; volumes are of the mark price walk, so zero. Spot has no mark and no funding."""
    symbol, tape = instrument.symbol, state.tape
    mark, ladder = plain(state.mark(symbol)), state.ladder(symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    opened = tape.opens[symbol]
    row: Json = {
        "symbol": venue_name(symbol),
        "lastPrice": mark,
        "prevPrice24h": plain(opened),
        "price24hPcnt": f"{(state.mark(symbol) - opened) / opened:.6f}",
        "highPrice24h": plain(tape.highs[symbol]),
        "lowPrice24h": plain(tape.lows[symbol]),
        "turnover24h": "0",
        "volume24h": "0",
        "bid1Price": plain(bid[0]),
        "bid1Size": plain(bid[1]),
        "ask1Price": plain(ask[0]),
        "ask1Size": plain(ask[1]),
    }
    if instrument.kind is Kind.SPOT:
        return row | {"usdIndexPrice": mark}
    return row | {
        "indexPrice": mark,
        "markPrice": mark,
        "prevPrice1h": plain(opened),
        "openInterest": "0",
        "openInterestValue": "0",
        "fundingRate": plain(state.funding_rates[symbol]),
        "nextFundingTime": str((state.now() // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
    }


def ticker_change(instrument: Instrument, mark: str) -> Json:
    """Return what changes of a contract's ticker when its price moves."""
    return {
        "symbol": venue_name(instrument.symbol),
        "lastPrice": mark,
        "markPrice": mark,
        "indexPrice": mark,
    }


def tickers(ctx: Context) -> object:
    """GET /v5/market/tickers."""
    state, kind = ctx.exchange.state, category_of(ctx.params)
    rows = [ticker_json(state, instrument) for instrument in _chosen(ctx, kind)]
    return {"category": WORDS[kind], "list": rows}


def order_book(ctx: Context) -> object:
    """GET /v5/market/orderbook."""
    state = ctx.exchange.state
    instrument = market_of(state, category_of(ctx.params), ctx.params)
    size = max(1, min(ctx.params.integer("limit", 25), 500))
    ladder = state.ladder(instrument.symbol)
    return {
        "s": venue_name(instrument.symbol),
        "b": [[plain(price), plain(quantity)] for price, quantity in ladder.bids[:size]],
        "a": [[plain(price), plain(quantity)] for price, quantity in ladder.asks[:size]],
        "ts": state.now(),
        "u": state.ledger.last_seq,
        "seq": state.ledger.last_seq,
        "cts": state.now(),
    }
