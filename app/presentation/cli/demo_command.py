"""The demo: everything on this machine, against a pretended exchange."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.presentation.demo.options import BadOption, Options, speed_of


def demo(
    followers: Annotated[int, typer.Option(help="How many followers copy the leader.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed plays the same script.")] = 1,
    fast: Annotated[bool, typer.Option("--fast", help="No pauses for a person to watch.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the summary; do not stay up.")] = False,
    fills: Annotated[
        Path | None, typer.Option(help="Replay a real trader's recorded fills (Hyperliquid JSON or CSV).")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(help="With --fills: times as fast as recorded; as fast as possible without."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the summary to this file as JSON.")] = None,
) -> None:
    """Watch copy trading happen on this machine: a leader, followers, an exchange, and the books compared.

    Exit status: 0 when our books and the exchange's agree, 1 when not, 2 for a wrong option, 130 when interrupted.
    """
    from app.presentation.demo.start import start  # the other commands need none of it

    try:
        options = Options(followers, seed, fast, once, fills, speed_of(speed), report)
        status = asyncio.run(start(options))
    except BadOption as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    raise typer.Exit(status)
