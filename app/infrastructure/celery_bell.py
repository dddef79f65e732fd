"""The broker: Celery on Valkey or Redis, and the bell that wakes a worker through it.

PostgreSQL is the truth and tasks carry ids only, so a lost, repeated or late message does no harm. The restore
settings are not kombu's own: with those, the tasks of a killed worker come back after a minute and a half and more.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from celery import Celery
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from app.domain.shared.ids import SignalId
from app.domain.signals.priority import Lane
from app.infrastructure.failpoints import failpoint

DISPATCH: Final = "copytrade.dispatch"
UPKEEP_QUEUE: Final = "upkeep"
QUEUES: Final = (*(lane.value for lane in Lane), UPKEEP_QUEUE)


def make_celery(broker_url: str, task_cls: str | None = None) -> Celery:
    """Return the Celery application: queues by lane, late acknowledgement, quick redelivery, no result backend."""
    celery = Celery("copytrade", broker=broker_url, task_cls=task_cls)
    celery.conf.update(
        task_queues=[Queue(name, Exchange("copytrade", type="direct"), routing_key=name) for name in QUEUES],
        task_default_exchange="copytrade",
        task_default_routing_key=UPKEEP_QUEUE,
        task_default_queue=UPKEEP_QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=5,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 60,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 5,
            "queue_order_strategy": "priority",
            # A publisher asks twice and then leaves it to the sweep: the caller's work is stored already.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
        },
        timezone="UTC",
    )
    return celery


class CeleryBell:
    """SignalBell: one small message on the signal's lane. A broker that is away is no error: the sweep rings again."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")

    async def ring(self, signal_id: SignalId, lane: Lane) -> None:
        """Ask for a worker; returns once the broker has the message, or after it could not be reached."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._send, str(signal_id), lane.value)

    def _send(self, signal_id: str, queue: str) -> None:
        try:
            failpoint("bell.send.before")
            self._celery.send_task(DISPATCH, args=[signal_id], queue=queue, retry=False)
            failpoint("bell.send.after")
        except (OperationalError, OSError):
            return  # the row is stored, and the sweep rings for what waits

    def close(self) -> None:
        """Let the last message go, then stop."""
        self._thread.shutdown(wait=True)
