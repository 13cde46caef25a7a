"""No test reaches another machine, whatever it opens the socket with."""

from __future__ import annotations

import asyncio
import socket

import httpx2
import pytest

from tests.guards import OutsideSocketError, is_loopback

OUTSIDE = "192.0.2.1"  # TEST-NET-1: documentation only, never routed


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "", None, b"127.0.0.1"])
def test_this_machine_is_loopback(host: object) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", [OUTSIDE, "10.0.0.1", "0.0.0.1", "::2", "example.org", "127.0.0.1.example.org", b"example.org"]
)
def test_another_machine_is_not(host: object) -> None:
    assert not is_loopback(host)


def test_connecting_outside_is_refused() -> None:
    with socket.socket() as opened, pytest.raises(OutsideSocketError, match="this machine only"):
        opened.connect((OUTSIDE, 80))


def test_sending_a_datagram_outside_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as opened, pytest.raises(OutsideSocketError):
        opened.sendto(b"x", (OUTSIDE, 53))


def test_looking_up_a_name_is_refused() -> None:
    with pytest.raises(OutsideSocketError):
        socket.getaddrinfo("example.org", 80)


def test_an_http_client_is_refused() -> None:
    with pytest.raises(OutsideSocketError):
        httpx2.get(f"http://{OUTSIDE}/", timeout=1, trust_env=False)


async def test_asyncio_is_refused() -> None:
    with pytest.raises(OutsideSocketError):
        await asyncio.open_connection(OUTSIDE, 80)


def test_loopback_and_unix_sockets_work() -> None:
    left, right = socket.socketpair()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        left,
        right,
    ):
        assert client.getpeername() == server.getsockname()
