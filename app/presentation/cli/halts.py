"""Halts as commands: the operator's emergency brake, with or without leaving everything."""

from __future__ import annotations

from typing import Annotated

import typer

from app.application.risk.halts import ClearHalt, RaiseHalt
from app.config.container import build
from app.config.settings import Settings
from app.domain.risk.halts import HaltScope
from app.presentation.cli.running import run_tool

_Scope = Annotated[HaltScope, typer.Argument(case_sensitive=False, help="What to stop.")]
_Target = Annotated[str, typer.Argument(help="A venue's name or a user's id; nothing for the platform.")]


def halt(
    scope: _Scope,
    target: _Target = "",
    reason: Annotated[str, typer.Option(help="Why; followers read it.")] = "Stopped by the operator.",
    close: Annotated[bool, typer.Option("--close", help="Also close all that is held in the scope.")] = False,
) -> None:
    """Stop new entries; exits go on. With --close, everything that is held in the scope is closed."""

    async def run(settings: Settings) -> bool:
        async with build(settings) as app:
            raised = await RaiseHalt(app.uow, app.clock)(scope, target, reason, close_positions=close)
        typer.echo(f"halted {raised.scope.value} {raised.target}".rstrip() + (", closing" if close else ""))
        return True

    run_tool(run)


def resume(scope: _Scope, target: _Target = "") -> None:
    """Allow new entries again."""

    async def run(settings: Settings) -> bool:
        async with build(settings) as app:
            await ClearHalt(app.uow)(scope, target)
        typer.echo(f"resumed {scope.value} {target}".rstrip())
        return True

    run_tool(run)
