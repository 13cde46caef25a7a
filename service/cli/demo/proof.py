"""What makes the demo more than a show: each claim is compared with what happened, and a false one ends it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from service.errors import MunimentError


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
    """Insists, as a context, that what happens in it is refused in one way; keeps what was answered."""

    def __init__(self, kind: type[MunimentError], what: str) -> None:
        self._kind = kind
        self._what = what
        self.code = ""
        self.words = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, self._kind):
            self.code, self.words = error.code, error.message
            return True
        if isinstance(error, MunimentError):
            answer = f"was answered {error.code} ({error.message})"
            raise UnprovenError(f"{self._what}: expected {self._kind.code}, {answer}") from None
        if kind is None:
            raise UnprovenError(f"{self._what}: expected {self._kind.code}, but it was allowed")
        return False


def refused(kind: type[MunimentError], what: str) -> Refusal:
    """Insist that what follows is refused, in this way."""
    return Refusal(kind, what)


def _short(value: Any) -> str:
    text = repr(
        sorted(value, key=repr) if isinstance(value, Collection) and not isinstance(value, str | bytes) else value
    )
    return text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004  # enough to see what it is
