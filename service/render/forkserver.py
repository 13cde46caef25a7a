"""The process that forks probes: it imports what they need once, then forks one for each file.

It reads orders (`service.render.orders`) and nothing else. No byte of a file ever reaches it, so what a file does to
its probe cannot reach the probe of the next.
"""

from __future__ import annotations

import gc
import os
import signal
import socket

from service.render import probe, sandbox
from service.render.orders import END, ORDER, PROCESS_ID


def main() -> None:
    """Fork probes until standard input, where the orders come from, ends."""
    probe.preload()
    gc.freeze()  # a collection in a probe would copy pages that it shares with us
    orders = socket.socket(fileno=0)
    living: set[int] = set()
    while True:
        order, connections, _, _ = socket.recv_fds(orders, ORDER.size, 1)
        if len(order) < ORDER.size:
            os._exit(0)
        what, process_id = ORDER.unpack(order)
        if what != END:
            _fork(what, connections[0], living)
        elif process_id in living:
            # Only its parent may do this: an id that nobody has waited for cannot belong to another process by now.
            living.remove(process_id)
            os.kill(process_id, signal.SIGKILL)
            os.waitpid(process_id, 0)


def _fork(mode: bytes, connection: int, living: set[int]) -> None:
    try:
        process_id = os.fork()
    except OSError:  # no process or memory left; who waits at the other end sees it closed
        os.close(connection)
        return
    if process_id:
        living.add(process_id)
        os.close(connection)
        return
    sandbox.die_with_parent()
    os.dup2(connection, 0)
    os.dup2(connection, 1)
    os.write(1, PROCESS_ID.pack(os.getpid()))
    probe.main(mode)
