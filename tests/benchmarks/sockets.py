"""A bare HTTP client: what is measured is the server, so nothing is parsed beyond status and length."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the length of the body, its bytes where they were wanted, and when its first byte was there."""

    length: int
    body: bytes
    first_byte_s: float


class Connection:
    """One connection, kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(READ_BYTES)

    def ask(
        self, line: str, headers: str, pieces: Iterable[bytes] = (), length: int = 0, *, keep: bool = False
    ) -> Answer:
        """Send a request and read the answer to its end.

        Args:
            line: ``GET /path``.
            headers: further header lines, each with its line end.
            pieces: the body, of ``length`` bytes together.
            keep: return the answer's body; else it is counted and forgotten.

        Raises:
            RuntimeError: the answer was not a success, or broke off.
        """
        start = perf_counter()
        head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{headers}\r\n"
        self._socket.sendall(head.encode())
        for piece in pieces:
            self._socket.sendall(piece)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        answered, _, body = got.partition(b"\r\n\r\n")
        if not answered.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(got.decode("latin-1"))
        lowered = answered.lower()
        total = int(lowered[lowered.index(b"content-length: ") + 16 :].split(b"\r", 1)[0])
        while not body and total:
            body = self._more()
        first, kept, count = perf_counter() - start, [body] if keep else [], len(body)
        while count < total:
            piece = self._more()
            count += len(piece)
            if keep:
                kept.append(piece)
        return Answer(count, b"".join(kept), first)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _more(self) -> bytes:
        size = self._socket.recv_into(self._buffer)
        if not size:
            raise RuntimeError("the server hung up")
        return bytes(memoryview(self._buffer)[:size])
