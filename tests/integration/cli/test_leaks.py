"""Secrets in what the programs show: every command's output, and every message that wakes a worker, holds ids only."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import typer

from app.domain.shared.market import Venue
from app.domain.signals.priority import Lane
from app.infrastructure.celery_bell import DISPATCH, make_celery
from app.presentation.cli.main import cli
from tests.support.leaks import Broker, Search
from tests.support.processes import ChildProcess
from tests.support.system import System, fixed, running_system, settings_of

PROGRAMS = frozenset({"demo", "serve", "work", "beat", "feed"})
"""They run until they are stopped. The demo has made-up accounts; work, beat and feed are heard while they copy."""

MARK = "=" * 20 + " next"
ONE_BY_ONE = f"""
import json, os, sys
from app.presentation.cli.main import cli

before = dict(os.environ)
for command, env in json.loads(sys.argv[1]):
    os.environ.update(before | env)
    try:
        cli(args=command, prog_name="copytrade")
    except SystemExit as end:
        print("ended with", end.code, flush=True)
    sys.stderr.flush()
    print({MARK!r}, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command, and what its environment has beyond the system's."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture
async def system(database_dsn: str, redis_url: str) -> AsyncIterator[System]:
    async with running_system(database_dsn, redis_url, log_level="DEBUG", entry_ttl_s=600) as made:
        yield made


async def secrets_of(system: System) -> Search:
    """Every key that is kept, opened and sealed, and what the programs themselves are opened with."""
    found: list[str | bytes] = []
    for row in await system.rows("SELECT id, sealed FROM accounts"):
        key = system.app.vault.open(row["id"], Venue.BINANCE_USDM, row["sealed"])
        found += [key.key, key.secret, bytes(row["sealed"])]
    settings = settings_of(system.env)
    found += [secret.get_secret_value() for secret in settings.vault_keys.values()]
    found.append(settings.id_secret.get_secret_value())
    for url in (system.env["COPYTRADE_DATABASE_URL"], system.env["COPYTRADE_REDIS_URL"]):
        found += [word for word in [urlsplit(url).password] if word]
    return Search(tuple(found))


async def copied(system: System) -> str:
    """Let two followers copy an entry and its exit; return what the programs said."""
    whale = await system.make_leader()
    await system.make_followers(whale, [fixed("500")] * 2)
    with system.start("work") as work, system.start("beat") as beat, system.start("feed") as feed:
        await system.leader_watched()
        system.lead("BUY", "0.1")
        await system.quiet(signals=1)
        system.lead("SELL", "0.1")
        await system.quiet(signals=2)
        return f"{work.output}\n{beat.output}\n{feed.output}"


async def commands(system: System) -> list[Run]:
    """Every command but the programs, with what makes it tell the most."""
    order = await system.rows("SELECT client_order_id, signal_id, follow_id, account_id FROM orders LIMIT 1")
    one = order[0]
    account, user = str(one["account_id"]), str(await system.value("SELECT min(id) FROM users"))
    told: list[tuple[str, ...]] = [
        ("doctor",),
        ("operator", "Olga"),
        ("audit", "--json"),
        ("reconcile",),
        ("accept", account, "BTC-USDT", "--write", "--by", "Olga", "--reason", "seen"),
        ("orders", "show", one["client_order_id"]),
        ("orders", "show", str(one["signal_id"]), str(one["follow_id"]), "--json"),
        ("events", "parked"),
        ("events", "redrive", "--all"),
        ("halt", "user", user, "--close"),
        ("resume", "user", user),
        ("migrate",),
    ]
    return [Run(command) for command in told]


def failures(system: System) -> list[Run]:
    """Another vault key, a broker and a database that are away: what fails may tell no more."""
    keys = system.env["COPYTRADE_VAULT_KEYS"]
    assert "AAEC" in keys
    away = "postgresql://nobody:canary-of-postgres@127.0.0.1:1/none"
    return [
        Run(("reconcile",), {"COPYTRADE_VAULT_KEYS": keys.replace("AAEC", "AAED")}),
        Run(("doctor",), {"COPYTRADE_REDIS_URL": "redis://:canary-of-redis@127.0.0.1:1/0"}),
        Run(("doctor",), {"COPYTRADE_DATABASE_URL": away}),
        Run(("audit",), {"COPYTRADE_DATABASE_URL": away}),
    ]


async def shown(system: System, *runs: Run) -> list[str]:
    """What each run writes to either stream. One process runs them all, for its start costs more than they do."""
    told = json.dumps([(run.command, dict(run.env)) for run in runs])
    with ChildProcess.python("-c", ONE_BY_ONE, told, env={**os.environ, **system.env}) as child:
        code = await asyncio.to_thread(child.wait, 90)
        output = child.output
    parts = output.split(MARK)
    assert (code, len(parts)) == (0, len(runs) + 1), output
    for run, part in zip(runs, parts, strict=False):
        assert part.strip(), run
        assert re.search(r"ended with [01]$", part.strip()), part
        assert "Traceback" not in part
    return parts


def names(group: Any, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= names(command, (*before, name)) if inner else {(*before, name)}
    return found


async def test_no_command_no_program_and_no_message_shows_a_secret(system: System, redis_url: str) -> None:
    async with Broker(redis_url) as broker:
        told = await copied(system)
        messages, sent = await broker.tasks(), await broker.everything()
    search = await secrets_of(system)
    assert len(search.parts) >= 3 * 3 + 2
    assert search.found_in(told) == []
    assert {message.task for message in messages} > {DISPATCH}, "the beat's tasks too"
    for message in messages:
        ids, named = message.arguments
        assert [str(UUID(each)) for each in ids] == ids
        assert named == {}
    assert search.found_in(sent) == []

    table = [*await commands(system), *failures(system)]
    every = names(typer.main.get_command(cli))
    tried = {name for name in every for run in table if run.command[: len(name)] == name}
    assert every - tried == {(program,) for program in PROGRAMS}
    search = Search((*search.parts, "canary-of-redis", "canary-of-postgres"))
    for run, output in zip(table, await shown(system, *table), strict=False):
        assert search.found_in(output) == [], run


async def test_the_search_bites_in_the_output_of_a_command_and_in_a_message(
    system: System, redis_url: str
) -> None:
    await copied(system)
    search = await secrets_of(system)
    key, _, sealed = search.parts[:3]
    assert isinstance(key, str)
    assert isinstance(sealed, bytes)
    async with system.app.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE orders SET message = $1", (f"signed with {key}",))
    order = await system.value("SELECT client_order_id FROM orders LIMIT 1")
    [told, _] = await shown(system, Run(("orders", "show", order)))
    assert search.found_in(told) == [key]
    celery = make_celery(redis_url)
    async with Broker(redis_url) as broker:
        for planted in (key, sealed.hex()):
            await asyncio.to_thread(celery.send_task, DISPATCH, [planted], queue=Lane.EXITS.value)
        assert search.found_in(await broker.everything()) == [key, str(sealed)]
        assert [message.arguments[0] for message in await broker.tasks()] == [[key], [sealed.hex()]]
