"""What one signal to N followers costs, beside the bare cost of sending the same signed orders.

`python -m bench.fanout --followers 1000 --rounds 5`. Each round sends N signed market orders bare (the product's own HTTP
client, signing and connection pool; no database, no planning, replies not parsed), then lets the product copy one
signal to N followers: planned, held, committed, sent, settled, on durable PostgreSQL. Both meet the same simulated
exchange in the same run, so that the ratio holds on a busy machine. The run fails if the exchange did not receive
exactly one order for each follower and signal.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

import uvloop

from app.application.signals.ingest import LeaderFacts
from app.config.venues import venue_settings
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill
from app.domain.shared.ids import ClientOrderId, WhaleId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Quantity
from app.domain.signals.priority import Lane
from app.domain.users.account import ApiKey
from app.domain.whales.intent import Burst
from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.valkey import EmbeddedValkey
from app.infrastructure.exchanges.binance.wire.orders import place_text
from app.infrastructure.exchanges.binance.wire.signing import signed
from app.infrastructure.exchanges.http import AiohttpTransport
from app.infrastructure.postgres import migrate
from tests.support.system import System, fixed, running_system

SYMBOL = Symbol("BTC-USDT")
AT_ONCE = 96


@dataclass(frozen=True)
class Round:
    """One round's figures in seconds; `acks` run from the signal's arrival to each order's answer in the database."""

    bare: float
    copied: float
    acks: Sequence[float]


class Bench:
    """One system with N followers and as many bare accounts, and its rounds."""

    def __init__(self, system: System, whale: WhaleId, bare_keys: Sequence[ApiKey]) -> None:
        self._system = system
        self._whale = whale
        self._bare_keys = bare_keys
        self._signals = 0

    async def round(self, number: int) -> Round:
        """Send bare, then copy an open, then close it to begin anew."""
        instrument = await self._system.app.venues.instrument(Venue.BINANCE_USDM, SYMBOL)
        bare = await self._bare(instrument, number)
        copied = await self._copy(instrument, Side.BUY)
        acks = await self._acks()
        await self._system.quiet(signals=self._signals, seconds=120)
        await self._copy(instrument, Side.SELL)
        await self._system.quiet(signals=self._signals, seconds=120)
        return Round(bare, copied, acks)

    async def _bare(self, instrument: Instrument, number: int) -> float:
        """Sign and send one order for each bare account; nothing else."""
        settings = venue_settings(self._system.app.settings)[Venue.BINANCE_USDM]
        transport = AiohttpTransport(settings)
        url = settings.base_url + "/fapi/v1/order"
        now_ms = self._system.app.venues.now_ms(Venue.BINANCE_USDM)
        side = Side.BUY if number % 2 == 0 else Side.SELL
        lanes = asyncio.Semaphore(AT_ONCE)

        async def one(index: int, key: ApiKey) -> None:
            order = PlaceOrder(
                instrument,
                side,
                Quantity(Decimal("0.007")),
                False,
                ClientOrderId(f"b{number}-{index}"),
                now_ms,
                60_000,
            )
            body = signed(key.secret.encode(), place_text(order)).encode()
            headers = {"X-MBX-APIKEY": key.key, "Content-Type": "application/x-www-form-urlencoded"}
            async with lanes:
                reply = await transport.request("POST", url, headers, body, 30)
            if reply.status != HTTPStatus.OK:
                raise SystemExit(f"A bare order was refused: {reply.status} {reply.body[:200]!r}")

        try:
            gc.collect()
            start = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for index, key in enumerate(self._bare_keys):
                    group.create_task(one(index, key))
            return time.perf_counter() - start
        finally:
            await transport.close()

    async def _copy(self, instrument: Instrument, side: Side) -> float:
        """Let the product take in one leader fill and copy it; until the last answer is in the books."""
        app = self._system.app
        self._signals += 1
        async with app.uow() as uow:
            whale = await uow.whales.get(self._whale)
        price = app.venues.mark(Venue.BINANCE_USDM, SYMBOL)[0]
        trade = str(self._signals)
        fill = Fill(
            Venue.BINANCE_USDM, SYMBOL, trade, trade, trade, side, price, Quantity(Decimal(1)), NO_MONEY, NO_MONEY,
            app.clock.now(), order_final=True,
        )  # fmt: skip
        gc.collect()
        start = time.perf_counter()
        await app.ingest(whale, Burst(SYMBOL, trade, (fill,)), instrument, LeaderFacts(None, None))
        await app.dispatch(tuple(Lane))
        return time.perf_counter() - start

    async def _acks(self) -> Sequence[float]:
        rows = await self._system.rows(
            "SELECT extract(epoch FROM o.acked_at - s.created_at) AS took FROM orders o JOIN signals s"
            " ON s.id = o.signal_id WHERE s.seq = (SELECT max(seq) FROM signals) AND o.acked_at IS NOT NULL"
        )
        return sorted(float(row["took"]) for row in rows)


async def run(followers: int, rounds: int, home: Path) -> int:
    """Run everything and print the figures; 0 when the exchange's ledger has one order for each follower and signal."""
    with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
        dsn, redis_url = postgres.start(), valkey.start()
        await asyncio.to_thread(migrate.upgrade, dsn)
        async with running_system(dsn, redis_url, entry_ttl_s=600, log_level="WARNING") as system:
            whale = await system.make_leader()
            await system.make_followers(whale, [fixed("500")] * followers)
            bare = system.simulator.operator.open_accounts(
                [{"label": f"bare-{n}", "balance": "1000000"} for n in range(followers)]
            )
            keys = [ApiKey(account["api_key"], account["api_secret"]) for account in bare]
            bench = Bench(system, whale, keys)
            with system.start("feed"):
                await system.leader_watched()
                measured = [await bench.round(number) for number in range(rounds + 1)][1:]
            orders = await asyncio.to_thread(system.simulator.operator.ledger, "orders")
    _print(followers, measured)
    ours = Counter(order["account_id"] for order in orders if order["client_order_id"].startswith("c"))
    fair = len(ours) == followers and set(ours.values()) == {2 * (rounds + 1)}
    sys.stdout.write(f"one order for each follower and signal at the exchange: {'yes' if fair else 'NO'}\n")
    return 0 if fair else 1


def _print(followers: int, rounds: Sequence[Round]) -> None:
    ratios = [r.copied / r.bare for r in rounds]
    copied = statistics.median(r.copied for r in rounds)
    bare = statistics.median(r.bare for r in rounds)
    p50 = statistics.median(r.acks[len(r.acks) // 2] for r in rounds)
    p99 = statistics.median(r.acks[int(len(r.acks) * 0.99)] for r in rounds)
    first = statistics.median(r.acks[0] for r in rounds)
    lines = (
        f"followers {followers}, rounds {len(rounds)} after one to warm up; medians",
        f"bare: sign and send      {bare * 1e3:9.1f} ms  {followers / bare:9.0f} orders/s",
        f"copy one signal          {copied * 1e3:9.1f} ms  {followers / copied:9.0f} orders/s",
        f"ratio copy / bare        {statistics.median(ratios):9.2f}     (min {min(ratios):.2f}, max {max(ratios):.2f})",
        f"answer in the books: first {first * 1e3:.1f} ms, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms",
    )
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description=__doc__)
    parser.add_argument("--followers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copytrade-bench-") as folder:
        return uvloop.run(run(chosen.followers, chosen.rounds, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
