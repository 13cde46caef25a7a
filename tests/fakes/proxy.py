"""A small proxy on loopback that does to a connection what networks do: it stands between a client and its server.

    with running_proxy(server_port) as proxy:                    # speaks HTTP
        proxy.plan(Fault(Kind.SWALLOW), nth=1, when=lambda asked: asked.method == "PUT")
        use(f"http://127.0.0.1:{proxy.port}")                    # the answer of the second PUT never comes

    with running_proxy(server_port, http=False) as proxy:        # speaks anything
        proxy.plan(Fault(Kind.CUT_REPLY, after=b"COMMIT"))       # the reply to the first COMMIT is lost

Of HTTP it knows requests, replies and their lengths, and plans name requests; a planned fault is used up by the request
it is done to. Of anything else it knows connections and their bytes. Each fault is what `Kind` says, and no more: what
is not planned passes unchanged.

Source: RFC 9112 (message framing), RFC 9110, section 10.1.1 (Expect).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.fakes.framing import CHUNKED, CLOSE, EXPECT, LENGTH, PIECE, BrokenError, body_of

_BODILESS: Final = frozenset({204, 304})
_MISSING: Final = 10
_GONE: Final = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Kind(StrEnum):
    """What goes wrong."""

    DELAY = "delay"  # the request waits for so many seconds, then passes
    CUT_REQUEST = "cut to the server"  # the connection breaks after so many bytes of the request's body
    CUT_REPLY = "cut from the server"  # the same, of the reply's
    FLIP_REQUEST = "flip a byte to the server"  # that byte of the request's body arrives changed
    FLIP_REPLY = "flip a byte from the server"  # the same, of the reply's
    ERROR = "500"  # an answer that the server never gave; the request does not reach it
    SLOW_DOWN = "503"  # the same
    SWALLOW = "swallow the reply"  # the server has done it; no answer ever comes
    HANG = "hang"  # the request does not reach the server, and no answer ever comes
    REFUSE = "refuse"  # the connection breaks, and for so many seconds no new one is taken
    CUT_HEAD = "close within the headers"  # of the reply, after so many bytes, and before their end
    SHORT = "wrong length"  # the reply is shorter than it was, and says so; an empty one promises what never comes


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to be done.

    Args:
        kind: of fault.
        at: after how many bytes, or to which one.
        seconds: how long.
        after: for other protocols than HTTP: it begins when the client has sent this.
    """

    kind: Kind
    at: int = 0
    seconds: float = 0.2
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has come to the proxy; both words are empty where it is no HTTP."""

    method: str = ""
    path: str = ""


@dataclass(slots=True)
class _Plan:
    fault: Fault
    skip: int
    left: int
    when: Callable[[Asked], bool]


class Proxy:
    """Stands between clients and one server. `plan` may be called from any thread."""

    def __init__(self, server_port: int, loop: asyncio.AbstractEventLoop, *, http: bool) -> None:
        self.asked: list[Asked] = []
        self.done: list[Kind] = []
        self._server_port, self._http = server_port, http
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        # A server of asyncio's own cannot be closed while it accepts: it loses the connection (CPython 3.11).
        self._loop = loop
        self._listener: socket.socket | None = None
        self._port_holder = _bound(0)
        self.port: int = self._port_holder.getsockname()[1]
        self._refusing: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def plan(
        self, fault: Fault, *, nth: int = 0, times: int = 1, when: Callable[[Asked], bool] = lambda _asked: True
    ) -> None:
        """Do ``fault`` to ``times`` of the requests that satisfy ``when`` from now on, after ``nth`` others."""
        with self._lock:
            self._plans.append(_Plan(fault, nth, times, when))

    def forget(self) -> None:
        """Drop what is planned."""
        with self._lock:
            self._plans.clear()

    def _due(self, asked: Asked) -> Fault | None:
        """The fault that is planned for this request, if one is."""
        with self._lock:
            self.asked.append(asked)
            for plan in self._plans:
                if plan.left and plan.when(asked):
                    if plan.skip:
                        plan.skip -= 1
                        continue
                    plan.left -= 1
                    self.done.append(plan.fault.kind)
                    return plan.fault
        return None

    # The life of it ---------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Take connections, always on the same port."""
        self._listener = _bound(self.port)
        self._listener.listen()
        self._loop.add_reader(self._listener, self._accept)

    def refuse(self, seconds: float) -> None:
        """Take no connection for so long; who is refused while others already are changes nothing."""
        if self._listener is not None:
            self._close()
            self._refusing = self._loop.call_later(seconds, self.listen)

    async def stop(self) -> None:
        """Break every connection."""
        self._close()
        if self._refusing is not None:
            self._refusing.cancel()
        self._port_holder.close()
        await asyncio.sleep(0)  # a task that is cancelled before it began could not let go of its connection
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next turn

    def _close(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        with suppress(OSError):  # it is gone already
            connection, _ = self._listener.accept()
            task = self._loop.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        writers: list[asyncio.StreamWriter] = []
        try:
            connection.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=connection, limit=PIECE)
            writers.append(writer)
            there, upstream = await asyncio.open_connection("127.0.0.1", self._server_port, limit=PIECE)
            writers.append(upstream)
            line = _Line(self, reader, writer, there, upstream)
            await (line.http() if self._http else line.stream())
        except _GONE:
            pass
        finally:
            for each in writers:
                each.transport.abort()  # what was written and not sent yet goes with it: see `_Line.settle`


def _bound(port: int) -> socket.socket:
    """A socket on a port (0: any). One on which nobody listens keeps the port ours: who connects then is refused."""
    held = socket.socket()
    held.setblocking(False)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", port))
    return held


class _Line:
    """One connection and its continuation to the server."""

    def __init__(
        self,
        proxy: Proxy,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._client, self._to_client, self._server, self._to_server = client, to_client, server, to_server

    # HTTP -------------------------------------------------------------------------------------------------------------

    async def http(self) -> None:
        """Pass requests and replies on, one after another."""
        while True:
            head = await self._client.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b" ", 2)
            fault = self._proxy._due(Asked(method.decode(), path.decode()))
            await self._before(fault)
            head = await self._continue(head)
            kind = fault.kind if fault is not None else None
            if kind in (Kind.ERROR, Kind.SLOW_DOWN):
                async for _ in body_of(self._client, head):
                    pass
                await self._answer(500 if kind is Kind.ERROR else 503)
                continue
            self._to_server.write(head)
            await self._pass(body_of(self._client, head), self._to_server, fault, Kind.CUT_REQUEST, Kind.FLIP_REQUEST)
            if not await self._reply(method == b"HEAD", fault) or CLOSE.search(head):
                return

    async def _before(self, fault: Fault | None) -> None:
        """What goes wrong before the server hears anything."""
        if fault is None:
            return
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.seconds)
        elif fault.kind is Kind.HANG:
            await self._wait_for_the_end()
        elif fault.kind is Kind.REFUSE:
            self._proxy.refuse(fault.seconds)
            raise BrokenError

    async def _continue(self, head: bytes) -> bytes:
        """Ask the client for its body in the server's place, which would otherwise be asked once more."""
        if EXPECT.search(head):
            self._to_client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._to_client.drain()
        return EXPECT.sub(b"", head)

    async def _answer(self, status: int) -> None:
        code, word = ("InternalError", "Error") if status == 500 else ("SlowDown", "Slow Down")
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{word}</Message></Error>".encode()
        head = f"HTTP/1.1 {status} {word}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        self._to_client.write(head.encode() + body)
        await self._to_client.drain()

    async def _reply(self, is_head: bool, fault: Fault | None) -> bool:
        """Pass a reply on; says whether the connection may go on."""
        head = await self._server.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        none = is_head or status in _BODILESS
        body = body_of(self._server, b"" if none else head, ends=not none)
        kind = fault.kind if fault is not None else None
        if kind is Kind.SWALLOW:
            async for _ in body:
                pass
            await self._wait_for_the_end()
        if kind is Kind.CUT_HEAD and fault is not None:
            self._to_client.write(head[: min(fault.at, len(head) - 4)])
            await self._settle()
            raise BrokenError
        if kind is Kind.SHORT and fault is not None:
            await self._shorten(head, b"".join([piece async for piece in body]), fault.at)
        self._to_client.write(head)
        await self._pass(body, self._to_client, fault, Kind.CUT_REPLY, Kind.FLIP_REPLY)
        return not CLOSE.search(head)

    async def _shorten(self, head: bytes, body: bytes, at: int) -> None:
        """Send a beginning as if it were the whole; where there is none, promise more than comes."""
        if CHUNKED.search(head):
            self._to_client.write(head + body[:at])
            await self._settle()
            raise BrokenError
        shown = body[:at] if len(body) > at else body
        said = len(shown) if len(body) > at else len(body) + _MISSING
        head = LENGTH.sub(b"", head)[:-4] + b"\r\nContent-Length: %d\r\n\r\n" % said
        self._to_client.write(head + shown)
        await self._settle()
        raise BrokenError

    async def _pass(
        self, body: AsyncIterator[bytes], writer: asyncio.StreamWriter, fault: Fault | None, cut: Kind, flip: Kind
    ) -> None:
        passed = 0
        if fault is not None and fault.kind is cut and not fault.at:
            await self._settle()
            raise BrokenError
        async for piece in body:
            changed, broken = _hurt(piece, passed, fault, cut, flip)
            passed += len(piece)
            writer.write(changed)
            await writer.drain()
            if broken:
                await self._settle()
                raise BrokenError
        if fault is not None and fault.kind is cut:  # the body was shorter than that: it breaks at its end
            await self._settle()
            raise BrokenError

    async def _settle(self) -> None:
        """Let what was written leave before the connection breaks."""
        await self._to_client.drain()
        await self._to_server.drain()
        await asyncio.sleep(0.01)

    async def _wait_for_the_end(self) -> None:
        """Say nothing until the client gives up."""
        while await self._client.read(PIECE):
            pass
        raise BrokenError

    # Anything else ----------------------------------------------------------------------------------------------------

    async def stream(self) -> None:
        """Pass bytes both ways until one side ends."""
        fault = self._proxy._due(Asked())
        begun = asyncio.Event()
        if fault is not None and not fault.after:
            begun.set()
            await self._before(fault)
        forth = asyncio.ensure_future(self._forth(fault, begun))
        back = asyncio.ensure_future(self._back(fault, begun))
        try:
            await asyncio.wait((forth, back), return_when=asyncio.FIRST_COMPLETED)
            await self._settle()
        finally:
            for task in (forth, back):
                task.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)

    async def _forth(self, fault: Fault | None, begun: asyncio.Event) -> None:
        passed, seen = 0, b""
        while piece := await self._client.read(PIECE):
            if fault is not None and not begun.is_set():
                seen = seen[-len(fault.after) :] + piece
                if fault.after in seen:
                    begun.set()
                    await self._before(fault)
            due = fault if begun.is_set() else None
            changed, broken = _hurt(piece, passed, due, Kind.CUT_REQUEST, Kind.FLIP_REQUEST)
            passed += len(piece) if due is not None else 0
            self._to_server.write(changed)
            await self._to_server.drain()
            if broken:
                return

    async def _back(self, fault: Fault | None, begun: asyncio.Event) -> None:
        passed = 0
        while piece := await self._server.read(PIECE):
            due = fault if begun.is_set() else None
            if due is not None and due.kind is Kind.SWALLOW:
                continue
            changed, broken = _hurt(piece, passed, due, Kind.CUT_REPLY, Kind.FLIP_REPLY)
            passed += len(piece) if due is not None else 0
            self._to_client.write(changed)
            await self._to_client.drain()
            if broken:
                return


def _hurt(piece: bytes, passed: int, fault: Fault | None, cut: Kind, flip: Kind) -> tuple[bytes, bool]:
    """What becomes of a piece that lies so far into its stream, and whether the connection breaks behind it."""
    if fault is None or not passed <= fault.at < passed + len(piece):
        return piece, False
    at = fault.at - passed
    if fault.kind is cut:
        return piece[:at], True
    if fault.kind is flip:
        return piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :], False
    return piece, False


@contextmanager
def running_proxy(server_port: int, *, http: bool = True) -> Iterator[Proxy]:
    """Run a proxy in a thread of its own, before the server at this loopback port."""
    loop = asyncio.new_event_loop()
    proxy = Proxy(server_port, loop, http=http)
    proxy.listen()

    def run() -> None:
        loop.run_forever()
        loop.run_until_complete(proxy.stop())
        with suppress(RuntimeError):
            loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="proxy", daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
