"""The client program of `small_files`: ``python -m tests.benchmarks.files PORT FILES SIZE CLIENTS``.

So many clients put their share of the files, then get each back, and look at its length. The same program asks our
service and its peer. Prints the seconds that putting and getting took together.

Standard input: three lines: the request line that adds a file, ``POST /path``; the request line that gets it, with
``{}`` in the place of its id; and header lines as JSON, for both.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from tests.benchmarks.sockets import Connection


def _share(port: int, files: int, size: int, lines: list[str]) -> None:
    adding, getting, headers = lines[0], lines[1], "".join(f"{k}: {v}\r\n" for k, v in json.loads(lines[2]).items())
    connection, body = Connection(port), os.urandom(size)
    ids = []
    for _ in range(files):
        answer = connection.ask(adding, headers, (body,), size, keep=True)
        ids.append(json.loads(answer.body)["document_id"])
    for each in ids:
        if connection.ask(getting.format(each), headers).length != size:
            raise RuntimeError(each)
    connection.close()


def main() -> None:
    """Run the clients, print how long they took."""
    port, files, size, clients = (int(argument) for argument in sys.argv[1:])
    lines = sys.stdin.read().splitlines()
    start = perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        for done in [threads.submit(_share, port, files // clients, size, lines) for _ in range(clients)]:
            done.result()
    sys.stdout.write(f"{perf_counter() - start}\n")


if __name__ == "__main__":
    main()
