"""Routes for whoever operates Muniment: is it alive, is it ready, how is it doing. No names, no ids, no token."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service import doctor
from service.db import schema
from service.errors import MunimentError
from service.httpdeps import ServicesDep, problem
from service.ledger import NO_LOG, Outcome

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="health")
async def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@router.get("/readyz", operation_id="readiness")
async def ready(services: ServicesDep, request: Request) -> Any:
    """Say whether it can serve: database at its revision, the ledger writes, key places and blobs answer."""
    try:
        await asyncio.to_thread(schema.require_head, services.database)
        await services.ledger.submit(NO_LOG, lambda _tx, _moment: Outcome(None))
        await doctor.ask_stores(services)
    except MunimentError as error:
        return problem(error, request.state.request_id)
    return {"status": "ready"}


@router.get("/metrics", operation_id="metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
