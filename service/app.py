"""The application: mounts the API around one set of services. There is no global application object."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from functools import cache
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from service import attempts as attempts_module
from service import checkpoints, disposal
from service.api import (
    access_requests,
    agreements,
    asks,
    audit,
    authenticators,
    brakes,
    certificates,
    description,
    disclosures,
    disposals,
    documents,
    duties,
    emergencies,
    engagements,
    grants,
    holds,
    house,
    matters,
    me,
    members,
    misdirections,
    moving,
    on_calls,
    operations,
    overlays,
    people,
    register,
    schedules,
    sharing,
    signin,
    standbys,
    standing_shares,
    tasks,
    tokens,
    uploads,
    usage,
    vendors,
    walls,
)
from service.attempts import Attempts
from service.brakes import forgetting
from service.errors import MunimentError
from service.httpdeps import Edge, answer_http_error, answer_muniment_error, answer_validation_error
from service.metrics import Metrics
from service.services import Services
from service.uploads import expiry

NOUNS = (
    documents,  # the busiest first: they are tried in order
    uploads,
    house,
    me,
    authenticators,
    people,
    vendors,
    matters,
    walls,
    emergencies,
    holds,
    engagements,
    overlays,
    brakes,
    members,
    moving,
    agreements,
    duties,
    asks,
    tasks,
    schedules,
    grants,
    sharing,
    standing_shares,
    usage,
    access_requests,
    misdirections,
    on_calls,
    standbys,
    register,
    disclosures,
    audit,
    disposals,
    certificates,
    tokens,
    signin,
)


def create_app(services: Services) -> FastAPI:
    """Make the application of one installation; its background tasks run while it is served."""
    metrics = Metrics()
    attempts = Attempts(services.settings.failed_attempts_per_minute, services.clock)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = [
            asyncio.create_task(checkpoints.keep_signing(services)),
            asyncio.create_task(attempts_module.keep_recording(services, attempts)),
            asyncio.create_task(disposal.resume_all(services)),
            asyncio.create_task(expiry.keep_collecting(services)),
            asyncio.create_task(forgetting.keep_forgetting(services)),
        ]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await attempts_module.record(services, attempts, all_minutes=True)

    app = _Application(
        title="Muniment",
        summary="Secure document exchange for law firms that give work to outside staff.",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    app.state.attempts = attempts
    app.state.metrics = metrics
    app.add_exception_handler(MunimentError, answer_muniment_error)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.router.routes.extend(_routes())
    app.add_middleware(_Edge, services=services, metrics=metrics)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """All routes, made ready once a process: they hold nothing of an installation, and getting ready is slow."""
    bare = FastAPI(openapi_url=None)
    mount(bare, NOUNS)
    bare.include_router(operations.router)
    return tuple(bare.router.routes)


def mount(app: FastAPI, nouns: Iterable[ModuleType]) -> None:
    """Add the routes of these nouns, the busiest first: routes are tried in order.

    Straight into the application: the framework matches every route of a router inside a router once more.
    """
    for noun in nouns:
        if noun is documents:
            app.router.routes.extend(documents.straight.routes)
        if noun is uploads:
            app.include_router(uploads.asking, prefix="/api/v1")
        app.include_router(noun.router, prefix="/api/v1")


class _Application(FastAPI):
    """FastAPI, with a description that tells of tokens and refusals too."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = description.complete(super().openapi())
        return self.openapi_schema


class _Edge(Edge):
    """`Edge` with its limits from the settings."""

    def __init__(self, app: ASGIApp, services: Services, metrics: Metrics) -> None:
        super().__init__(app, services.settings.allowed_hosts, metrics)
