"""Reconciling by hand: bring what was left to an end, then compare every account with its venue and answer what differs,
by the same code as the workers' beat.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import typer

from app.application.trading.drift import Drift, DriftKind
from app.application.trading.reconcile import Finding
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

    async def one(number: int) -> tuple[Sequence[Finding], Sequence[Drift]]:
        async with lanes:
            found = await tools.reconcile(accounts[number])
            if any(finding.what == "account" for finding in found):
                return found, ()  # it cannot be asked for its orders either
            drifts = await tools.find_drift(accounts[number])
            # Positions were answered already, and some differ by right: what the owner holds for himself.
            return found, [drift for drift in drifts if drift.kind is not DriftKind.POSITION]

    pairs = await asyncio.gather(*(one(number) for number in range(len(accounts))))
    findings = [finding for found, _ in pairs for finding in found]
    drifts = [drift for _, each in pairs for drift in each]
    for line in (*map(_finding_line, findings), *map(_line, drifts)):
        typer.echo(line)
    kinds = Counter([finding.cause.value for finding in findings] + [drift.kind.value for drift in drifts])
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    typer.echo(f"{len(accounts)} accounts compared: {told or 'no drift'}")
    return not drifts and not any(finding.is_open for finding in findings)


def _finding_line(finding: Finding) -> str:
    if finding.what == "account":
        return f"account {finding.account_id}: unknown, {finding.told}"
    return (
        f"account {finding.account_id}: {finding.cause.value} {finding.what}: ours {finding.ours}, "
        f"theirs {finding.theirs}: {finding.told}"
    )


def _line(drift: Drift) -> str:
    if drift.kind is DriftKind.UNKNOWN:
        return f"account {drift.account_id}: unknown, {drift.theirs}"
    return f"account {drift.account_id}: {drift.kind.value} {drift.what}: ours {drift.ours}, theirs {drift.theirs}"
