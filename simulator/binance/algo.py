"""The Algo Service of contracts: conditional orders, which the venue keeps apart from the order book."""

from __future__ import annotations

from simulator.binance.errors import ApiError
from simulator.binance.rest import Context
from simulator.binance.trading import read_conditional
from simulator.binance.wire import conditional_json
from simulator.engine.conditional import Conditional, ConditionalStatus


def place_algo(ctx: Context) -> object:
    """POST algoOrder with algoType CONDITIONAL."""
    if ctx.params.text("algoType") != "CONDITIONAL":
        raise ApiError(-1130, "Data sent for parameter 'algoType' is not valid.")
    instrument = ctx.instrument
    conditional = read_conditional(ctx, instrument)
    return conditional_json(instrument, ctx.exchange.conditionals.place(ctx.account, conditional))


def _find(ctx: Context) -> Conditional | None:
    algo_id, client_id = ctx.params.optional_integer("algoId"), ctx.params.optional("clientAlgoId")
    if algo_id is None and client_id is None:
        raise ApiError(-1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!")
    found = ctx.exchange.conditionals.find(ctx.account, algo_id, client_id)
    return found if found is not None and ctx.family.has(found.request.symbol) else None


def query_algo(ctx: Context) -> object:
    """GET algoOrder."""
    found = _find(ctx)
    if found is None:
        raise ApiError(-2013, "Order does not exist.")
    return conditional_json(ctx.exchange.state.instruments[found.request.symbol], found)


def cancel_algo(ctx: Context) -> object:
    """DELETE algoOrder."""
    found = ctx.exchange.conditionals.cancel(ctx.account, _find(ctx))
    return {"algoId": found.algo_id, "clientAlgoId": found.client_algo_id, "code": "200", "msg": "success"}


def open_algos(ctx: Context) -> object:
    """GET openAlgoOrders (also algoOpenOrders), of one symbol or all."""
    wanted = {instrument.symbol: instrument for instrument in ctx.instruments}
    return [
        conditional_json(wanted[c.request.symbol], c)
        for c in ctx.exchange.conditionals.live(ctx.account)
        if c.request.symbol in wanted
    ]


def all_algos(ctx: Context) -> object:
    """GET allAlgoOrders of one symbol, oldest first."""
    instrument = ctx.instrument
    found = [c for c in ctx.exchange.conditionals.of(ctx.account) if c.request.symbol == instrument.symbol]
    return [conditional_json(instrument, c) for c in found[-ctx.params.limit(500, 1000) :]]


def cancel_open_algos(ctx: Context) -> object:
    """DELETE algoOpenOrders of one symbol."""
    symbol = ctx.instrument.symbol
    ctx.exchange.conditionals.end_all(ctx.account, symbol, ConditionalStatus.CANCELED)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}
