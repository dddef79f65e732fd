"""Dead letters as a command: which events were given up, and another try."""

from __future__ import annotations

from typing import Annotated

import typer

from app.config.operations import opened_relay
from app.config.settings import Settings
from app.presentation.cli.running import run_tool

events = typer.Typer(no_args_is_help=True, help="Look after events that could not be delivered.")


@events.command()
def parked() -> None:
    """List the events that were given up, oldest first; ends with 1 when there are any."""

    async def run(settings: Settings) -> bool:
        async with opened_relay(settings) as relay:
            found = await relay.parked()
        for event in found:
            typer.echo(
                f"{event.id}  {event.name}  {event.created_at.isoformat()}  {event.attempts} attempts: {event.error}"
            )
        typer.echo(f"{len(found)} parked")
        return not found

    run_tool(run)


@events.command()
def redrive(
    event_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="One event.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
) -> None:
    """Try parked events again from the beginning: mend what stopped them first."""
    if (event_id is None) == (not everything):
        raise typer.BadParameter("Name one event, or --all.")

    async def run(settings: Settings) -> bool:
        async with opened_relay(settings) as relay:
            ids = [event.id for event in await relay.parked()] if event_id is None else [event_id]
            done = [number for number in ids if await relay.redrive(number)]
        typer.echo(f"{len(done)} of {len(ids)} set free")
        return len(done) == len(ids)

    run_tool(run)
