"""Asking an application over HTTP in process, as cheaply as that can be: ASGI in, ASGI out.

The whole of a request goes in (method, path, query, headers, body, the address that it comes from) and the whole of the
answer comes out. What a general client does besides (parsing addresses, cookies, redirects, decoding) costs more than
the service itself does for a small answer, and ten thousand histories ask three million times. `InProcess` has of
httpx2's client what `tests.world.Person` uses, and answers with an object that reads alike.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import FastAPI

HERE: Final = "127.0.0.1"
_ALWAYS: Final = ((b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"muniment-tests"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case; of one that is sent twice the last is kept."""

    method: str
    path: str
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class InProcess:
    """An application that is asked directly.

    An exception that leaves it is a 500 where nothing was sent yet, as a server would answer.
    """

    app: FastAPI

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        address: str = HERE,
    ) -> Answer:
        """Ask once; `address` is where the connection comes from."""
        body, sent = content or b"", [*_ALWAYS]
        if json is not None:
            body = _encode(json)
            sent.append((b"content-type", b"application/json"))
        if body or method in {"POST", "PUT", "PATCH"}:
            sent.append((b"content-length", str(len(body)).encode()))
        sent += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": urlencode(params or {}).encode(),
            "headers": sent,
            "client": (address, 123),
            "server": ("localhost", None),
        }
        return await _exchange(self.app, scope, body)


async def _exchange(app: FastAPI, scope: MutableMapping[str, Any], body: bytes) -> Answer:
    bodies, ended = [body], asyncio.Event()
    status, headers, parts = 500, dict[str, str](), list[bytes]()

    async def receive() -> dict[str, Any]:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        await ended.wait()  # nobody hangs up before the answer is whole
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                ended.set()

    try:
        await app(scope, receive, send)
    except Exception:  # noqa: BLE001  # as a server does; the machine says that no answer may be a 500
        status = max(status, 500)
    return Answer(scope["method"], scope["path"], status, headers, b"".join(parts))


def _encode(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
