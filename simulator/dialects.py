"""The dialects as a table: what each venue's folder offers to the one port. A venue more is its folder and a row here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.binance.families import COINM, SPOT, USDM
from simulator.binance.listen_keys import ListenKeys
from simulator.binance.rest import Rest
from simulator.binance.routes import coinm_routes, usdm_routes
from simulator.binance.sockets import Hub
from simulator.binance.spot_routes import spot_routes
from simulator.binance.spot_stream import SpotStreams
from simulator.binance.stream import Streams
from simulator.bitget.limits import BitgetLimits
from simulator.bitget.pushes import BitgetPushes
from simulator.bitget.rest import BitgetRest
from simulator.bitget.routes import v2_routes
from simulator.bitget.stream import Sessions as BitgetSessions
from simulator.bybit.limits import RollingLimits
from simulator.bybit.rest import BybitRest
from simulator.bybit.routes import v5_routes
from simulator.bybit.stream import BybitStreams
from simulator.doors import Dialect, Serve
from simulator.engine.exchange import Exchange
from simulator.faults import FaultBook
from simulator.hyperliquid.addresses import Addresses
from simulator.hyperliquid.limits import Weights
from simulator.hyperliquid.rest import HyperliquidRest
from simulator.hyperliquid.stream import HyperliquidStreams
from simulator.limits import Limiter
from simulator.okx.limits import EndpointLimits
from simulator.okx.rest import OkxRest
from simulator.okx.routes import v5_routes as okx_routes
from simulator.okx.stream import OkxStreams


@dataclass(frozen=True, slots=True)
class Parts:
    """What dialects are built from; `now` is the exchange's clock in epoch milliseconds."""

    exchange: Exchange
    faults: FaultBook
    limiter: Limiter
    now: Callable[[], int]
    seed: int


@dataclass(frozen=True, slots=True)
class Venue:
    """A built dialect: its REST doors and WebSocket servers by path prefix, and what the operator may do to it.

    `disconnect` ends the streams of an account (all when None) and returns how many; `keep_house` runs often.
    """

    doors: Mapping[str, Dialect]
    sockets: Mapping[str, Serve]
    disconnect: Callable[[str | None], int]
    keep_house: Callable[[], None] = lambda: None
    set_key_validity: Callable[[int], None] = lambda valid_ms: None


def later(delay_ms: int, call: Callable[[], None]) -> None:
    """Run `call` on the loop after so many ms; with none, as soon as the answer in hand is out."""
    loop = asyncio.get_running_loop()
    if delay_ms:
        loop.call_later(delay_ms / 1000, call)
    else:
        loop.call_soon(call)


def binance(parts: Parts) -> Venue:
    """Binance: USD-M and the wallet behind `/fapi/` and `/sapi/`, COIN-M behind `/dapi/`, spot behind `/api/v3/`. Streams
    behind `/ws` and `/stream`, those of accounts by listen key; spot's by subscription behind `/ws-api/v3`.
    """
    usdm_keys, coinm_keys = ListenKeys(parts.seed, parts.now), ListenKeys(parts.seed, parts.now, "coin-m ")
    hub, limits = Hub(), parts.limiter.limits
    streams = Streams(parts.exchange, hub, {USDM.kind: usdm_keys, COINM.kind: coinm_keys}, parts.faults)
    usdm = Rest(parts.exchange, parts.limiter, usdm_keys, usdm_routes(limits), USDM)
    coinm = Rest(parts.exchange, parts.limiter, coinm_keys, coinm_routes(limits), COINM)
    spot = Rest(parts.exchange, parts.limiter, usdm_keys, spot_routes(limits), SPOT)
    spot_streams = SpotStreams(parts.exchange, hub, parts.faults)

    def keep_house() -> None:
        usdm_keys.expire()
        coinm_keys.expire()

    def set_validity(valid_ms: int) -> None:
        usdm_keys.valid_ms = coinm_keys.valid_ms = valid_ms

    return Venue(
        doors={"/": usdm, "/dapi/": coinm, "/api/v3/": spot},
        sockets={"/": hub.serve, "/ws-api/v3": spot_streams.serve},
        disconnect=lambda account_id: streams.disconnect(account_id) + spot_streams.disconnect(account_id),
        keep_house=keep_house,
        set_key_validity=set_validity,
    )


def bybit(parts: Parts) -> Venue:
    """Bybit v5: everything behind `/v5/`."""
    limits = RollingLimits(parts.limiter.limits)
    parts.limiter.also_forgiven.append(limits.forgive)
    streams = BybitStreams(parts.exchange, parts.faults)
    rest = BybitRest(parts.exchange, limits, v5_routes(), later)
    return Venue(doors={"/v5/": rest}, sockets={"/v5/": streams.serve}, disconnect=streams.disconnect)


def okx(parts: Parts) -> Venue:
    """OKX v5: REST behind `/api/v5/`, sockets behind `/ws/v5/`."""
    limits = EndpointLimits(parts.limiter.limits)
    parts.limiter.also_forgiven.append(limits.forgive)
    streams = OkxStreams(parts.exchange.state, parts.faults)
    rest = OkxRest(parts.exchange, limits, okx_routes(), later)
    return Venue(doors={"/api/v5/": rest}, sockets={"/ws/v5/": streams.serve}, disconnect=streams.disconnect)


def bitget(parts: Parts) -> Venue:
    """Bitget v2: REST behind `/api/v2/`, sockets behind `/v2/ws/`."""
    limits = BitgetLimits(parts.limiter.limits)
    parts.limiter.also_forgiven.append(limits.forgive)
    sessions = BitgetSessions(parts.exchange.state, parts.faults)
    BitgetPushes(sessions)
    rest = BitgetRest(parts.exchange, limits, v2_routes(), later)
    return Venue(
        doors={"/api/v2/": rest}, sockets={"/v2/ws/": sessions.serve}, disconnect=sessions.disconnect
    )


def hyperliquid(parts: Parts) -> Venue:
    """Hyperliquid perpetuals: the paths `/info` and `/exchange`, and the socket `/ws` itself."""
    addresses = Addresses(parts.exchange.state)
    streams = HyperliquidStreams(parts.exchange, addresses, parts.faults)
    rest = HyperliquidRest(parts.exchange, Weights(parts.limiter), addresses)
    return Venue(
        doors={"/info": rest, "/exchange": rest},
        sockets={"/ws": streams.serve},
        disconnect=streams.disconnect,
    )


DIALECTS = (binance, bybit, okx, bitget, hyperliquid)
