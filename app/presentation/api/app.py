"""The FastAPI application: lifespan, middleware, routers and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI

from app import __version__
from app.application.api_services import ApiServices
from app.presentation.api import (
    accounts,
    errors,
    follows,
    ops,
    people,
    risk,
    signals,
    trading,
    whales,
)
from app.presentation.api.middleware import BodyGuard, RequestContext
from app.presentation.api.operations import complete

_DESCRIPTION: Final = """Copies a leader's trades to every follower's own exchange account, once each, and closes them when
the leader closes.

Numbers are strings in both directions. Errors are `application/problem+json` with a stable `code`. Lists go from newest
to oldest and are read page by page with `cursor`. Requests that create signals carry an `Idempotency-Key`."""

_TAGS: Final = [
    {"name": "whales", "description": "Leaders."},
    {"name": "follows", "description": "Who copies whom, on which terms."},
    {"name": "accounts", "description": "Trading accounts and their API keys."},
    {"name": "signals", "description": "What was asked, and what became of it for each follower."},
    {"name": "trading", "description": "Orders, positions and the portfolio."},
    {"name": "risk", "description": "Limits and halts."},
    {"name": "people", "description": "Users and their tokens."},
    {"name": "operations", "description": "Health and metrics."},
]


def create_app(services: ApiServices | None = None) -> FastAPI:
    """Return the API on the given services; without any, the lifespan builds them from the settings."""
    app = FastAPI(
        title="copytrade",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        lifespan=_lifespan_of(services),
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.app = services
    for part in (whales, follows, accounts, signals, trading, risk, people, ops):
        app.include_router(part.router)
    errors.install(app)
    app.add_middleware(BodyGuard)
    app.add_middleware(RequestContext)
    _complete_openapi(app)
    return app


def _lifespan_of(
    services: ApiServices | None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if services is not None:
            yield
            return
        from app.config.api_container import build_api

        async with build_api() as built:
            app.state.app = built
            yield

    return lifespan


def _complete_openapi(app: FastAPI) -> None:
    made = app.openapi

    def openapi() -> dict[str, Any]:
        return complete(made())

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document
