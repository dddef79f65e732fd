"""What an account costs to hold, and what an order costs to sign, send and read: beside the ccxt library in one run.

`python -m bench.accounts --accounts 10000 --orders 400`. First gateways of so many accounts are held at once over all
venues that have a gateway of their own, and the memory beyond the shared tables is counted per account. Then each linear venue's orders go to a server that answers from memory (in a process of its
own, after one real order at the simulated exchange): by the venue's own gateway, by the generic one where a recipe of
the tests exists, and by the library's own create_order. Processor time of this process counts, not the wall's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvloop

from app.domain.exchanges.outcomes import Accepted
from app.domain.exchanges.ports import ExchangeGateway
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import MarketKind, Side, Venue
from app.domain.shared.money import quantity
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.generic.library import library
from app.infrastructure.exchanges.registry import VENUES, VenuePool
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.vault import AesGcmVault
from tests.contract.exchanges.dialects import DIALECTS
from tests.integration.exchanges.simulated import GENERIC, row
from tests.support.simulator import SimulatorProcess

AT_ONCE: Final = 16
ROUNDS: Final = 3
_LIBRARY: Final[dict[Venue, tuple[str, dict[str, Any]]]] = {
    Venue.BINANCE_USDM: ("binanceusdm", {"fetchMarkets": {"types": ["linear"]}}),
    Venue.BYBIT_LINEAR: ("bybit", {"enableUnifiedAccount": True, "fetchMarkets": {"types": ["linear"]}}),
    Venue.OKX_SWAP: ("okx", {"fetchMarkets": {"types": ["swap"]}, "createOrder": "privatePostTradeOrder"}),
    Venue.BITGET_USDT_FUTURES: ("bitget", {"uta": False, "fetchMarkets": {"types": ["swap"]}}),
    Venue.HYPERLIQUID: (
        "hyperliquid",
        {
            "approvedBuilderFee": True,
            "builderFee": False,
            "refSet": True,
            "fetchMarkets": {"types": ["swap"]},
        },
    ),
}
_numbers = itertools.count(1)


def native() -> list[Venue]:
    """Return the venues that have a gateway of their own."""
    return [venue for venue in VENUES if not venue.value.startswith("ccxt-")]


def settings(base_url: str) -> VenueSettings:
    """Return the settings of a venue at this address, without limits of ours."""
    return VenueSettings(
        base_url,
        base_url.replace("http", "ws"),
        weight_per_minute=10**8,
        orders_per_10s=10**8,
        connections_warm=0,
    )


def vault() -> AesGcmVault:
    """Return a vault under a key of this run alone."""
    return AesGcmVault({"k1": bytes(range(32))}, "k1")


def hold(accounts: int) -> None:
    """Hold the gateways of so many accounts at once and print what each costs."""
    venues, safe = native(), vault()
    pool = VenuePool(dict.fromkeys(venues, settings("http://127.0.0.1:9")), safe, keys_kept=accounts)
    key = ApiKey("k" * 64, "1" * 64, "passphrase")
    blobs = [safe.seal(AccountId(number), venues[number % len(venues)], key) for number in range(accounts)]
    warm = [pool.gateway(AccountId(10**9 + n), venue, blobs[0]) for n, venue in enumerate(venues)]
    gc.collect()
    tracemalloc.start()
    gateways: list[ExchangeGateway] = [
        pool.gateway(AccountId(number), venues[number % len(venues)], blobs[number])
        for number in range(accounts)
    ]
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / accounts
    tracemalloc.stop()
    blob = sum(map(sys.getsizeof, blobs)) / accounts
    _say(f"{len(gateways)} accounts over {len(venues)} venues at once ({len(warm)} tables shared)")
    _say(f"  gateway                          {held:8.0f} bytes an account")
    _say(f"  its sealed key                   {blob:8.0f} bytes an account")


@contextmanager
def canned(simulator: SimulatorProcess) -> Iterator[str]:
    """Run the server that answers from memory, in a process of its own; gives its address."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "bench.canned", str(simulator.port)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.communicate()


async def cpu(orders: int, one: Callable[[], Awaitable[None]]) -> float:
    """Return the processor time of one order in microseconds: the best of some rounds, after a warm-up."""
    await one()
    await _several(AT_ONCE * 2, one)
    gc.collect()
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await _several(orders, one)
        took.append(time.process_time() - began)
    return min(took) / orders * 1e6


async def _several(orders: int, one: Callable[[], Awaitable[None]]) -> None:
    left = iter(range(orders))

    async def lane() -> None:
        for _ in left:
            await one()

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))


async def by_pool(pool: VenuePool, venue: Venue, key: ApiKey, orders: int) -> float:
    """Return what an order costs through a pool's gateway."""
    sealed = vault().seal(AccountId(1), venue, key)
    await pool.start()
    instrument = await pool.instrument(venue, DIALECTS[venue].symbol)
    gateway = pool.gateway(AccountId(1), venue, sealed)

    async def one() -> None:
        cid = ClientOrderId(f"c{next(_numbers):026d}")
        size, now_ms = quantity(DIALECTS[venue].size), pool.clock(venue).estimate_ms()
        got = await gateway.place(PlaceOrder(instrument, Side.BUY, size, False, cid, now_ms, 60_000))
        if not isinstance(got, Accepted):
            raise SystemExit(f"{venue.value}: an order was not taken: {got}")

    try:
        return await cpu(orders, one)
    finally:
        await pool.close()


async def by_library(venue: Venue, base_url: str, key: ApiKey, orders: int) -> float:
    """Return what an order costs through the library's own client."""
    name, options = _LIBRARY[venue]
    names = (
        {"walletAddress": key.key, "privateKey": key.secret}
        if venue is Venue.HYPERLIQUID
        else {"apiKey": key.key, "secret": key.secret, "password": key.passphrase}
    )
    client = getattr(library(), name)(
        {**names, "enableRateLimit": False, "options": {"defaultType": "swap"} | options}
    )
    client.urls["api"] = _rebased(client.urls["api"], base_url)
    client.has["fetchCurrencies"] = False
    try:
        await client.load_markets()
        quote = CAPABILITIES[venue].collateral
        symbol = f"BTC/{quote}:{quote}"
        size = float(DIALECTS[venue].size) / float(client.market(symbol)["contractSize"])

        async def one() -> None:
            cid = f"c{next(_numbers):026d}" if venue is not Venue.HYPERLIQUID else f"0x{next(_numbers):032x}"
            placed = await client.create_order(symbol, "market", "buy", size, 64000, {"clientOrderId": cid})
            if not placed["id"]:
                raise SystemExit(f"{venue.value}: the library's order was not taken: {placed}")

        return await cpu(orders, one)
    finally:
        await client.close()


def _rebased(urls: Any, base: str) -> Any:
    if isinstance(urls, dict):
        return {name: _rebased(value, base) for name, value in urls.items()}
    return re.sub(r"^https?://[^/]+", base, urls) if isinstance(urls, str) else urls


async def compare(orders: int) -> None:
    """Print the cost of an order by venue and client, and the ratios."""
    _say("\none order: sign, encode, send, read (processor time of the client)")
    _say(f"  {'venue':<22}{'own gateway':>14}{'generic':>12}{'ccxt':>12}{'generic/own':>14}{'ccxt/own':>10}")
    chosen = [venue for venue in native() if CAPABILITIES[venue].kind is MarketKind.LINEAR]
    with SimulatorProcess(seed=5) as simulator:
        for number, venue in enumerate(chosen, 1):
            dialect = DIALECTS[venue]
            options = {"label": f"bench-{number}", "balance": "1000000", **dialect.account(number)}
            (opened,) = simulator.operator.open_accounts([options])
            key = ApiKey(opened["api_key"], opened["api_secret"], dialect.passphrase)
            with canned(simulator) as base_url:
                own = await by_pool(VenuePool({venue: settings(base_url)}, vault()), venue, key, orders)
                generic = None
                if venue in GENERIC:
                    pool = VenuePool({venue: settings(base_url)}, vault(), rows={venue: row(venue)})
                    generic = await by_pool(pool, venue, key, orders)
            with canned(simulator) as base_url:
                theirs = await by_library(venue, base_url, key, orders) if venue in _LIBRARY else None
            cells = f"{_us(generic)}{_us(theirs)}{_ratio(generic, own):>14}{_ratio(theirs, own):>10}"
            _say(f"  {venue.value:<22}{own:>11.0f} us{cells}")


def _us(value: float | None) -> str:
    return f"{'-':>12}" if value is None else f"{value:>9.0f} us"


def _ratio(value: float | None, own: float) -> str:
    return "-" if value is None else f"{value / own:.1f}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.accounts", description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=400)
    chosen = parser.parse_args()
    hold(chosen.accounts)
    uvloop.run(compare(chosen.orders))
    return 0


if __name__ == "__main__":
    sys.exit(main())
