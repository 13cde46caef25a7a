"""The root of the tree, the exit codes of the command line, and the way through all classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

EXIT_REFUSED = 3
EXIT_BAD_INPUT = 4
EXIT_NOT_FOUND = 5
EXIT_CONFLICT = 6
EXIT_UNAVAILABLE = 7
EXIT_UNSAFE = 8


class MunimentError(Exception):
    """Something was refused or failed, in a way a person can act upon.

    Args:
        detail: one sentence that may be shown to the asker; the class's own sentence where it is left out.
        extra: further safe members for the problem document (words, ids the asker already named, numbers).
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong on our side"
    detail: ClassVar[str] = "Nothing was changed and nothing was shown. Try again; if it stays so, tell your operator."
    retry_after_s: int | None = None

    def __init__(self, detail: str | None = None, *, extra: Mapping[str, object] | None = None) -> None:
        self.message = detail or self.detail
        self.extra = dict(extra or {})
        super().__init__(f"{self.code}: {self.message}")


def all_errors(root: type[MunimentError] = MunimentError) -> Iterator[type[MunimentError]]:
    """Yield every class of the tree, parents first, in the order of their definition."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)
