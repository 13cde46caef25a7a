"""What makes the demo more than a show: each claim is compared with what happened, and a false one ends it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from service.errors import MunimentError

E = TypeVar("E", bound=MunimentError)


class UnprovenError(Exception):
    """Something was not as the demo says it is."""


def same(found: object, expected: object, what: str) -> None:
    """Insist that two things are equal."""
    if found != expected:
        raise UnprovenError(f"{what}: expected {_short(expected)}, found {_short(found)}")


def true(found: object, what: str) -> None:
    """Insist that something holds."""
    if not found:
        raise UnprovenError(f"expected: {what}")


class Refusal:
    """What a refused request was answered."""

    def __init__(self) -> None:
        self.code = ""
        self.words = ""


@contextmanager
def refused(kind: type[MunimentError], what: str) -> Iterator[Refusal]:
    """Insist that what follows is refused, in this way."""
    refusal = Refusal()
    try:
        yield refusal
    except kind as error:
        refusal.code, refusal.words = error.code, error.message
        return
    except MunimentError as error:
        raise UnprovenError(f"{what}: expected {kind.code}, was answered {error.code} ({error.message})") from None
    raise UnprovenError(f"{what}: expected {kind.code}, but it was allowed")


def _short(value: Any) -> str:
    text = repr(
        sorted(value, key=repr) if isinstance(value, Collection) and not isinstance(value, str | bytes) else value
    )
    return text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004  # enough to see what it is
