"""How commands run: settings first, then the work; what fails is one line and an exit status, never a traceback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from app.config.logging import configure_logging
from app.config.settings import Settings, load
from app.domain.shared.errors import DomainError


def settings_or_exit() -> Settings:
    """Return the settings, or say which are wrong (never their values) and leave with status 2."""
    try:
        return load()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in problem["loc"])
            sys.stderr.write(f"Setting {name}: {problem['msg']}\n")
        sys.stderr.write(
            "Settings come from the environment (COPYTRADE_…); see docs/reference/settings.md.\n"
        )
        raise typer.Exit(2) from None


@contextmanager
def one_line() -> Iterator[None]:
    """Turn what fails inside into one line on standard error and status 1."""
    try:
        yield
    except DomainError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        raise typer.Exit(1) from None
    except OSError as error:
        sys.stderr.write(f"A server cannot be reached ({type(error).__name__}): run `copytrade doctor`.\n")
        raise typer.Exit(1) from None


def run_tool(tool: Callable[[Settings], Coroutine[Any, Any, bool]]) -> NoReturn:
    """Run a tool on the settings of the environment; leave with 0 when it returns True, 1 when it returns False or
    fails, 2 when the settings are wrong. Standard output is the tool's alone: log lines go to standard error.
    """
    settings = settings_or_exit()
    configure_logging(level=settings.log_level, as_json=settings.log_format == "json")
    with one_line():
        is_well = asyncio.run(tool(settings))
    raise typer.Exit(0 if is_well else 1)
