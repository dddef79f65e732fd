"""Reconciling by hand: bring what was left to an end, then compare every account with the venue."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Annotated, Final

import typer

from app.application.trading.drift import Drift, DriftKind
from app.application.trading.recover import Recover
from app.config.operations import Reconciling, opened_reconciling
from app.config.settings import Settings
from app.presentation.cli.running import run_tool

_AT_ONCE: Final = 8
_NEXT_LOOK_S: Final = 1.0


def reconcile(
    passes: Annotated[
        int, typer.Option(min=1, max=1000, help="Recovery passes at most, one until nothing is found.")
    ] = 20,
) -> None:
    """Recover what was left, then compare every account with the venue; exit 1 when anything differs or is unknown."""

    async def run(settings: Settings) -> bool:
        async with opened_reconciling(settings, partial(asyncio.sleep, _NEXT_LOOK_S)) as tools:
            finished = await _recover(tools.recover, passes)
            return await _compare(tools) and finished

    run_tool(run)


async def _recover(recover: Recover, passes: int) -> bool:
    for number in range(1, passes + 1):
        did = await recover()
        if did.nothing:
            typer.echo(f"pass {number}: nothing left to do now")
            return True
        typer.echo(
            f"pass {number}: {did.looked_up} looked up, {did.booked_late} booked late, "
            f"{did.sent_again} sent again, {did.given_up} given up"
        )
    typer.echo(f"still at work after {passes} passes")
    return False


async def _compare(tools: Reconciling) -> bool:
    accounts = await tools.book.accounts()
    lanes = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> tuple[Drift, ...]:
        async with lanes:
            return tuple(await tools.find_drift(accounts[number]))

    found = await asyncio.gather(*(one(number) for number in range(len(accounts))))
    drifts = [drift for each in found for drift in each]
    for drift in drifts:
        typer.echo(_line(drift))
    kinds = Counter(drift.kind for drift in drifts)
    told = ", ".join(f"{number} {kind.value}" for kind, number in sorted(kinds.items()))
    typer.echo(f"{len(accounts)} accounts compared: {told or 'no drift'}")
    return not drifts


def _line(drift: Drift) -> str:
    if drift.kind is DriftKind.UNKNOWN:
        return f"account {drift.account_id}: unknown, {drift.theirs}"
    return f"account {drift.account_id}: {drift.kind.value} {drift.what}: ours {drift.ours}, theirs {drift.theirs}"
