"""A client of AWS that fails in pairs: a request is not carried out, or it is and its answer is lost.

    client = FaultyClient(real)
    client.faults.plan("put_object", LostAnswerError, stored=True)

Everything else is the real client's: its server, its errors, its paginators (which ask the real client).
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError

from tests.fakes.faults import Faults


class LostAnswerError(BotoCoreError):
    """No answer came."""

    fmt = "the answer was lost"


class FaultyClient:
    """Passes every call on, unless ``faults`` plans otherwise for its name."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.faults = Faults()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found) or name in {"close", "get_paginator"}:
            return found

        def call(**given: Any) -> Any:
            self.faults.before(name)
            answer = found(**given)
            self.faults.after(name)
            return answer

        return call
