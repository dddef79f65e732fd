"""Public endpoints: time, instruments with their filters, tickers and the book."""

from __future__ import annotations

from simulator.bybit.rest import Context
from simulator.bybit.wire import CATEGORY, Json, plain
from simulator.engine.instrument import Instrument
from simulator.engine.state import State

LISTED_MS = 1_585_526_400_000
FUNDING_PERIOD_MS = 8 * 3_600_000


def server_time(ctx: Context) -> object:
    """GET /v5/market/time."""
    now = ctx.exchange.state.now()
    return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}


def _chosen(ctx: Context) -> list[Instrument]:
    """Return the named instrument or all; other product types list nothing."""
    state, symbol = ctx.exchange.state, ctx.params.optional("symbol")
    if ctx.params.text("category") != CATEGORY:
        return []
    return list(state.instruments.values()) if symbol is None else [state.instrument(symbol)]


def instruments(ctx: Context) -> object:
    """GET /v5/market/instruments-info."""
    page, cursor = ctx.params.page(_chosen(ctx), 500, 1000)
    rows = [_instrument(instrument) for instrument in page]
    return {"category": ctx.params.text("category"), "nextPageCursor": cursor, "list": rows}


def _instrument(instrument: Instrument) -> Json:
    return {
        "symbol": instrument.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.quote,
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
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
    }


def ticker_json(state: State, instrument: Instrument) -> Json:
    """Return the ticker of one symbol; volumes are of the mark price walk, so zero."""
    symbol, tape = instrument.symbol, state.tape
    mark, ladder = plain(state.mark(symbol)), state.ladder(symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    opened = tape.opens[symbol]
    return {
        "symbol": symbol,
        "lastPrice": mark,
        "indexPrice": mark,
        "markPrice": mark,
        "prevPrice24h": plain(opened),
        "price24hPcnt": f"{(state.mark(symbol) - opened) / opened:.6f}",
        "highPrice24h": plain(tape.highs[symbol]),
        "lowPrice24h": plain(tape.lows[symbol]),
        "prevPrice1h": plain(opened),
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": "0",
        "volume24h": "0",
        "fundingRate": plain(state.funding_rates[symbol]),
        "nextFundingTime": str((state.now() // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "bid1Price": plain(bid[0]),
        "bid1Size": plain(bid[1]),
        "ask1Price": plain(ask[0]),
        "ask1Size": plain(ask[1]),
    }


def tickers(ctx: Context) -> object:
    """GET /v5/market/tickers."""
    state = ctx.exchange.state
    rows = [ticker_json(state, instrument) for instrument in _chosen(ctx)]
    return {"category": ctx.params.text("category"), "list": rows}


def order_book(ctx: Context) -> object:
    """GET /v5/market/orderbook."""
    state = ctx.exchange.state
    instrument = state.instrument(ctx.params.text("symbol"))
    size = max(1, min(ctx.params.integer("limit", 25), 500))
    ladder = state.ladder(instrument.symbol)
    return {
        "s": instrument.symbol,
        "b": [[plain(price), plain(quantity)] for price, quantity in ladder.bids[:size]],
        "a": [[plain(price), plain(quantity)] for price, quantity in ladder.asks[:size]],
        "ts": state.now(),
        "u": state.ledger.last_seq,
        "seq": state.ledger.last_seq,
        "cts": state.now(),
    }
