"""The doctor: says what is wrong with a set-up and how to mend it, one line each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

import typer
from pydantic import ValidationError

from app.config.checks import checks
from app.config.settings import load


def doctor() -> None:
    """Check settings, database, broker, venues and workers; exit 1 when something is wrong."""
    try:
        settings = load()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            typer.echo(
                f"wrong   settings: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            )
        typer.echo("        Set COPYTRADE_… in the environment; docs/reference/settings.md lists them.")
        sys.exit(1)
    typer.echo("fine    settings")
    sys.exit(1 if asyncio.run(_all(checks(settings))) else 0)


async def _all(found: Mapping[str, Callable[[], Awaitable[str | None]]]) -> int:
    wrong = 0
    for name, check in found.items():
        try:
            async with asyncio.timeout(15):
                problem = await check()
        except (TimeoutError, OSError) as error:
            problem = f"no answer ({type(error).__name__})"
        typer.echo(f"fine    {name}" if problem is None else f"wrong   {name}: {problem}")
        wrong += problem is not None
    return wrong
