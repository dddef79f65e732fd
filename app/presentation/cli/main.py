"""The command line. Each command says in one line what is wrong, and ends with 1 (failed) or 2 (wrongly used)."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from app.presentation.cli.accept import accept
from app.presentation.cli.audit import audit
from app.presentation.cli.demo_command import demo
from app.presentation.cli.doctor import doctor
from app.presentation.cli.events import events
from app.presentation.cli.halts import halt, resume
from app.presentation.cli.operator import operator
from app.presentation.cli.orders import orders
from app.presentation.cli.reconcile import reconcile
from app.presentation.cli.running import one_line, settings_or_exit

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Copy trading: run it, look after it, watch it work."
)
cli.command()(demo)
cli.command()(doctor)
cli.command()(operator)
cli.command()(audit)
cli.command()(reconcile)
cli.command()(accept)
cli.command()(halt)
cli.command()(resume)
cli.add_typer(orders, name="orders")
cli.add_typer(events, name="events")


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Run the API."""
    import uvicorn  # only this command needs it

    settings_or_exit()
    uvicorn.run(
        "app.presentation.api.app:create_app",
        factory=True,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
    )


@cli.command()
def work(
    queues: Annotated[str, typer.Option(help="Queues to serve, comma-separated; all by default.")] = "",
) -> None:
    """Run a worker: it copies signals, recovers what was left, and carries events."""
    settings = settings_or_exit()
    from app.presentation.workers.celery import celery  # builds the app from the settings

    arguments = ["worker", "--pool=threads", f"--concurrency={settings.worker_threads}", "--loglevel=WARNING"]
    arguments += ["--without-gossip", "--without-mingle", "--hostname=worker@%h-%i"]
    celery.worker_main([*arguments, *([f"--queues={queues}"] if queues else [])])


@cli.command()
def beat() -> None:
    """Run the beat that rings for periodic work."""
    settings_or_exit()
    from app.presentation.workers.celery import celery  # builds the app from the settings

    # Kept in memory: everything rings every second or two, so times of last runs are worth no file.
    celery.Beat(loglevel="WARNING", scheduler_cls="celery.beat:Scheduler").run()


@cli.command()
def feed() -> None:
    """Run the feed: it watches leaders and followers by stream."""
    import uvloop  # only this command needs it

    from app.config.logging import configure_logging  # likewise
    from app.presentation.workers.feed import feed as run_feed  # likewise

    settings = settings_or_exit()
    configure_logging(level=settings.log_level, as_json=settings.log_format == "json")

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await run_feed(settings, stop)

    uvloop.run(run())


@cli.command()
def migrate(
    revision: Annotated[str, typer.Option(help="Revision to go to.")] = "head",
) -> None:
    """Bring the database to the newest schema."""
    from app.config.database import upgrade  # alembic is only needed here

    settings = settings_or_exit()
    with one_line():
        upgrade(settings, revision)
    typer.echo(f"The database is at {revision}.")


def main() -> None:
    """Run the command line."""
    cli()
