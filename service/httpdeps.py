"""What both edges share: who calls, errors as problem documents, limits, headers.

Rules kept here:

* everything that wraps the whole application is pure ASGI;
* an error answer never says more than `service.errors` lets it;
* a body is not read before the caller has shown a token, and never beyond the limit;
* requests without a valid credential are limited by source before anything is written, counted, and told to the
  deployment's log once per source, route and minute.

Source: RFC 9457 (problem details), RFC 9110, RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
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
    MethodError,
    MunimentError,
    NotFoundError,
    RangeError,
    TooLargeError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from service.metrics import Metrics
from service.services import Services

logger = logging.getLogger(__name__)

PROBLEM: Final = "application/problem+json"
REFUSED: Final = 400  # and above: nothing was done
FAULT: Final = 500  # and above: ours
ENDS_CONNECTION: Final = frozenset({408})  # its body never came to an end, so no other request can follow
IDEMPOTENCY_KEY_CHARACTERS: Final = 200
ID_CHARACTERS: Final = 64
_OF_CALLER: Final = frozenset({b"authorization", b"idempotency-key", b"if-match"})
POINTERS: Final = 20  # fields named in one answer
POINTER_STEP_CHARACTERS: Final = 64  # an unknown member is named as it was sent, and could be of any length

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
    known: Caller | None = request.scope["state"].get("caller")
    if known is not None:
        return known
    # The first of each, in one pass: a look-up of a header that was not sent costs an exception.
    sent = {name: value.decode("latin-1") for name, value in reversed(request.scope["headers"]) if name in _OF_CALLER}
    scheme, _, text = sent.get(b"authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError
    key = sent.get(b"idempotency-key")
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise BadInputError(
            f"Idempotency-Key: send 1 to {IDEMPOTENCY_KEY_CHARACTERS} printable ASCII characters.",
            extra={"field": "Idempotency-Key"},
        )
    caller = request.scope["state"]["caller"] = Caller(
        credential=tokens.parse(text.strip()),
        request_id=request.scope["state"]["request_id"],
        idempotency_key=key,
        if_match=sent.get(b"if-match"),
        address=_address(request.scope),
    )
    return caller


def _address(scope: Scope) -> str | None:
    """Where the connection comes from, as the server says: its peer, or whom a trusted proxy names in its place."""
    client = scope.get("client")
    return client[0] if client else None


async def _services(request: Request) -> Services:
    """As a dependency: async, because the framework runs every plain function in a thread of its own."""
    return services_of(request)


async def _caller(request: Request) -> Caller:
    """The same."""
    return caller_of(request)


ServicesDep = Annotated[Services, Depends(_services)]
CallerDep = Annotated[Caller, Depends(_caller)]


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
    headers = {"muniment-error": error.code}  # an answer to HEAD has no body to say it in
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, RangeError):
        headers["content-range"] = f"bytes */{error.extra['size_bytes']}"
    return JSONResponse(body, status_code=error.status, headers=headers, media_type=PROBLEM)


async def answer_muniment_error(request: Request, error: Exception) -> Response:
    """Answer one of our errors; a missing credential is counted, and refused outright when there were too many."""
    found = error if isinstance(error, MunimentError) else MunimentError()
    if isinstance(found, UnauthenticatedError):
        attempts: Attempts = request.app.state.attempts
        source = _address(request.scope) or "unknown"
        if not attempts.note(source, _route_of(request)):
            found = TooManyAttemptsError()
    return problem(found, request.state.request_id)


async def answer_validation_error(request: Request, error: Exception) -> Response:
    """Answer a body, header or parameter of the wrong form: which fields, and what is wrong, never what was sent."""
    details = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [
        {"pointer": "/" + "/".join(str(step)[:POINTER_STEP_CHARACTERS] for step in item["loc"]), "detail": item["msg"]}
        for item in details[:POINTERS]
    ]
    return problem(BadInputError(extra={"errors": fields}), request.state.request_id)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: no such route, method not allowed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    kinds: dict[int, type[MunimentError]] = {404: NotFoundError, 405: MethodError}
    found = kinds.get(status, MunimentError if status >= FAULT else BadInputError)()
    answer = problem(found, request.state.request_id)
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _route_of(request: Request) -> str:
    """The path's template, so that no id of a request reaches a log or a metric."""
    return _template(request.scope)


def _template(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))


# Strict bodies --------------------------------------------------------------------------------------------------------


class StrictRequest(Request):
    """A request whose JSON is bounded, in UTF-8, and names no member twice (two parsers would read two requests)."""

    def __init__(self, scope: Scope, receive: Receive, most_bytes: int) -> None:
        super().__init__(scope, receive)
        self._most_bytes = most_bytes

    async def body(self) -> bytes:
        """Read the whole body.

        Raises:
            TooLargeError: it is, or says that it will be, larger than a JSON body may be.
        """
        if not hasattr(self, "_body"):
            announced = self.headers.get("content-length", "0")
            if announced.isdigit() and int(announced) > self._most_bytes:
                raise TooLargeError
            read = bytearray()
            async for piece in self.stream():
                read += piece
                if len(read) > self._most_bytes:
                    raise TooLargeError
            self._body = bytes(read)
        return self._body

    async def json(self) -> Any:
        """Parse the body.

        Raises:
            BadInputError: not JSON in UTF-8, a repeated member, NaN, or nested too deeply.
        """
        if not hasattr(self, "_json"):
            try:
                text = (await self.body()).decode()
                self._json = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
            except (ValueError, RecursionError):
                raise BadInputError("Send one JSON object in UTF-8, each member once.") from None
        return self._json

    def is_json(self) -> bool:
        """Say whether the body claims to be JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media_type == "application/json" or (
            media_type.startswith("application/") and media_type.endswith("+json")
        )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse_constant(_text: str) -> None:
    raise ValueError("no number")


class StrictRoute(APIRoute):
    """A route that hears who calls, then reads query and body strictly; before the framework sees the request."""

    hear: Callable[[Request], object] = staticmethod(caller_of)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler so that it sees a `StrictRequest`."""
        handler = super().get_route_handler()
        has_body = self.body_field is not None
        queries = frozenset(field.alias for field in self.dependant.query_params)

        async def strict(request: Request) -> Response:
            self.hear(request)
            if request.scope["query_string"]:
                _refuse_other_queries(request, queries)
            strictly = StrictRequest(request.scope, request.receive, services_of(request).settings.max_json_bytes)
            # Read here: what goes wrong while the framework reads, it answers by itself, as a bare 400.
            if has_body and await strictly.body() and strictly.is_json():
                await strictly.json()
            return await handler(strictly)

        return strict


class PlainRoute(StrictRoute):
    """A route whose endpoint takes the request and ids of its path, and answers with a response of its own.

    Such a request is handed over as it is: the framework's machinery for parameters costs as much as a small act. What
    the framework would have to look at, and refuse, still goes its way.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        super().__init__(path, endpoint, **how)
        with_care = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            ids: dict[str, str] = scope["path_params"]
            if scope["query_string"] or any(len(each) > ID_CHARACTERS for each in ids.values()):
                await with_care(scope, receive, send)
                return
            response: Response = await endpoint(Request(scope, receive), **ids)
            await response(scope, receive, send)

        self.app = app


def _refuse_other_queries(request: Request, known: frozenset[str]) -> None:
    """Refuse a parameter that is not known here (a slip in a filter would show more), or is sent twice."""
    sent = [name for name, _ in request.query_params.multi_items()]
    for name in sent:
        if name not in known or sent.count(name) > 1:
            shown = name[:POINTER_STEP_CHARACTERS]
            field = {"pointer": f"/query/{shown}", "detail": "not a parameter of this address, or sent twice"}
            raise BadInputError(extra={"errors": [field]})


# Around everything ----------------------------------------------------------------------------------------------------


class Edge:
    """Pure ASGI around the application: request id, host check, headers, the last answer to a fault.

    Args:
        app: what is wrapped.
        allowed_hosts: names that a Host header may carry (a forged one must not reach a link or a log).
        metrics: where answers are counted.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...], metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._allowed_hosts = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req", time.time_ns() // 1_000_000, os.urandom)
        scope.setdefault("state", {})["request_id"] = request_id
        send_with_headers = self._with_headers(scope, send, request_id)
        error = self._refusal(scope)
        if error is not None:
            await problem(error, request_id)(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as fault:
            if "answered" in scope["state"]:
                raise  # nothing but breaking off tells the client that the rest is missing
            # Where and of what kind, not its words: they may repeat what was sent.
            at = traceback.extract_tb(fault.__traceback__)[-1]
            extra = {
                "request": request_id,
                "kind": type(fault).__name__,
                "where": f"{Path(at.filename).name}:{at.lineno}",
            }
            logger.error("a request failed", extra=extra)  # noqa: TRY400  # the traceback would have its words
            await problem(MunimentError(), request_id)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> MunimentError | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or _host_name(hosts[0].decode("latin-1")) not in self._allowed_hosts:
            return BadInputError("This host name is not served here.", extra={"field": "Host"})
        if not all(value.isdigit() for name, value in scope["headers"] if name == b"content-length"):
            return BadInputError("Content-Length must be a number.", extra={"field": "Content-Length"})
        # No id and no parameter has a NUL, and not every database takes one.
        if "\0" in scope["path"]:
            return NotFoundError()
        return BadInputError("Send no NUL.") if b"%00" in scope["query_string"] else None

    def _with_headers(self, scope: Scope, send: Send, request_id: str) -> Send:
        extra = (*SECURITY_HEADERS, (b"muniment-request", request_id.encode()))
        began, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope["state"]["answered"] = True
                sent = message.get("headers", ())
                if status in ENDS_CONNECTION or (status >= REFUSED and _waits_to_send(scope)):
                    sent = [*sent, (b"connection", b"close")]
                present = {name for name, _ in sent}  # in lower case: ASGI wants it so
                message["headers"] = [*sent, *(item for item in extra if item[0] not in present)]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._metrics.note(scope["method"], _template(scope), status, time.perf_counter() - began)

        return send_with_headers


def _waits_to_send(scope: Scope) -> bool:
    """Say whether the client asked first: refused, he sends no body, and what comes next would be taken for it."""
    return any(name == b"expect" for name, _ in scope["headers"])


def _host_name(host: str) -> str:
    """The name in a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
