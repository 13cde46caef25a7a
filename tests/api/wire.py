"""Driving the application message by message: clients that stop half way, and what exactly left before that.

`ask` speaks ASGI as a server does. It answers what was sent, and whether the answer came to its end; whatever the
application raised on the way is kept beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn

from tests.world import Person, World

Watch = Callable[[int], Awaitable[None]]


class GoneError(OSError):
    """What a server's send raises once the client has gone away."""


@dataclass
class Answer:
    """What a client got."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    complete: bool = False
    raised: BaseException | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Client:
    """How a client behaves.

    Args:
        stops_sending_after: pieces of the body, then he goes away; None: he sends it all.
        stops_reading_after: pieces of the answer, then he goes away; None: he reads it all.
        raises: whether the server tells a write after that by an error (as ASGI 2.4 asks) or by silence.
        watch: awaited with the number of pieces received so far, before the next is taken.
    """

    stops_sending_after: int | None = None
    stops_reading_after: int | None = None
    raises: bool = False
    watch: Watch | None = None


class _Line:
    """The connection: gives the application what the client sends, and the client what the application sends."""

    def __init__(self, client: Client, answer: Answer, waiting: Iterable[bytes]) -> None:
        self._client, self._answer, self._waiting = client, answer, list(waiting)
        self._sent, self._gone = 0, asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Hand over the next piece of the request; then wait until the client has gone away."""
        if self._sent == self._client.stops_sending_after:
            return {"type": "http.disconnect"}
        if self._sent <= len(self._waiting):
            body = b"".join(self._waiting[self._sent : self._sent + 1])
            self._sent += 1
            return {"type": "http.request", "body": body, "more_body": self._sent <= len(self._waiting)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take what the application answers."""
        client, answer = self._client, self._answer
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            return
        if client.watch is not None:
            await client.watch(len(answer.pieces))
        if client.stops_reading_after is not None and len(answer.pieces) >= client.stops_reading_after:
            self._gone.set()
            if client.raises:
                raise GoneError
            await asyncio.sleep(0)
            return
        if message.get("body"):
            answer.pieces.append(message["body"])
        answer.complete = not message.get("more_body", False)


async def ask(
    person: Person,
    app: Any,
    method: str,
    path: str,
    pieces: Iterable[bytes] = (),
    *,
    client: Client | None = None,
    params: dict[str, str] | None = None,
    into: list[bytes] | None = None,
    **headers: Any,
) -> Answer:
    """Send one request; header names are written with underscores. Pieces go ``into`` a list where one is given."""
    answer = Answer(pieces=[] if into is None else into)
    line = _Line(client or Client(), answer, pieces)
    shown = {"host": "localhost", "authorization": f"Bearer {person.token}"}
    shown |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": f"/api/v1{path}",
        "raw_path": f"/api/v1{path}".encode(),
        "query_string": urlencode(params or {}).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in shown.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    try:
        await app(scope, line.receive, line.send)
    except Exception as error:  # noqa: BLE001  # a server would log it and close the connection
        answer.raised = error
    return answer


@asynccontextmanager
async def a_real_server(world: World) -> AsyncIterator[int]:
    """Serve a world's application on a loopback port, by the server that serves it in earnest."""
    config = uvicorn.Config(
        world.app, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the tests' own stay
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # it offers no event
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
