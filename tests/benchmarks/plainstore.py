"""The peer of `small_files`: FastAPI before boto3 and nothing between (``python -m tests.benchmarks.plainstore``).

It keeps each body as an object and gives it back; no name, nobody asked, nothing sealed, nothing recorded. The bucket
and its server come from the environment: ``PLAIN_BUCKET``, ``PLAIN_ENDPOINT`` and boto3's own.
"""

from __future__ import annotations

import os
import socket
import sys
from uuid import uuid4

import boto3
import uvicorn
from botocore.config import Config
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

CONNECTIONS = 32


def create_app(bucket: str, endpoint: str) -> FastAPI:
    """Make the application."""
    app = FastAPI(openapi_url=None)
    client = boto3.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=CONNECTIONS))

    @app.post("/objects")
    async def put(request: Request) -> dict[str, str]:
        key, body = uuid4().hex, await request.body()
        await run_in_threadpool(client.put_object, Bucket=bucket, Key=key, Body=body)
        return {"document_id": key}

    @app.get("/objects/{key}")
    def get(key: str) -> Response:
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return Response(body, media_type="application/octet-stream")

    return app


def main() -> None:
    """Serve on a free port and print it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"serves at http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    app = create_app(os.environ["PLAIN_BUCKET"], os.environ["PLAIN_ENDPOINT"])
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None)).run(sockets=[listener])


if __name__ == "__main__":
    main()
