"""The purpose of an upload, as a client of tus writes it."""

from __future__ import annotations

import base64
from collections.abc import Mapping


def write_purpose(said: Mapping[str, str]) -> str:
    """Write the header ``Upload-Metadata`` of these words."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
