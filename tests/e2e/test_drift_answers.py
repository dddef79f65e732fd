"""No answer of a venue is taken for a flat account: failed, empty, cut, stale or nonsense, at every venue's own wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from app.config.container import App, build
from app.domain.shared.market import Venue
from tests.support.fingerprint import fingerprint
from tests.support.hands import holds, trade_by_hand
from tests.support.system import Follower, System, fixed, running_system, until

pytestmark = pytest.mark.timeout(300)  # many venues at once, on machines with little to spare

Found = tuple[str, str, str]


@dataclass(frozen=True)
class Wire:
    """A venue's endpoints of positions and of executions, and what it says when there are none (empty: it has no answer of
    its own for that question).
    """

    positions: str
    nothing: str
    fills: str
    no_fills: str


_OKX_NONE = '{"code":"0","msg":"","data":[]}'
_BITGET_NONE = '{"code":"00000","msg":"success","requestTime":1700000000000,"data":[]}'


def _bybit(rows: str) -> str:
    result = f'{{"list":{rows},"nextPageCursor":"","category":"linear"}}'
    return f'{{"retCode":0,"retMsg":"OK","result":{result},"retExtInfo":{{}},"time":1700000000000}}'


WIRES: Mapping[Venue, Wire] = {
    Venue.BINANCE_USDM: Wire("GET /fapi/v2/positionRisk", "[]", "GET /fapi/v1/userTrades", "[]"),
    Venue.BINANCE_SPOT: Wire("GET /api/v3/account", '{"balances":[]}', "GET /api/v3/myTrades", "[]"),
    Venue.BYBIT_LINEAR: Wire("GET /v5/position/list", _bybit("[]"), "GET /v5/execution/list", _bybit("[]")),
    Venue.BYBIT_SPOT: Wire(
        "GET /v5/account/wallet-balance", _bybit('[{"coin":[]}]'), "GET /v5/execution/list", _bybit("[]")
    ),
    Venue.OKX_SWAP: Wire("GET /api/v5/account/positions", _OKX_NONE, "GET /api/v5/trade/fills", _OKX_NONE),
    Venue.OKX_SPOT: Wire(
        "GET /api/v5/account/balance",
        '{"code":"0","msg":"","data":[{"details":[]}]}',
        "GET /api/v5/trade/fills",
        _OKX_NONE,
    ),
    Venue.BITGET_USDT_FUTURES: Wire(
        "GET /api/v2/mix/position/all-position",
        _BITGET_NONE,
        "GET /api/v2/mix/order/fills",
        _BITGET_NONE.replace("[]", '{"fillList":null,"endId":null}'),
    ),
    Venue.BITGET_SPOT: Wire(
        "GET /api/v2/spot/account/assets", _BITGET_NONE, "GET /api/v2/spot/trade/fills", _BITGET_NONE
    ),
    # One door for every question: the answer to the first of them is what the fault replaces.
    Venue.HYPERLIQUID: Wire(
        "POST /info",
        '{"assetPositions":[],"crossMarginSummary":{"accountValue":"10000","totalMarginUsed":"0","totalNtlPos":"0",'
        '"totalRawUsd":"10000"},"withdrawable":"10000","time":1700000000000}',
        "POST /info",
        "",
    ),
}

UNREADABLE: Mapping[str, Callable[[str], Mapping[str, object]]] = {
    "429": lambda body: {"kind": "http_status", "status": 429, "body": "Too Many Requests", "retry_after": 1},
    "418": lambda body: {"kind": "http_status", "status": 418, "body": '{"code":-1003,"msg":"banned"}'},
    "500": lambda body: {"kind": "http_status", "status": 500, "body": ""},
    "503 with a flat body": lambda body: {"kind": "http_status", "status": 503, "body": body},
    "time-out": lambda body: {"kind": "timeout_before"},
    "reset midway": lambda body: {"kind": "reset_midway"},
    "cut": lambda body: {"kind": "http_status", "status": 200, "body": body[: len(body) // 2]},
    "empty 200": lambda body: {"kind": "empty"},
    "HTML": lambda body: {"kind": "html"},
    "garbage": lambda body: {"kind": "garbage"},
    "null": lambda body: {"kind": "http_status", "status": 200, "body": "null"},
    "an empty object": lambda body: {"kind": "http_status", "status": 200, "body": "{}"},
}

BANS = {"429", "418"}
"""A ban counts for all markets of an exchange: once one of them was told, the others may not be asked any more."""


@asynccontextmanager
async def asked_anew(system: System) -> AsyncIterator[App]:
    """Yield an App that remembers nothing of what the venues said before, with their listings read."""
    await system.app.redis.flushdb()
    async with build(system.app.settings) as app:
        for each in await app.reconciliation.book.accounts():
            await app.venues.gateway(each.account_id, each.venue, each.sealed).positions()
        yield app


async def looks(app: App) -> Mapping[int, list[Found]]:
    """Compare every account once; return what was found and not known before, by account."""
    accounts = await app.reconciliation.book.accounts()
    found = await asyncio.gather(*(app.reconciliation.account(each) for each in accounts))
    return {
        int(account.account_id): [
            (each.cause.value, each.what, each.told) for each in rows if each.cause.value != "MANUAL_TRADE"
        ]
        for account, rows in zip(accounts, found, strict=True)
    }


def break_doors(system: System, followers: Mapping[Venue, Follower], part: str, name: str) -> None:
    """Let one part of every venue answer so: as `UNREADABLE` says by its name, or "nothing" in a well-formed answer."""
    for venue, wire in WIRES.items():
        door, body = (wire.positions, wire.nothing) if part == "positions" else (wire.fills, wire.no_fills)
        fault: Mapping[str, Any] = {"kind": "http_status", "status": 200, "body": body}
        if name != "nothing":
            fault = UNREADABLE[name](body)
        whose: Mapping[str, Any] = {"account_id": followers[venue].simulator_account}
        if venue is Venue.HYPERLIQUID:  # questions there name no account; the first two are about positions
            whose = {"times": 2} if name == "nothing" else {}
        if door and not (name == "nothing" and not body):
            system.simulator.operator.add_fault(door, **fault, **whose)


def untouched(system: System, name: str) -> list[str]:
    """Return the doors at which no fault struck, for there the case would prove nothing; of a ban, the exchanges at none of
    whose doors it did.
    """
    rules = system.simulator.operator.get("/sim/faults")["rules"]
    shut = {rule["endpoint"] for rule in rules if rule["struck"]}
    if name not in BANS:
        return sorted({rule["endpoint"] for rule in rules} - shut)
    told = {_exchange(venue) for venue, wire in WIRES.items() if wire.positions in shut}
    return sorted({_exchange(venue) for venue in WIRES} - told)


def _exchange(venue: Venue) -> str:
    return venue.value.partition("-")[0]


@asynccontextmanager
async def all_holding(dsn: str, redis_url: str) -> AsyncIterator[tuple[System, Mapping[Venue, Follower]]]:
    """Yield a system at rest in which one follower on each venue holds 0.01 BTC, or what a fee left of it."""
    async with running_system(
        dsn, redis_url, venues=tuple(WIRES), entry_ttl_s=120, drift_spread_s=60, reconcile_every_s=600
    ) as system:
        whale = await system.make_leader()
        followers = {
            venue: (await system.make_followers(whale, [fixed("640")], venue=venue))[0] for venue in WIRES
        }
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await until(
                lambda: system.value("SELECT count(*) = :n AND bool_and(settled) FROM trades", n=len(WIRES)),
                what="all hold",
            )
        yield system, followers


async def test_an_answer_that_cannot_be_read_is_unknown_at_every_venue_and_writes_nothing(
    database_dsn: str, redis_url: str
) -> None:
    wrong: list[str] = []
    async with all_holding(database_dsn, redis_url) as (system, followers):
        venue_of = {int(each.account_id): venue for venue, each in followers.items()}
        for name in UNREADABLE:
            async with asked_anew(system) as app:
                before = await fingerprint(app.engine)
                break_doors(system, followers, "positions", name)
                found = await looks(app)
                wrong += [f"{name}: no fault struck at {door}" for door in untouched(system, name)]
                system.simulator.operator.clear_faults()
                wrong += [
                    f"{name} at {venue_of[account]}: {rows}"
                    for account, rows in found.items()
                    if [row[:2] for row in rows] != [("UNKNOWN", "account")]
                ]
                if await fingerprint(app.engine) != before:
                    wrong.append(f"{name}: something was written")
        async with asked_anew(system) as app:
            assert all(rows == [] for rows in (await looks(app)).values())
    assert wrong == []


async def test_a_well_formed_answer_of_nothing_is_a_difference_to_look_at_again_and_passes_when_it_was_stale(
    database_dsn: str, redis_url: str
) -> None:
    async with all_holding(database_dsn, redis_url) as (system, followers):
        orders = await asyncio.to_thread(system.simulator.operator.ledger, "orders")
        async with asked_anew(system) as app:
            before = await fingerprint(app.engine, but={"drift_marks"})
            break_doors(system, followers, "positions", "nothing")
            found = await looks(app)
            assert untouched(system, "nothing") == []
            system.simulator.operator.clear_faults()
            venue_of = {int(each.account_id): venue for venue, each in followers.items()}
            told = {venue_of[account]: rows for account, rows in found.items()}
            # Its one door answers other questions too: one of them may take the answer that was meant for this one.
            if told[Venue.HYPERLIQUID] == []:
                del told[Venue.HYPERLIQUID]
            assert told == {venue: [("UNKNOWN", "BTC-USDT", "look 1 of 3")] for venue in told}
            assert told.keys() >= WIRES.keys() - {Venue.HYPERLIQUID}
            marks = "SELECT count(*) FROM drift_marks WHERE what = 'BTC-USDT' AND kind = 'UNKNOWN'"
            assert await system.value(marks) == len(told)
            assert all(rows == [] for rows in (await looks(app)).values()), "the next answer is whole"
            assert await system.value("SELECT count(*) FROM drift_marks WHERE kind = 'UNKNOWN'") == 0
            assert await fingerprint(app.engine, but={"drift_marks"}) == before
        assert (
            await asyncio.to_thread(system.simulator.operator.ledger, "orders") == orders
        ), "nothing was sent"


async def test_executions_that_cannot_be_read_or_are_not_told_yet_explain_nothing_and_later_do(
    database_dsn: str, redis_url: str
) -> None:
    wrong: list[str] = []
    async with all_holding(database_dsn, redis_url) as (system, followers):
        lots = await system.rows("SELECT quantity FROM positions ORDER BY follow_id")
        for name in ("500", "HTML", "cut", "empty 200", "time-out", "nothing"):
            async with asked_anew(system) as app:
                if name == "500":
                    for venue, each in followers.items():
                        is_spot = venue.value.endswith("-spot")  # there the owner's own coin goes first
                        sold = ("1.004", "BTCUSDT:SPOT") if is_spot else ("0.004", "BTCUSDT")
                        await trade_by_hand(system, each, "SELL", sold[0], symbol=sold[1])
                break_doors(system, followers, "fills", name)
                found = await looks(app)
                wrong += [f"{name}: no fault struck at {door}" for door in untouched(system, name)]
                system.simulator.operator.clear_faults()
            for venue, each in followers.items():
                if name == "nothing" and not WIRES[venue].no_fills:
                    continue
                rows = found[each.account_id]
                if not rows or any(row[0] != "UNKNOWN" for row in rows):
                    wrong.append(f"{name} at {venue}: {rows}")
        async with asked_anew(system) as app:
            await looks(app)
        booked = await system.value("SELECT count(*) FROM decisions WHERE code = 'CLOSED_EXTERNALLY'")
        assert booked == len(WIRES), "once they are told, every one is booked"
        assert await holds(system, [str(row["quantity"] - Decimal("0.004")) for row in lots])
    assert wrong == []
