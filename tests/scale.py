"""How much a seeded loop does: a twentieth in `make test`, all of it in `make test-long`."""

from __future__ import annotations

import os

LONG = os.environ.get("MUNIMENT_TEST_LONG") == "1"
_SHARE = 20


def count(full: int) -> int:
    """The number of cases to try: ``full`` in the long run, a twentieth of it (at least one) otherwise."""
    return full if LONG else max(1, full // _SHARE)
