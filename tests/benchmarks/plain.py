"""The peer of `request`: a FastAPI application whose one route returns 4 KiB (``python -m tests.benchmarks.plain``)."""

from __future__ import annotations

import gc
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI, Response

SIZE = 4096
GARBAGE_OBJECTS = 20_000  # as in service/cli/serving.py


def create_app() -> FastAPI:
    """Make the application."""
    app, body = FastAPI(openapi_url=None), os.urandom(SIZE)

    @app.get("/content")
    async def content() -> Response:
        return Response(body, media_type="application/octet-stream")

    return app


def main() -> None:
    """Serve on a free port and print it, as `muniment serve` does and with the same server settings."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"serves at http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(create_app(), access_log=False, log_config=None, server_header=False)
    server = uvicorn.Server(config)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
