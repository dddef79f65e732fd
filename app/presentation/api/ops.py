"""What machines ask: alive, ready, metrics; and an operator's view of what waits."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Depends, Response

from app.application.api_services import ApiServices, Probe
from app.application.readers import HealthReader
from app.presentation.api.deps import Services, admit
from app.presentation.api.fields import Moment, Outgoing, example
from app.presentation.api.operations import ALWAYS, SIGNED_IN, failures, rules

router = APIRouter(tags=["operations"])

PROBE_SECONDS: Final = 2.0
_log: Final = structlog.stdlib.get_logger("api")


class Alive(Outgoing):
    """The process answers."""

    model_config = example(status="ok")

    status: Literal["ok"] = "ok"


class Readiness(Outgoing):
    """Whether the API can do its work: per part null when it is well, else what is wrong."""

    model_config = example(is_ready=True, parts={"database": None, "valkey": None, "worker": None})

    is_ready: bool
    parts: dict[str, str | None]


class BacklogOut(Outgoing):
    """What waits and what is in doubt. A parked event failed too often and waits for an operator."""

    model_config = example(
        signals_unfinished=2,
        oldest_signal_at="2026-03-01T12:00:00Z",
        orders_in_doubt=0,
        outbox_waiting=5,
        outbox_parked=0,
    )

    signals_unfinished: int
    oldest_signal_at: Moment | None
    orders_in_doubt: int
    outbox_waiting: int
    outbox_parked: int


@router.get(
    "/healthz",
    operation_id="alive",
    summary="Is the process alive?",
    description="Answers without asking anything else: a failure here means restart.",
    responses=failures(ALWAYS),
)
async def alive() -> Alive:
    return Alive()


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Can the API do its work?",
    description="- The database is at the newest revision, the broker answers, a worker was seen lately.\n"
    "- Each part is asked for at most two seconds; one that is not well makes the answer 503.",
    responses={
        **failures(ALWAYS),
        503: {"model": Readiness, "description": "At least one part is not well."},
    },
)
async def ready(services: Services, response: Response) -> Readiness:
    parts = await _probed(services)
    is_ready = all(fault is None for fault in parts.values())
    response.status_code = 200 if is_ready else 503
    return Readiness(is_ready=is_ready, parts=parts)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    description="Counters, gauges and timings of this process in an exposition format.",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"example": "http_request_seconds_count 1.0"}}},
        **failures(ALWAYS),
    },
)
async def metrics(services: Services) -> Response:
    content, media_type = services.render_metrics()
    return Response(content, headers={"Content-Type": media_type})


@router.get(
    "/v1/health/backlog",
    operation_id="read_backlog",
    summary="Read what waits",
    description=rules(HealthReader.backlog),
    responses=failures(SIGNED_IN),
    dependencies=[Depends(admit)],
)
async def read_backlog(services: Services) -> BacklogOut:
    return BacklogOut.model_validate(await services.health.backlog())


async def _probed(services: ApiServices) -> dict[str, str | None]:
    names = sorted(services.probes)
    faults = await asyncio.gather(*(_ask(name, services.probes[name]) for name in names))
    return dict(zip(names, faults, strict=True))


async def _ask(name: str, probe: Probe) -> str | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await probe()
    except TimeoutError:
        return "It does not answer in time."
    except Exception as error:  # noqa: BLE001 - whatever a probe meets means that the part is not well
        _log.warning("probe.failed", part=name, error=type(error).__name__)
        return "It cannot be asked."
