"""The audit as a command: a table of findings, one line each, and a status that an alarm can be hung on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from app.application.trading.audit import AuditBounds, Finding
from app.config.operations import opened_auditor
from app.config.settings import Settings
from app.presentation.cli.running import run_tool


def audit(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON document.")] = False,
    unsettled_s: Annotated[
        int, typer.Option("--unsettled-s", min=0, help="Seconds after which an open trade is called stuck.")
    ] = 300,
    in_doubt_s: Annotated[
        int, typer.Option("--in-doubt-s", min=0, help="Seconds after which an unknown order is called stuck.")
    ] = 120,
    deferred_s: Annotated[
        int,
        typer.Option("--deferred-s", min=0, help="Seconds after which a deferred decision is called stuck."),
    ] = 600,
    timeout_s: Annotated[
        int, typer.Option("--timeout-s", min=1, max=600, help="Seconds that one check may take.")
    ] = 30,
) -> None:
    """Check the books' invariants without writing; exit 1 when one is broken or could not be checked."""
    bounds = AuditBounds(
        unsettled=timedelta(seconds=unsettled_s),
        in_doubt=timedelta(seconds=in_doubt_s),
        deferred=timedelta(seconds=deferred_s),
    )

    async def run(settings: Settings) -> bool:
        async with opened_auditor(settings, timedelta(seconds=timeout_s)) as auditor:
            findings = await auditor.findings(bounds)
        typer.echo(
            json.dumps([asdict(finding) for finding in findings], indent=2) if as_json else _table(findings)
        )
        return all(finding.is_clean for finding in findings)

    run_tool(run)


def _table(findings: Sequence[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines = [_line(finding, width) for finding in findings]
    broken = sum(not finding.is_clean for finding in findings)
    end = "The books agree." if not broken else f"{broken} of {len(findings)} checks are not clean."
    return "\n".join([*lines, end])


def _line(finding: Finding, width: int) -> str:
    count = "?" if finding.count is None else str(finding.count)
    line = f"{count:>7}  {finding.name:<{width}}"
    if finding.is_clean:
        return line.rstrip()
    if finding.count is None:
        return f"{line}  Not answered in time: {finding.sentence}"
    return f"{line}  {finding.sentence} For example {finding.example}."
