"""What a running service writes to stderr: one JSON object a line.

Rules kept here: only members that are known to hold no names pass (a list of what may, not of what may not); of a fault
its type and the lines of code it came through are told, never its message, which may repeat what somebody sent. There
is no access log: what was read and by whom stands in the audit log, and addresses of requests are nobody's business.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from traceback import extract_tb
from types import TracebackType
from typing import Any, Final

import structlog

PASSED: Final = frozenset(
    {"address", "code", "count", "event", "fault", "kind", "level", "log", "logger", "ms", "request", "route", "status"}
    | {"time", "where"}
)
FRAMES: Final = 12

Event = MutableMapping[str, Any]


def set_up() -> None:
    """Send everything that is logged in this process to stderr as JSON lines."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[tell_fault, keep_known, structlog.processors.JSONRenderer(sort_keys=True)],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    for name in ("alembic", "botocore", "casbin", "httpcore2", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def tell_fault(_logger: object, _name: str, event: Event) -> Event:
    """Replace an exception by its type and the places it came through."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple) and isinstance(found[1], BaseException):
        event["fault"] = type(found[1]).__name__
        event["where"] = _places(found[2])
    return event


def keep_known(_logger: object, _name: str, event: Event) -> Event:
    """Drop whatever is not known to be safe."""
    return {name: value for name, value in event.items() if name in PASSED}


def _places(traceback: TracebackType | None) -> list[str]:
    frames = extract_tb(traceback) if traceback is not None else []
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-FRAMES:]]
