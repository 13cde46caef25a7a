"""`muniment serve`: the application on a port, until it is told to stop.

SIGTERM and Ctrl-C drain: no new request is taken, running ones get up to MUNIMENT_DRAIN_S seconds and are then broken
off, each with its outcome; the ledger writes what it holds, last of all, and the installation is closed. A second
Ctrl-C does not wait.
"""

from __future__ import annotations

import gc
import signal
import socket
import sys
from types import FrameType
from typing import Annotated, Final

import typer

from service.cli import logs
from service.cli.failures import read_settings
from service.errors import UnsafeError
from service.wiring import open_installation

BACKLOG: Final = 512
MS: Final = 1000
GARBAGE_OBJECTS: Final = 20_000  # that may gather before they are looked through


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; MUNIMENT_HOST unless said.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; MUNIMENT_PORT unless said, 0 takes a free one.")] = None,
) -> None:
    """Serve the installation until SIGTERM or Ctrl-C."""
    import uvicorn  # noqa: PLC0415  # half a second that no other command needs to wait

    from service.app import create_app  # noqa: PLC0415  # the same

    settings = read_settings()
    logs.set_up()
    # uvicorn raises the signal again once it has drained; by default that would end us before the ledger has.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with open_installation(settings, serving=True) as services:
        listener = _listen(host or settings.host, settings.port if port is None else port)
        # Who takes nothing at all would otherwise keep what the kernel and the server hold for him, for ever: a
        # connection that is let go is closed only once its last piece has left. Inherited by every connection.
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.idle_s * MS)
        bound = listener.getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        sys.stdout.write(f"Muniment serves at http://{shown}:{bound[1]}\n")
        sys.stdout.flush()
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(services),
                access_log=False,
                log_config=None,
                server_header=False,
                # Working hours may ask from where somebody comes: only a proxy that is named here may say it. By itself
                # uvicorn would believe whatever runs on this machine, and read another variable.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                timeout_graceful_shutdown=settings.drain_s,
            )
        )
        # What is loaded now stays until the end: looking through it for garbage again and again costs a sixth.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_OBJECTS)
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything says that it is ours.

    Raises:
        UnsafeError: it cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UnsafeError(f"Port {port} cannot be taken: {error.strerror}. Choose another with --port.") from None


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
