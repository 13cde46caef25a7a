"""How a command ends when it cannot do what was asked: one sentence, what to do, an exit code.

Rules kept here: nothing that was read or sent is repeated, so no name reaches a terminal's history by way of an error;
no stack is printed, only the place in our own code of a fault nobody foresaw.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from rich.console import Console

from audit.errors import AuditError
from service.config import Settings
from service.errors import MunimentError, UnsafeError

EXIT_INTERRUPTED: Final = 130


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        UnsafeError: one of them cannot be used; the message names it, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        named = sorted({f"MUNIMENT_{str(step).upper()}" for item in error.errors() for step in item["loc"][:1]})
        wrong = " and ".join(named) or "MUNIMENT_KEY_PLACES"
        raise UnsafeError(f"{wrong} cannot be used: see docs/settings.md for what it may be.") from None


def report(error: BaseException) -> int:
    """Tell an error on stderr and return the exit code that belongs to it."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if isinstance(error, MunimentError):
        _tell(error.title, error.message)
        for item in _fields(error):
            _tell("", f"  {item}")
        return error.exit_code
    if isinstance(error, AuditError):
        _tell("The log's own rules say no", error.message)
        return error.exit_code
    if isinstance(error, OSError):
        _tell("The machine says no", f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}")
        return 1
    _tell(MunimentError.title, f"{type(error).__name__} at {_place(error)}. Please tell whoever runs Muniment for you.")
    return 1


def _tell(title: str, sentence: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{title}: {sentence}" if title else sentence, markup=False)


def _fields(error: MunimentError) -> list[str]:
    """What a problem document says about single fields."""
    items = error.extra.get("errors")
    if not isinstance(items, list):
        return []
    return [f"{item.get('pointer', '')}: {item.get('detail', '')}" for item in items if isinstance(item, dict)]


def _place(error: BaseException) -> str:
    """Name the innermost line of our own code that the error came through."""
    place, step = "an unknown place", error.__traceback__
    ours = str(Path(__file__).parent.parent)
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename.startswith(ours):
            place = f"{Path(code.co_filename).relative_to(Path(ours).parent)}:{step.tb_lineno}"
        step = step.tb_next
    return place


def leave(error: BaseException) -> None:
    """Report and exit."""
    sys.exit(report(error))
