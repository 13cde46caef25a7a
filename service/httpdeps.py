"""What both edges share: who calls, errors as problem documents, limits, headers.

Rules kept here:

* everything that wraps the whole application is pure ASGI;
* an error answer never says more than `service.errors` lets it;
* a body is not read before the caller was heard, and never beyond the limit;
* requests without a valid credential are limited by source before anything is written, counted, and told to the
  deployment's log once per source, route and minute.

Source: RFC 9457 (problem details), RFC 9110, RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import tokens
from service.acts import Caller
from service.attempts import Attempts
from service.db.ids import new_id
from service.errors import (
    BadInputError,
    MunimentError,
    NotFoundError,
    TooLargeError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from service.metrics import Metrics
from service.services import Services

PROBLEM: Final = "application/problem+json"
IDEMPOTENCY_KEY_CHARACTERS: Final = 200

SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


# Who calls ------------------------------------------------------------------------------------------------------------


def services_of(request: Request) -> Services:
    """The installation that this application serves."""
    services: Services = request.app.state.services
    return services


def caller_of(request: Request) -> Caller:
    """Read who claims to call; nothing is believed or looked up here.

    Raises:
        UnauthenticatedError: there is no bearer token of the right form.
        BadInputError: an Idempotency-Key that is empty or too long.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise BadInputError(
            f"Idempotency-Key: send 1 to {IDEMPOTENCY_KEY_CHARACTERS} printable ASCII characters.",
            extra={"field": "Idempotency-Key"},
        )
    return Caller(
        credential=tokens.parse(text.strip()),
        request_id=request.state.request_id,
        idempotency_key=key,
        if_match=request.headers.get("if-match"),
    )


ServicesDep = Annotated[Services, Depends(services_of)]
CallerDep = Annotated[Caller, Depends(caller_of)]


# Answers --------------------------------------------------------------------------------------------------------------


def problem(error: MunimentError, request_id: str) -> Response:
    """Make the problem document of an error."""
    body = {
        "type": f"urn:muniment:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "instance": f"urn:muniment:request:{request_id}",
        "code": error.code,
        **error.extra,
    }
    headers = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status_code=error.status, headers=headers, media_type=PROBLEM)


async def answer_muniment_error(request: Request, error: Exception) -> Response:
    """Answer one of our errors; a missing credential is counted, and refused outright when there were too many."""
    found = error if isinstance(error, MunimentError) else MunimentError()
    if isinstance(found, UnauthenticatedError):
        attempts: Attempts = request.app.state.attempts
        source = request.client.host if request.client else "unknown"
        if not attempts.note(source, _route_of(request)):
            found = TooManyAttemptsError()
    return problem(found, request.state.request_id)


async def answer_validation_error(request: Request, error: Exception) -> Response:
    """Answer a body, header or parameter of the wrong form: which fields, and what is wrong, never what was sent."""
    details = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [
        {"pointer": "/" + "/".join(str(step) for step in item["loc"]), "detail": str(item["msg"])} for item in details
    ]
    return problem(BadInputError(extra={"errors": fields}), request.state.request_id)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: no such route, method not allowed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:  # noqa: PLR2004  # the status code itself
        return problem(NotFoundError(), request.state.request_id)
    body = {
        "type": "about:blank",
        "title": "Not possible in this way",
        "status": status,
        "detail": "See the API description at /api/v1/openapi.json.",
        "instance": f"urn:muniment:request:{request.state.request_id}",
        "code": "bad_request",
    }
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return JSONResponse(body, status_code=status, headers=headers, media_type=PROBLEM)


def _route_of(request: Request) -> str:
    """The path's template, so that no id of a request reaches a log or a metric."""
    return _template(request.scope)


def _template(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))


# Strict bodies --------------------------------------------------------------------------------------------------------


class StrictRequest(Request):
    """A request whose JSON names no member twice (two parsers would then disagree on what was asked for)."""

    async def json(self) -> Any:
        """Parse the body.

        Raises:
            RequestValidationError: not JSON, a repeated member, NaN, or nested too deeply.
        """
        if not hasattr(self, "_json"):
            try:
                self._json = json.loads(await self.body(), object_pairs_hook=_members, parse_constant=_refuse_constant)
            except (ValueError, RecursionError):
                raise BadInputError("Send one JSON object in UTF-8, each member once.") from None
        return self._json


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse_constant(_text: str) -> None:
    raise ValueError("no number")


class StrictRoute(APIRoute):
    """A route that reads its body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler so that it sees a `StrictRequest`."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


# Around everything ----------------------------------------------------------------------------------------------------


class Edge:
    """Pure ASGI around the application: request id, host check, body limit, headers, the last answer to a fault.

    Args:
        app: what is wrapped.
        allowed_hosts: names that a Host header may carry (a forged one must not reach a link or a log).
        max_json_bytes: limit of a body that is JSON; uploads have a limit of their own.
        metrics: where answers are counted.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...], max_json_bytes: int, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._allowed_hosts = frozenset(allowed_hosts)
        self._max_json_bytes = max_json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req", time.time_ns() // 1_000_000, os.urandom)
        scope.setdefault("state", {})["request_id"] = request_id
        send_with_headers = self._with_headers(scope, send, request_id)
        headers = dict(scope["headers"])
        error = self._refusal(headers)
        if error is not None:
            await problem(error, request_id)(scope, receive, send_with_headers)
            return
        if headers.get(b"content-type", b"").partition(b";")[0].strip() in {b"application/json", b""}:
            receive = _limited(receive, self._max_json_bytes)
        await self._app(scope, receive, send_with_headers)

    def _refusal(self, headers: dict[bytes, bytes]) -> MunimentError | None:
        if _host_name(headers.get(b"host", b"").decode("latin-1")) not in self._allowed_hosts:
            return BadInputError("This host name is not served here.", extra={"field": "Host"})
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit():
            return BadInputError("Content-Length must be a number.", extra={"field": "Content-Length"})
        is_json = headers.get(b"content-type", b"").partition(b";")[0].strip() == b"application/json"
        return TooLargeError() if is_json and int(announced) > self._max_json_bytes else None

    def _with_headers(self, scope: Scope, send: Send, request_id: str) -> Send:
        extra = (*SECURITY_HEADERS, (b"muniment-request", request_id.encode()))
        began, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message.get("headers", ())}
                added = [item for item in extra if item[0] not in present]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._metrics.note(scope["method"], _template(scope), status, time.perf_counter() - began)

        return send_with_headers


def _host_name(host: str) -> str:
    """The name in a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _limited(receive: Receive, most: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise TooLargeError
        return message

    return limited
