"""Answers with a document's bytes, and the headers that describe them.

Rules kept here:

* the length that is announced is the length that is sent, or the connection breaks off: the client can tell;
* a client that takes nothing for too long is let go: of what is open for him at most a piece is in memory;
* a title reaches a header percent-encoded only (RFC 8187), without the signs that name folders somewhere.

Source: RFC 9110, sections 8, 13 and 14; RFC 6266 (Content-Disposition); RFC 9530 (Repr-Digest).
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import aclosing, suppress
from urllib.parse import quote

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from service.api.bodies import Patience
from service.downloads import Description, Download
from service.texts import TextBody

Headers = list[tuple[bytes, bytes]]


class ContentResponse(Response):
    """Sends an announced body piece by piece; breaks off, so that the client can tell, when the rest may not be sent.

    Args:
        download: what was announced.
        idle_s: how long its client may take nothing.
    """

    def __init__(self, download: Download | TextBody, idle_s: int) -> None:
        super().__init__(media_type=None)
        self._download = download
        self._idle_s = idle_s
        if isinstance(download, TextBody):
            self.status_code, self.raw_headers = 200, _headers_of_text(download)
            return
        self.status_code = 200 if download.span is None else 206
        self.raw_headers = _headers(download, download.title, download.sha256)
        if download.span is not None:
            first, last, size_bytes = download.span.start, download.span.stop - 1, download.revision.size_bytes
            self.raw_headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last, size_bytes)))

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body, all at once where it is one piece."""
        if self._download.is_one_piece:
            await self._send_whole(send)
        else:
            with Patience(self._idle_s) as patience:
                await self._send_pieces(receive, send, patience)

    async def _send_whole(self, send: Send) -> None:
        """Such a body has left before anybody could tell that its client is gone, or slow."""
        outcome, content = "aborted", await self._download.whole()
        try:
            # One turn of the loop: those whose entries became durable together are all opened first, and their answers
            # leave together. A client that is woken once for many costs a sixth less than one woken for each.
            await asyncio.sleep(0)
            await send(self._start())
            await send({"type": "http.response.body", "body": content, "more_body": False})
            outcome = "done"
        finally:
            self._download.post_outcome(outcome)

    async def _send_pieces(self, receive: Receive, send: Send, patience: Patience) -> None:
        """Send the start, then the pieces, until the end or until the client has gone away, or takes no more.

        Raises:
            SlowBodyError: he took nothing for too long.
        """
        gone, started = asyncio.create_task(_client_gone(receive)), False
        try:
            async with aclosing(self._download.pieces()) as pieces:
                async for piece in pieces:
                    if not started:
                        await send(self._start())
                        started = True
                    # A server takes a piece when the one before has left.
                    await patience.wait(send({"type": "http.response.body", "body": piece, "more_body": True}))
                    if gone.done():
                        return
                await patience.wait(send({"type": "http.response.body", "body": b"", "more_body": False}))
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}


def description(found: Description) -> Response:
    """Answer with the headers alone: 304 where the client has the bytes already, else those of the whole file."""
    answer = Response(status_code=304 if found.title is None else 200)
    answer.raw_headers = (
        [(b"etag", found.etag.encode())] if found.title is None else _headers(found, found.title, found.sha256)
    )
    return answer


def _headers(found: Download | Description, title: str, sha256: str | None) -> Headers:
    revision = found.revision
    length = found.length_bytes if isinstance(found, Download) else revision.size_bytes
    name = "".join("_" if sign in '/\\:*?"<>|' else sign for sign in title)
    headers = [
        (b"content-type", revision.media_type.encode()),
        (b"content-length", str(length).encode()),
        (b"content-disposition", f"attachment; filename=\"document\"; filename*=UTF-8''{quote(name)}".encode()),
        (b"etag", found.etag.encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if sha256 is not None:
        headers.append((b"repr-digest", b"sha-256=:%b:" % base64.b64encode(bytes.fromhex(sha256))))
    return headers


def _headers_of_text(text: TextBody) -> Headers:
    """What is to be known of a text; nothing of it is kept anywhere, so there is nothing to compare it with later."""
    return [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(text.length_bytes).encode()),
        (b"content-disposition", b'attachment; filename="document.txt"'),
    ]


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
