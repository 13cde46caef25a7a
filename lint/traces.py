"""What a tracked file may not give away: paths of the machine it was made on, addresses of package registries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.source import Finding
from lint.tables import TRACES

MAX_BYTES = 4_000_000  # bytes; larger files are vectors, not texts


def check_traces(path: str, content: bytes) -> Iterator[Finding]:
    """Yield lines of a file that name a place outside the project. Binary files are left alone.

    Args:
        path: POSIX path below the project's root.
        content: the file's bytes.
    """
    if len(content) > MAX_BYTES or b"\x00" in content:
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        for pattern, advice in TRACES.items():
            if re.search(pattern, line):
                yield Finding(path, number, "trace", advice)
