"""Public endpoints: time, listings with their filters, tickers and books, of both product lines."""

from __future__ import annotations

from decimal import Decimal

from simulator.bitget.rest import Context
from simulator.bitget.wire import KINDS, Json, engine_symbol, plain, shown
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.state import State

FUNDING_PERIOD_MS = 8 * 3_600_000


def server_time(ctx: Context) -> object:
    """GET /api/v2/public/time."""
    return {"serverTime": str(ctx.exchange.state.now())}


def _chosen(ctx: Context, kind: Kind) -> list[Instrument]:
    """Return the named market or all; other product lines list nothing."""
    state, symbol = ctx.exchange.state, ctx.params.optional("symbol")
    if kind is Kind.LINEAR and KINDS.get(ctx.params.text("productType").lower()) is not Kind.LINEAR:
        return []
    return state.listed(kind) if symbol is None else [state.instrument(engine_symbol(kind, symbol))]


def contracts(ctx: Context) -> object:
    """GET /api/v2/mix/market/contracts."""
    return [_contract(instrument) for instrument in _chosen(ctx, Kind.LINEAR)]


def _contract(instrument: Instrument) -> Json:
    step = instrument.tick.scaleb(instrument.price_decimals)
    return {
        "symbol": shown(instrument.symbol),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "buyLimitPriceRatio": plain(instrument.price_band),
        "sellLimitPriceRatio": plain(instrument.price_band),
        "feeRateUpRatio": "0.005",
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
        "openCostUpRatio": "0.01",
        "supportMarginCoins": [instrument.quote],
        "minTradeNum": plain(instrument.min_quantity),
        "priceEndStep": plain(step.to_integral_value()),
        "volumePlace": str(instrument.quantity_decimals),
        "pricePlace": str(instrument.price_decimals),
        "sizeMultiplier": plain(instrument.step),
        "symbolType": "perpetual",
        "minTradeUSDT": plain(instrument.min_notional),
        "maxSymbolOrderNum": str(instrument.max_open_orders),
        "maxProductOrderNum": "1000",
        "maxPositionNum": "150",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": str(instrument.max_leverage),
        "posLimit": "0.1",
        "maintainTime": "",
        "maxMarketOrderQty": plain(instrument.max_market_quantity),
        "maxOrderQty": plain(instrument.max_quantity),
    }


def symbols(ctx: Context) -> object:
    """GET /api/v2/spot/public/symbols."""
    return [_pair(instrument) for instrument in _chosen(ctx, Kind.SPOT)]


def _pair(instrument: Instrument) -> Json:
    return {
        "symbol": shown(instrument.symbol),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "minTradeAmount": plain(instrument.min_quantity),
        "maxTradeAmount": plain(instrument.max_quantity),
        "takerFeeRate": "0.002",
        "makerFeeRate": "0.002",
        "pricePrecision": str(instrument.price_decimals),
        "quantityPrecision": str(instrument.quantity_decimals),
        "quotePrecision": "6",
        "status": "online",
        "minTradeUSDT": plain(instrument.min_notional),
        "buyLimitPriceRatio": plain(instrument.price_band),
        "sellLimitPriceRatio": plain(instrument.price_band),
        "areaSymbol": "no",
        "orderQuantity": str(instrument.max_open_orders),
        "openTime": "1532454360000",
        "offTime": "",
    }


def ticker_row(state: State, instrument: Instrument) -> Json:
    """Return the ticker of one market; volumes are of the mark price walk, so zero. Spot has no mark price."""
    symbol, tape = instrument.symbol, state.tape
    mark, ladder = state.mark(symbol), state.ladder(symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    opened = tape.opens[symbol]
    row: Json = {
        "symbol": shown(symbol),
        "lastPr": plain(mark),
        "askPr": plain(ask[0]),
        "bidPr": plain(bid[0]),
        "bidSz": plain(bid[1]),
        "askSz": plain(ask[1]),
        "high24h": plain(tape.highs[symbol]),
        "low24h": plain(tape.lows[symbol]),
        "ts": str(state.now()),
        "change24h": f"{(mark - opened) / opened:.5f}",
        "baseVolume": "0",
        "quoteVolume": "0",
        "usdtVolume": "0",
        "openUtc": plain(opened),
        "changeUtc24h": f"{(mark - opened) / opened:.5f}",
    }
    if instrument.kind is Kind.SPOT:
        return {**row, "open": plain(opened)}
    return {
        **row,
        "open24h": plain(opened),
        "indexPrice": plain(mark),
        "markPrice": plain(mark),
        "fundingRate": plain(state.funding_rates.get(symbol, Decimal(0))),
        "holdingAmount": "0",
    }


def tickers(ctx: Context, *, kind: Kind) -> object:
    """GET /api/v2/mix/market/{tickers,ticker} and /api/v2/spot/market/tickers."""
    return [ticker_row(ctx.exchange.state, instrument) for instrument in _chosen(ctx, kind)]


def margin_currencies(ctx: Context) -> object:
    """GET /api/v2/margin/currencies: coins are not lent here."""
    return []


def symbol_price(ctx: Context) -> object:
    """GET /api/v2/mix/market/symbol-price."""
    state = ctx.exchange.state
    return [
        {
            "symbol": shown(found.symbol),
            "price": plain(state.mark(found.symbol)),
            "indexPrice": plain(state.mark(found.symbol)),
            "markPrice": plain(state.mark(found.symbol)),
            "ts": str(state.now()),
        }
        for found in _chosen(ctx, Kind.LINEAR)
    ]


def funding_rate(ctx: Context) -> object:
    """GET /api/v2/mix/market/current-fund-rate."""
    state = ctx.exchange.state
    following = (state.now() // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS
    return [
        {
            "symbol": shown(found.symbol),
            "fundingRate": plain(state.funding_rates.get(found.symbol, Decimal(0))),
            "fundingRateInterval": "8",
            "nextUpdate": str(following),
            "minFundingRate": "-0.003",
            "maxFundingRate": "0.003",
        }
        for found in _chosen(ctx, Kind.LINEAR)
    ]


def book(ctx: Context, *, kind: Kind) -> object:
    """GET /api/v2/mix/market/merge-depth and /api/v2/spot/market/orderbook."""
    (instrument,) = _chosen(ctx, kind) or [
        ctx.exchange.state.instrument(engine_symbol(kind, ctx.params.text("symbol")))
    ]
    ladder = ctx.exchange.state.ladder(instrument.symbol)
    return {
        "asks": [[plain(price), plain(quantity)] for price, quantity in ladder.asks[:50]],
        "bids": [[plain(price), plain(quantity)] for price, quantity in ladder.bids[:50]],
        "ts": str(ctx.exchange.state.now()),
    }
