"""What no test may do: reach another machine.

An audit hook sees every socket of the interpreter, whatever library opens it and however it was patched; it cannot be
taken off again, so it stays for the whole run. Libraries in C with sockets of their own (libpq) are not seen.

Source: PEP 578, "socket.connect", "socket.sendto" and "socket.getaddrinfo" in Python's audit event table.
"""

from __future__ import annotations

import ipaddress
import sys


class OutsideSocketError(BaseException):
    """A test tried to reach another machine (no Exception: nothing may catch it by accident)."""


def is_loopback(host: object) -> bool:
    """Whether a host names this machine: a loopback address, localhost, or nothing at all."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_outside(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        if not isinstance(address, tuple):  # a Unix socket's path
            return
        host = address[0]
    else:
        return
    if not is_loopback(host):
        message = f"{event} to {host!r}: tests may reach this machine only"
        raise OutsideSocketError(message)


def guard_sockets() -> None:
    """From here on, any socket to another machine raises `OutsideSocketError`."""
    sys.addaudithook(_refuse_outside)
