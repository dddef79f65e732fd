"""Protection that rests at the exchange, on real processes: it closes once, on the right side, and leaves with the position."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from app.domain.shared.money import Ratio
from app.domain.shared.protection_terms import ProtectionTerms, TakeProfit, UnprotectedPolicy
from app.domain.shared.terms import CopyTerms
from tests.support.books import books_differ
from tests.support.system import System, fixed, running_system, until


def ratio(text: str) -> Ratio:
    return Ratio(Decimal(text))


def terms(**protection: object) -> CopyTerms:
    return fixed("640", protection=ProtectionTerms(**protection))  # type: ignore[arg-type]  # a table of fields


STOP = terms(stop_loss=ratio("0.02"))
LADDER = terms(
    stop_loss=ratio("0.05"),
    take_profits=(TakeProfit(ratio("0.01"), ratio("0.5")), TakeProfit(ratio("0.03"), ratio("0.5"))),
)
TRAILING = terms(trailing=ratio("0.02"))
BREAK_EVEN = terms(stop_loss=ratio("0.1"), break_even_after=ratio("0.015"))


async def resting(system: System, number: int) -> bool:
    return bool(
        await system.value("SELECT count(*) = :n FROM protections WHERE state = 'RESTING'", n=number)
        and await system.value(
            "SELECT count(*) = 0 FROM protections WHERE state IN ('PLACING', 'UNKNOWN', 'CANCELING')"
        )
    )


async def held(system: System, wanted: list[str]) -> bool:
    rows = await system.rows("SELECT quantity FROM positions ORDER BY follow_id")
    return [row["quantity"] for row in rows] == [Decimal(size) for size in wanted]


async def settled(system: System) -> bool:
    return bool(await system.value("SELECT count(*) = 0 FROM trades WHERE NOT settled"))


async def test_each_kind_of_protection_closes_once_and_the_rest_leaves_with_the_leader(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        prices = system.simulator.operator.set_prices
        whale = await system.make_leader()
        await system.make_followers(whale, [STOP, LADDER, TRAILING, BREAK_EVEN, fixed("640")])
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(partial(resting, system, 6), what="stops and the ladder rest")
            prices(BTCUSDT="64700.0")  # the first rung of the ladder
            await until(partial(held, system, ["0.01", "0.005", "0.01", "0.01", "0.01"]), what="half is sold")
            prices(BTCUSDT="65300.0")  # from here on the stop of the fourth stands at its entry
            await until(partial(_stop_stands_at, system, 4, "64000"), what="the stop has moved to the entry")
            await until(partial(_stop_stands_at, system, 3, "63990"), what="the stop trails")
            prices(BTCUSDT="63980.0")
            await until(partial(held, system, ["0.01", "0.005", "0", "0", "0.01"]), what="two are stopped")
            prices(BTCUSDT="62500.0")
            await until(partial(held, system, ["0", "0.005", "0", "0", "0.01"]), what="the first is stopped")
            await until(partial(settled, system), what="all is booked")
            system.lead("SELL", "0.1")
            await until(partial(held, system, ["0"] * 5), what="the leader's close closes the rest")
            await until(partial(resting, system, 0), what="nothing rests any more")
            await until(partial(settled, system), what="all is booked")
        assert await books_differ(system) == []
        codes = await system.rows("SELECT code, count(*) AS n FROM decisions GROUP BY code ORDER BY code")
        assert {row["code"]: row["n"] for row in codes} == {
            "AS_ASKED": 5 + 2,
            "NOTHING_TO_CLOSE": 3,
            "PROTECTION_TRIGGERED": 4,
        }


async def _stop_stands_at(system: System, follow: int, least: str) -> bool:
    return bool(
        await system.value(
            "SELECT count(*) = 1 AND min(trigger) >= CAST(:least AS numeric) FROM protections"
            " WHERE follow_id = (SELECT id FROM follows ORDER BY id OFFSET :n LIMIT 1) AND rung = 'SL'"
            " AND state = 'RESTING'",
            least=least,
            n=follow - 1,
        )
    )


async def test_a_short_is_stopped_above_and_takes_its_profit_below(database_dsn: str, redis_url: str) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        prices = system.simulator.operator.set_prices
        whale = await system.make_leader()
        await system.make_followers(whale, [STOP, LADDER])
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("SELL", "0.1")
            await system.quiet(signals=1)
            await until(partial(resting, system, 4), what="stops and the ladder rest")
            prices(BTCUSDT="63300.0")
            await until(partial(held, system, ["-0.01", "-0.005"]), what="half is bought back")
            prices(BTCUSDT="65400.0")
            await until(partial(held, system, ["0", "-0.005"]), what="the first is stopped")
            await until(partial(settled, system), what="all is booked")
            system.lead("BUY", "0.1")
            await until(partial(held, system, ["0", "0"]), what="the rest leaves with the leader")
            await until(partial(resting, system, 0), what="nothing rests any more")
            await until(partial(settled, system), what="all is booked")
        assert await books_differ(system) == []


async def test_a_position_whose_stop_cannot_be_placed_is_closed_where_its_terms_say_so(
    database_dsn: str, redis_url: str
) -> None:
    closing = terms(stop_loss=ratio("0.02"), unprotected=UnprotectedPolicy.CLOSE)
    async with running_system(database_dsn, redis_url, entry_ttl_s=120, unprotected_max_s=2) as system:
        system.simulator.operator.add_fault("POST /fapi/v1/algoOrder", "http_status", status=503)
        whale = await system.make_leader()
        await system.make_followers(whale, [STOP, closing])
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(
                partial(held, system, ["0.01", "0"]), what="the second is closed, the first is told of"
            )
            system.simulator.operator.clear_faults()
            await until(partial(resting, system, 1), what="the first is protected after all")
            system.lead("SELL", "0.1")
            await until(partial(held, system, ["0", "0"]), what="the leader's close closes the first")
            await until(partial(resting, system, 0), what="nothing rests any more")
            await until(partial(settled, system), what="all is booked")
        assert await books_differ(system) == []
