"""Starting and ending probes: the processes that look at files, each at one and never at another.

A new interpreter needs 30 ms of a core before it can look at anything; a process forked from one that has imported
everything needs two. So one process is kept that forks them (`service.render.forkserver`). It is started when the first
file comes, and again should it be gone.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Final

from service.render.orders import END, LIMITS, ORDER, PROCESS_ID

_ROOT: Final = str(Path(__file__).resolve().parents[2])
# Isolated: no environment, no user packages, no working directory on the path. Only our own root is added.
_START: Final = "import sys; sys.path.insert(0, sys.argv.pop()); from service.render.forkserver import main; main()"
START_S: Final = 10.0  # the first start imports, on a machine that may be busy
_LAST_SECOND_S: Final = 1.0
READERS: Final = 1
_ANSWER_BYTES: Final = 1_024
PROBE_ERRORS: Final = (TimeoutError, OSError, RuntimeError)
"""What a connection with a process that died or hangs may raise; RuntimeError is uvloop's word for a closed one."""


class Probe:
    """One process, for one file. One task uses it.

    Its methods raise OSError, or RuntimeError (uvloop's word for a closed pipe), when the process has died.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kill: Callable[[], None]) -> None:
        """Take a connection to a process.

        Args:
            kill: ends the process and sees to it that nothing of it is left; may be called again.
        """
        self._reader, self._writer, self.kill = reader, writer, kill

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a piece of the file; it may be used again afterwards."""
        self._writer.write(bytes(data))
        await self._writer.drain()

    async def answer(self, most: int = _ANSWER_BYTES) -> bytes:
        """Say that the file is whole, and return what the process says of it: `most` bytes, or a little more."""
        self._writer.write_eof()
        said = bytearray()
        while len(said) < most and (piece := await self._reader.read(max(_ANSWER_BYTES, most - len(said)))):
            said += piece
        return bytes(said)

    async def end(self) -> None:
        """See the process to its end; also when this is cancelled."""
        self.kill()
        try:
            with suppress(OSError, RuntimeError):
                async with asyncio.timeout(_LAST_SECOND_S):
                    while await self._reader.read(_ANSWER_BYTES):
                        pass
        finally:
            self._writer.transport.abort()


class Probes:
    """Probes for the uploads of one process of ours.

    Args:
        at_once: how many may live together; who starts one takes one of `places` and gives it back. Beside these one
            reads text for somebody (`readers`): whoever asks for much text must not leave uploads unexamined.
    """

    def __init__(self, at_once: int) -> None:
        self.places = asyncio.Semaphore(at_once)
        self.readers = asyncio.Semaphore(READERS)
        self._server: tuple[Popen[bytes], socket.socket] | None = None  # and where it takes orders

    async def start(self, mode: bytes) -> Probe:
        """Start a probe: no environment, no terminal, nothing open but its connection with us.

        Args:
            mode: WHOLE or TEXT (a file follows) or LIMITS (no file: say what confinement is missing, one a line), of
                `service.render.orders`.

        Raises:
            OSError: there is no process to be had, or none in time.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                orders = self._order(mode, theirs)
                reader, writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:
                ours.close()
                raise
        try:
            async with asyncio.timeout(START_S):
                said = await reader.readexactly(PROCESS_ID.size)
        except BaseException as error:
            writer.transport.abort()
            if isinstance(error, TimeoutError) and self._server is not None and self._server[1] is orders:
                self.close()  # it hangs, and would hang for every file to come
            if isinstance(error, asyncio.IncompleteReadError):
                raise OSError("no process left") from None
            raise
        (process_id,) = PROCESS_ID.unpack(said)
        return Probe(reader, writer, lambda: _end(orders, process_id))

    async def begin(self, mode: bytes) -> Probe:
        """Start a probe as `start` does; where this is cancelled, none is left.

        The process may be made already, and only who knows its id can end it: that is waited for.
        """
        starting = asyncio.ensure_future(self.start(mode))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            if not starting.exception():
                await starting.result().end()
            raise

    def close(self) -> None:
        """End every process; `start` would begin anew."""
        if self._server is not None:
            process, orders = self._server
            self._server = None
            orders.close()
            process.kill()  # its probes die with it
            process.wait()

    def _order(self, mode: bytes, connection: socket.socket) -> socket.socket:
        """Order a probe, from a new fork server where there is none or the last one is gone; return where to end it."""
        order = ORDER.pack(mode, 0)
        if self._server is not None:
            try:
                socket.send_fds(self._server[1], [order], [connection.fileno()])
            except OSError:
                self.close()
        if self._server is None:
            self._server = _start_server()
            socket.send_fds(self._server[1], [order], [connection.fileno()])
        return self._server[1]


def _start_server() -> tuple[Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = Popen(  # noqa: S603  # our own interpreter and module
                (sys.executable, "-I", "-B", "-c", _START, _ROOT),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                stderr=DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return process, ours


def _end(orders: socket.socket, process_id: int) -> None:
    with suppress(OSError):  # the fork server is gone, and its probes with it
        orders.send(ORDER.pack(END, process_id))


async def missing_limits(probes: Probes) -> tuple[str, ...]:
    """Ask a probe what confinement this machine cannot give, in words for an operator.

    Raises:
        OSError: no probe can be started.
    """
    probe = await probes.start(LIMITS)
    try:
        return tuple((await probe.answer()).decode().splitlines())
    finally:
        await probe.end()
