"""The whole system as real processes, for end-to-end tests: simulated exchange, worker, beat, feed, and an App in the
test's own process to set things up and to look at the books with.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from sqlalchemy import text

from app.config.container import App, build
from app.config.settings import Settings, load
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Venue
from app.domain.shared.money import Money
from app.domain.shared.terms import CopyMode, CopyTerms
from app.domain.users.account import ApiKey, KeyPermissions
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from tests.contract.exchanges.dialects import DIALECTS
from tests.support.processes import ChildProcess
from tests.support.simulator import SimulatorProcess

_NUMBERS = itertools.count(10_000)

QUICK_FENCE: Mapping[str, object] = {
    "validity_ms": 1500,
    "engine_timeout_ms": 0,
    "clock_error_ms": 200,
    "absence_answers": 2,
    "absence_spread_ms": 200,
    "visibility_bound_ms": 200,
}


def environment(
    simulator: SimulatorProcess,
    dsn: str,
    redis_url: str,
    *,
    venues: Sequence[Venue] = (Venue.BINANCE_USDM,),
    **more: object,
) -> dict[str, str]:
    """Return the environment of every program of the system; `more` are settings by their plain names."""
    venue = {
        "base_url": simulator.base_url,
        "ws_url": simulator.ws_url,
        "wallet_url": simulator.base_url,
        "mark_age_max_s": 3600,
        "weight_per_minute": 10_000_000,
        "orders_per_10s": 1_000_000,
        **QUICK_FENCE,
    }
    settings = {
        "database_url": dsn,
        "redis_url": redis_url,
        "vault_keys": json.dumps({"test": base64.urlsafe_b64encode(bytes(range(32))).decode()}),
        "vault_active": "test",
        "id_secret": "a secret for client order ids",
        "venues": json.dumps({each.value: venue for each in venues}),
        "log_level": "INFO",
        **more,
    }
    return {f"COPYTRADE_{name.upper()}": str(value) for name, value in settings.items()}


def settings_of(env: Mapping[str, str]) -> Settings:
    """Read settings from an environment that is not this process's own."""
    kept = {name: os.environ.get(name) for name in env}
    os.environ.update(env)
    try:
        return load()
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class Follower:
    """A follower as it was set up."""

    user_id: UserId
    account_id: AccountId
    follow_id: FollowId
    simulator_account: str


class System:
    """The parts; `app` is the test's own view of the same database."""

    def __init__(self, simulator: SimulatorProcess, env: Mapping[str, str], app: App) -> None:
        self.simulator = simulator
        self.env = dict(env)
        self.app = app
        self.leaders: dict[WhaleId, Mapping[str, str]] = {}

    def start(self, *command: str) -> ChildProcess:
        """Start one of the programs (`work`, `beat`, `feed`, `serve`)."""
        return ChildProcess.python("-m", "app", *command, env={**os.environ, **self.env})

    async def make_leader(
        self, balance: str = "100000", label: str = "leader", venue: Venue = Venue.BINANCE_USDM
    ) -> WhaleId:
        """Open a leader's account at the exchange and make it a whale."""
        (opened,) = self._open([label], balance, venue)
        account = (await self._accounts([(label, opened, Decimal(balance))], venue))[0]
        async with self.app.uow() as uow:
            whale = await uow.whales.add(label, venue, account[1], WhaleTier.STANDARD)
            await uow.commit()
        self.leaders[whale.id] = opened
        return whale.id

    async def make_followers(
        self,
        whale: WhaleId,
        terms: Sequence[CopyTerms],
        balance: str = "10000",
        venue: Venue = Venue.BINANCE_USDM,
    ) -> list[Follower]:
        """Open one account at the exchange for each of `terms` and let it follow the whale."""
        labels = [f"follower-{whale}-{venue.value}-{number}" for number in range(len(terms))]
        opened = self._open(labels, balance, venue)
        made = await self._accounts([(o["label"], o, Decimal(balance)) for o in opened], venue)
        followers = []
        async with self.app.uow() as uow:
            for (user_id, account_id), agreed, at_exchange in zip(made, terms, opened, strict=True):
                follow = await uow.follows.add(user_id, whale, account_id, agreed)
                followers.append(Follower(user_id, account_id, follow.id, at_exchange["account_id"]))
            await uow.commit()
        return followers

    def _open(self, labels: Sequence[str], balance: str, venue: Venue) -> Sequence[Mapping[str, str]]:
        options = DIALECTS[venue].account
        return self.simulator.operator.open_accounts(
            [{**options(next(_NUMBERS)), "label": label, "balance": balance} for label in labels]
        )

    async def _accounts(
        self, wanted: Sequence[tuple[str, Mapping[str, str], Decimal]], venue: Venue
    ) -> list[tuple[UserId, AccountId]]:
        made = []
        now = self.app.clock.now()
        async with self.app.uow() as uow:
            for label, opened, _ in wanted:
                user = await uow.users.add(label, Role.FOLLOWER)
                account = await uow.accounts.add(user.id, venue, label)
                key = ApiKey(opened["api_key"], opened["api_secret"], DIALECTS[venue].passphrase)
                account.sealed = self.app.vault.seal(account.id, venue, key)
                account.judge(KeyPermissions(can_trade=True, can_withdraw=False, ip_restricted=True), now)
                await uow.accounts.save(account)
                made.append((user.id, account.id))
            await uow.commit()
        for (_, account_id), (_, _, balance) in zip(made, wanted, strict=True):
            await self.app.executions.sync_wallet(account_id, Money(balance), now)
        return made

    @property
    def leader(self) -> Mapping[str, str]:
        """The first leader's account at the exchange."""
        return next(iter(self.leaders.values()))

    @property
    def leader_accounts(self) -> frozenset[str]:
        """The exchange's ids of the leaders' accounts."""
        return frozenset(row["account_id"] for row in self.leaders.values())

    def lead(
        self,
        side: str,
        quantity: str,
        symbol: str = "BTCUSDT",
        parts: int = 1,
        *,
        whale: WhaleId | None = None,
    ) -> None:
        """Let a leader (the only one, when none is named) trade: one order in `parts` fills at the market's price."""
        leader = self.leaders[whale] if whale is not None else self.leader
        listed = f"{symbol.partition(':')[0].removesuffix('USD')}USDT" if ":" in symbol else symbol
        price = self.simulator.operator.get(f"/fapi/v1/premiumIndex?symbol={listed}")["markPrice"]
        step = Decimal("0.001")
        each = (Decimal(quantity) / parts).quantize(step, rounding=ROUND_FLOOR)
        sizes = [each] * (parts - 1) + [Decimal(quantity) - each * (parts - 1)]
        self.simulator.operator.post(
            "/sim/fills",
            {
                "account_id": leader["account_id"],
                "symbol": symbol,
                "side": side,
                "fills": [{"price": price, "quantity": str(size)} for size in sizes],
                "final": True,
            },
        )

    async def leader_watched(self) -> None:
        """Wait until the feed follows every leader."""
        await until(lambda: self.value("SELECT count(*) = 0 FROM whales WHERE watched_since IS NULL"))

    async def quiet(self, *, signals: int, seconds: float = 60) -> None:
        """Wait until so many signals were served and all their trades are settled."""
        await until(
            lambda: self.value(
                "SELECT (SELECT count(*) FROM signals WHERE state IN ('DONE', 'EXPIRED')) >= :n"
                " AND NOT EXISTS (SELECT FROM signals WHERE state IN ('PENDING', 'DISPATCHING'))"
                " AND NOT EXISTS (SELECT FROM decisions WHERE outcome = 'DEFERRED')"
                " AND NOT EXISTS (SELECT FROM trades WHERE NOT settled)",
                n=signals,
            ),
            seconds,
            what=f"{signals} served signals",
        )

    async def rows(self, sql: str, **values: object) -> list[Any]:
        """Return rows of a query on the app's database."""
        async with self.app.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).mappings())

    async def value(self, sql: str, **values: object) -> Any:
        """Return one value of a query on the app's database."""
        async with self.app.engine.connect() as connection:
            return await connection.scalar(text(sql), values)


async def until(
    condition: Callable[[], Awaitable[Any]], seconds: float = 60, *, what: str = "the condition"
) -> None:
    """Wait until an awaited condition holds; fail after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                # tidy: allow sleep-in-test the poll of a condition with its own deadline
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what} did not come about within {seconds} s") from None


@asynccontextmanager
async def running_system(
    dsn: str,
    redis_url: str,
    *,
    simulator: SimulatorProcess | None = None,
    venues: Sequence[Venue] = (Venue.BINANCE_USDM,),
    **more: object,
) -> AsyncIterator[System]:
    """Start the simulated exchange and an App on a migrated database; programs are started by the test."""
    exchange = simulator or SimulatorProcess(tape_ms=0).start()
    try:
        env = environment(exchange, dsn, redis_url, venues=venues, **more)
        async with build(settings_of(env)) as app:
            yield System(exchange, env, app)
    finally:
        if simulator is None:
            exchange.stop()


def fixed(amount: str, **more: Any) -> CopyTerms:
    """Return terms that copy a fixed notional and accept any drift that the domain allows."""
    return CopyTerms(mode=CopyMode.FIXED_AMOUNT, value=Decimal(amount), **more)
