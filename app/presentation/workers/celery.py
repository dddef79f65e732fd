"""Celery's entry: `celery -A app.presentation.workers.celery worker|beat`. Tasks carry ids only, and all may repeat.

Beat only rings: what is due is found in PostgreSQL by whoever runs the task, so two beats or none do no harm but load
or delay. A periodic task that waits longer than its period is dropped by its expiry.
"""

from __future__ import annotations

from typing import Any, Final

from celery import Celery, signals

from app.config.container import celery_app
from app.config.logging import configure_logging
from app.config.settings import load
from app.presentation.workers import tasks
from app.presentation.workers.loop import WorkerLoop

_UPKEEP: Final = "upkeep"


def _beat(task: str, every_s: float) -> dict[str, Any]:
    return {"task": task, "schedule": every_s, "options": {"queue": _UPKEEP, "expires": max(every_s, 1.0)}}


def make() -> Celery:
    """Return the Celery application with its tasks and its schedule."""
    made = celery_app(load())
    for name, run in tasks.TASKS.items():
        made.task(name=name)(run)
    made.conf.worker_redirect_stdouts = False  # else our own lines end in Celery's proxy of the stream
    made.conf.beat_schedule = {
        "recover": _beat("copytrade.recover", 1.0),
        "protect": _beat("copytrade.protect", 1.0),
        "reconcile": _beat("copytrade.reconcile", 2.0),
        "ring-again": _beat("copytrade.ring_again", 1.0),
        "relay": _beat("copytrade.relay", 0.5),
        "heartbeat": _beat("copytrade.heartbeat", 2.0),
    }
    return made


celery = make()


@signals.setup_logging.connect
def _log(**_: object) -> None:
    """Set logging up as everywhere else; Celery then leaves it, and the standard streams, alone."""
    settings = load()
    configure_logging(level=settings.log_level, as_json=settings.log_format == "json")


@signals.worker_process_init.connect
@signals.worker_ready.connect
def _open(**_: object) -> None:
    """Build the App before the first task comes, so that the first signal does not wait for it."""
    WorkerLoop.of_process()


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def _close(**_: object) -> None:
    """Book what is queued and close every connection."""
    WorkerLoop.close_process()
