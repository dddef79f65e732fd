"""Public endpoints: time, markets with their filters, mark prices, tickers and the book."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.engine.book import Level
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.state import State
from simulator.okx.names import (
    SWAP,
    contract_size,
    contracts,
    inst_id,
    inst_type,
    instrument_of,
    listed,
    plain,
)
from simulator.okx.rest import Context
from simulator.okx.wire import Json

LISTED_MS = 1_611_916_828_000
FUNDING_PERIOD_MS = 8 * 3_600_000


def server_time(ctx: Context) -> object:
    """GET /public/time."""
    return [{"ts": str(ctx.exchange.state.now())}]


def status(ctx: Context) -> object:
    """GET /system/status: no maintenance is planned."""
    return []


def instruments(ctx: Context) -> object:
    """GET /public/instruments."""
    ctx.params.text("instType")
    return [_instrument(instrument) for instrument in listed(ctx.exchange.state, ctx.params)]


def _instrument(instrument: Instrument) -> Json:
    is_spot = instrument.kind is Kind.SPOT
    pair = f"{instrument.base}-{instrument.quote}"
    return {
        "instType": inst_type(instrument),
        "instId": inst_id(instrument),
        "instFamily": "" if is_spot else pair,
        "uly": "" if is_spot else pair,
        "category": "1",
        "baseCcy": instrument.base if is_spot else "",
        "quoteCcy": instrument.quote if is_spot else "",
        "settleCcy": "" if is_spot else instrument.quote,
        "ctVal": "" if is_spot else plain(contract_size(instrument)),
        "ctMult": "" if is_spot else "1",
        "ctValCcy": "" if is_spot else instrument.base,
        "ctType": "" if is_spot else "linear",
        "optType": "", "stk": "", "expTime": "", "alias": "",
        "listTime": str(LISTED_MS),
        "lever": "" if is_spot else str(instrument.max_leverage),
        "tickSz": plain(instrument.tick),
        "lotSz": contracts(instrument, instrument.step),
        "minSz": contracts(instrument, instrument.min_quantity),
        "maxLmtSz": contracts(instrument, instrument.max_quantity),
        "maxMktSz": "1000000" if is_spot else contracts(instrument, instrument.max_market_quantity),
        "maxLmtAmt": "20000000", "maxMktAmt": "1000000" if is_spot else "",
        "maxStopSz": contracts(instrument, instrument.max_market_quantity),
        "maxTriggerSz": contracts(instrument, instrument.max_quantity),
        "maxIcebergSz": contracts(instrument, instrument.max_quantity),
        "maxTwapSz": contracts(instrument, instrument.max_quantity),
        "ruleType": "normal",
        "state": "live",
    }  # fmt: skip


def mark_json(state: State, instrument: Instrument) -> Json:
    """Return the mark price of one contract."""
    mark = plain(state.mark(instrument.symbol))
    return {"instType": SWAP, "instId": inst_id(instrument), "markPx": mark, "ts": str(state.now())}


def marks(ctx: Context) -> object:
    """GET /public/mark-price: of contracts alone."""
    ctx.params.text("instType")
    state = ctx.exchange.state
    return [mark_json(state, found) for found in listed(state, ctx.params) if found.kind is not Kind.SPOT]


def ticker_json(state: State, instrument: Instrument) -> Json:
    """Return the ticker of one market; volumes are of the walk of prices, so zero."""
    symbol, tape = instrument.symbol, state.tape
    mark, ladder = plain(state.mark(symbol)), state.ladder(symbol)
    bid, ask = ladder.bids[0] if ladder.bids else ladder.asks[0], ladder.asks[0]
    opened = plain(tape.opens[symbol])
    return {
        "instType": inst_type(instrument), "instId": inst_id(instrument), "last": mark, "lastSz": "0",
        "askPx": plain(ask[0]), "askSz": contracts(instrument, ask[1]), "bidPx": plain(bid[0]),
        "bidSz": contracts(instrument, bid[1]), "open24h": opened, "high24h": plain(tape.highs[symbol]),
        "low24h": plain(tape.lows[symbol]), "volCcy24h": "0", "vol24h": "0", "sodUtc0": opened, "sodUtc8": opened,
        "ts": str(state.now()),
    }  # fmt: skip


def tickers(ctx: Context) -> object:
    """GET /market/tickers of one kind."""
    ctx.params.text("instType")
    state = ctx.exchange.state
    return [ticker_json(state, instrument) for instrument in listed(state, ctx.params)]


def ticker(ctx: Context) -> object:
    """GET /market/ticker of one market."""
    state = ctx.exchange.state
    return [ticker_json(state, instrument_of(state, ctx.params.text("instId")))]


def books(ctx: Context) -> object:
    """GET /market/books."""
    state = ctx.exchange.state
    instrument = instrument_of(state, ctx.params.text("instId"))
    size = max(1, min(ctx.params.integer("sz", 1), 400))
    ladder = state.ladder(instrument.symbol)

    def rows(levels: Sequence[Level]) -> list[list[str]]:
        return [
            [plain(price), contracts(instrument, quantity), "0", "1"] for price, quantity in levels[:size]
        ]

    return [{"asks": rows(ladder.asks), "bids": rows(ladder.bids), "ts": str(state.now())}]


def funding_rate(ctx: Context) -> object:
    """GET /public/funding-rate of one swap."""
    state = ctx.exchange.state
    instrument = instrument_of(state, ctx.params.text("instId"))
    following = (state.now() // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS
    return [
        {
            "instType": SWAP, "instId": inst_id(instrument), "method": "current_period",
            "fundingRate": plain(state.funding_rates.get(instrument.symbol, instrument.tick * 0)),
            "fundingTime": str(following), "nextFundingTime": str(following + FUNDING_PERIOD_MS), "nextFundingRate": "",
            "ts": str(state.now()),
        }
    ]  # fmt: skip
