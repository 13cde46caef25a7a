"""A load generator that is not the limit: ``python -m tests.benchmarks.load HOST PORT SECONDS``.

Each client keeps one connection, sends a request that was written beforehand, reads the answer to its announced length
and sends the next. One process, one selector, no parsing beyond status and length. Prints requests a second.

Standard input: one line a client, ``PATH<TAB>BEARER TOKEN`` (the token may be empty).
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from typing import Final

READ_BYTES: Final = 65_536


class Client:
    """One connection and the request that it repeats."""

    __slots__ = ("_missing", "answered", "request", "socket")

    def __init__(self, host: str, port: int, path: str, token: str) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n".encode()
        self.answered = 0
        self._missing = -1  # bytes of the answer still to come; -1 before its head

    def send(self) -> None:
        """Ask once more."""
        self._missing = -1
        self.socket.send(self.request)

    def receive(self) -> None:
        """Take what has come; ask again when the answer is whole."""
        data = self.socket.recv(READ_BYTES)
        if self._missing < 0:
            head, found, body = data.partition(b"\r\n\r\n")
            if not (found and head.startswith(b"HTTP/1.1 200 ")):
                raise RuntimeError(head.decode("latin-1") or "the server hung up")
            lowered = head.lower()
            at = lowered.index(b"content-length: ") + 16
            length = lowered.find(b"\r", at)
            self._missing = int(lowered[at : length if length > 0 else None]) - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self.answered += 1
            self.send()


def run(host: str, port: int, lines: list[str], seconds: float) -> float:
    """Keep every client asking for so long; return answers a second."""
    clients = [Client(host, port, *line.split("\t")) for line in lines]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client.receive)
        client.send()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for key, _ in selector.select(1):
            key.data()
    taken = time.perf_counter() - start
    for client in clients:
        client.socket.close()
    return sum(client.answered for client in clients) / taken


def main() -> None:
    """Read the clients, run them, print the rate."""
    host, port, seconds = sys.argv[1:]
    lines = sys.stdin.read().splitlines()
    sys.stdout.write(f"{run(host, int(port), lines, float(seconds))}\n")


if __name__ == "__main__":
    main()
