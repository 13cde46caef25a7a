"""The fault proxy does exactly what was planned, to the request that was named, and nothing to all others."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fakes.proxy import Asked, Fault, Kind, Proxy, running_proxy

BODY = bytes(range(256)) * 1_000
_POLL_S, _WAIT_S = 0.01, 1.0
BROKEN = (http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass
class Server:
    """A server that keeps what is put, and the proxy before it."""

    proxy: Proxy
    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, path: str, body: bytes, **headers: str) -> int:
        return self.ask("PUT", path, body, **headers)[0]

    def get(self, path: str) -> tuple[int, bytes]:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=_WAIT_S)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()


class Handler(BaseHTTPRequestHandler):
    """Keeps bodies in its server's ``kept``; ``/chunked`` answers in chunks."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["content-length"]))
        self.server.kept[self.path] = body  # type: ignore[attr-defined]  # put there by the fixture
        self._answer(b"")

    def do_GET(self) -> None:
        body = self.server.kept.get(self.path.removeprefix("/chunked"), b"")  # type: ignore[attr-defined]  # the same
        if self.path.startswith("/chunked"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 1_000):
                piece = body[start : start + 1_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._answer(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class HTTPServer(ThreadingHTTPServer):
    def handle_error(self, *_args: object) -> None:
        """Say nothing of broken connections."""


@pytest.fixture
def server() -> Iterator[Server]:
    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(_POLL_S,))
    thread.start()
    try:
        with running_proxy(listening.server_address[1]) as proxy:
            made = Server(proxy)
            listening.kept = made.kept  # type: ignore[attr-defined]  # for its handlers
            yield made
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def test_what_is_not_planned_passes_unchanged(server: Server) -> None:
    assert server.put("/a", BODY) == 200
    assert server.put("/b", BODY, Expect="100-continue") == 200
    assert server.ask("PUT", "/c", iter([BODY[:5], BODY[5:]]))[0] == 200  # type: ignore[arg-type]  # sent in chunks
    assert server.kept == {"/a": BODY, "/b": BODY, "/c": BODY}
    assert server.get("/a") == server.get("/chunked/a") == (200, BODY)
    assert server.ask("HEAD", "/a") == (200, b"")
    assert server.proxy.asked[:2] == [Asked("PUT", "/a"), Asked("PUT", "/b")]
    assert server.proxy.done == []


def test_many_requests_pass_on_one_connection(server: Server) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server.proxy.port, timeout=_WAIT_S)
    for number in range(20):
        line.request("PUT", f"/{number}", bytes([number]) * number)
        assert line.getresponse().read() == b""
        line.request("GET", f"/{number}")
        assert line.getresponse().read() == bytes([number]) * number
    line.close()


def test_a_fault_is_done_to_the_request_that_was_named_and_to_no_other(server: Server) -> None:
    server.proxy.plan(Fault(Kind.ERROR), nth=1, times=2, when=lambda asked: asked.method == "GET")
    server.put("/a", b"text")
    assert [server.get("/a")[0] for _ in range(5)] == [200, 500, 500, 200, 200]
    server.proxy.plan(Fault(Kind.SLOW_DOWN), when=lambda asked: asked.path == "/b")
    assert [server.put(path, b"text") for path in ("/a", "/b", "/b")] == [200, 503, 200]
    server.proxy.plan(Fault(Kind.ERROR), times=9)
    server.proxy.forget()
    assert server.get("/a") == (200, b"text")
    assert server.proxy.done == [Kind.ERROR, Kind.ERROR, Kind.SLOW_DOWN]


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.SLOW_DOWN, Kind.HANG, Kind.REFUSE])
def test_some_faults_keep_the_request_from_the_server(server: Server, kind: Kind) -> None:
    server.proxy.plan(Fault(kind))
    try:
        assert server.put("/a", BODY) == int(kind)
    except BROKEN:
        assert kind in (Kind.HANG, Kind.REFUSE)
    assert server.kept == {}


@pytest.mark.parametrize("kind", [Kind.SWALLOW, Kind.SHORT])
def test_others_let_it_be_done_and_spoil_the_answer(server: Server, kind: Kind) -> None:
    server.proxy.plan(Fault(kind))
    with pytest.raises(BROKEN):
        server.put("/a", BODY)
    assert server.kept == {"/a": BODY}


def test_a_head_that_breaks_off_tells_no_length(server: Server) -> None:
    server.put("/a", BODY)
    server.proxy.plan(Fault(Kind.CUT_HEAD, at=30))
    with socket.create_connection(("127.0.0.1", server.proxy.port), timeout=_WAIT_S) as line:
        line.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = b"".join(iter(lambda: line.recv(65_536), b""))
    assert heard.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n" not in heard


def test_a_delayed_request_takes_its_time_and_passes(server: Server) -> None:
    server.proxy.plan(Fault(Kind.DELAY, seconds=0.3))
    began = time.monotonic()
    assert server.put("/a", BODY) == 200
    assert time.monotonic() - began >= 0.3


def test_a_refused_client_finds_nobody_listening_for_a_while(server: Server) -> None:
    server.proxy.plan(Fault(Kind.REFUSE, seconds=0.5))
    with pytest.raises(BROKEN):
        server.get("/a")
    with pytest.raises(ConnectionRefusedError):
        server.get("/a")
    deadline = time.monotonic() + 5
    while not _listens(server.proxy.port):
        assert time.monotonic() < deadline, "it never listened again"
        time.sleep(0.05)
    assert server.get("/a") == (200, b"")


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("at", [0, 1, 70_000])
def test_a_request_that_is_cut_is_not_kept(server: Server, at: int) -> None:
    server.proxy.plan(Fault(Kind.CUT_REQUEST, at=at))
    with pytest.raises(BROKEN):
        server.put("/a", BODY)
    assert server.kept.get("/a") != BODY


@pytest.mark.parametrize("at", [1, 70_000])
def test_a_reply_that_is_cut_arrives_so_far(server: Server, at: int) -> None:
    server.put("/a", BODY)
    server.proxy.plan(Fault(Kind.CUT_REPLY, at=at))
    with pytest.raises(http.client.IncompleteRead) as broken:
        server.get("/a")
    assert broken.value.partial == BODY[:at]


@pytest.mark.parametrize("at", [0, 100, 65_536, 70_000, len(BODY) - 1])
def test_a_byte_is_flipped_where_it_was_asked_in_either_direction(server: Server, at: int) -> None:
    flipped = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
    server.proxy.plan(Fault(Kind.FLIP_REQUEST, at=at))
    server.put("/a", BODY)
    assert server.kept["/a"] == flipped
    server.put("/a", BODY)
    server.proxy.plan(Fault(Kind.FLIP_REPLY, at=at))
    assert server.get("/a") == (200, flipped)


def test_a_shortened_reply_claims_to_be_whole(server: Server) -> None:
    server.put("/a", BODY)
    server.proxy.plan(Fault(Kind.SHORT, at=1_000), times=2)
    assert server.get("/a") == (200, BODY[:1_000])
    with pytest.raises(BROKEN):
        server.get("/chunked/a")


# Other protocols ------------------------------------------------------------------------------------------------------


class Echo(socketserver.StreamRequestHandler):
    """Answers each line with the same, and keeps it."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            self.server.kept.append(line)  # type: ignore[attr-defined]  # put there by the fixture
            self.wfile.write(line)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Echo)

    def handle_error(self, *_args: object) -> None:
        """Say nothing of broken connections."""


@pytest.fixture
def lines() -> Iterator[tuple[Proxy, EchoServer]]:
    with EchoServer() as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(_POLL_S,))
        thread.start()
        try:
            with running_proxy(listening.server_address[1], http=False) as proxy:
                yield proxy, listening
        finally:
            listening.shutdown()
            thread.join()


def _say(proxy: Proxy, *said: bytes) -> list[bytes]:
    """Send lines one by one and return what came back for each; empty where the connection ended."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=_WAIT_S) as line, line.makefile("rb") as answers:
        heard = []
        for each in said:
            try:
                line.sendall(each)
                heard.append(answers.readline())
            except (ConnectionError, TimeoutError):
                heard.append(b"")
        return heard


SAID = (b"BEGIN\n", b"INSERT\n", b"COMMIT\n")


def test_bytes_of_any_protocol_pass_both_ways(lines: tuple[Proxy, EchoServer]) -> None:
    proxy, _ = lines
    assert _say(proxy, *SAID) == list(SAID)


@pytest.mark.parametrize("kind", [Kind.CUT_REPLY, Kind.SWALLOW])
def test_the_reply_to_a_certain_word_is_lost_and_it_was_done(lines: tuple[Proxy, EchoServer], kind: Kind) -> None:
    proxy, listening = lines
    proxy.plan(Fault(kind, after=b"COMMIT"))
    assert _say(proxy, *SAID) == [b"BEGIN\n", b"INSERT\n", b""]
    assert listening.kept == list(SAID)
    assert _say(proxy, *SAID) == list(SAID)


def test_a_certain_word_never_arrives(lines: tuple[Proxy, EchoServer]) -> None:
    proxy, listening = lines
    for kind in (Kind.CUT_REQUEST, Kind.HANG, Kind.REFUSE):
        listening.kept.clear()
        proxy.plan(Fault(kind, after=b"COMMIT", seconds=0.01))
        assert _say(proxy, *SAID) == [b"BEGIN\n", b"INSERT\n", b""], kind
        assert listening.kept == list(SAID[:2]), kind
        time.sleep(0.1)


def test_a_byte_of_any_protocol_is_flipped(lines: tuple[Proxy, EchoServer]) -> None:
    proxy, _ = lines
    proxy.plan(Fault(Kind.FLIP_REPLY, at=1))
    assert _say(proxy, *SAID) == [b"BDGIN\n", b"INSERT\n", b"COMMIT\n"]
