"""The checksum of one request: right, wrong, or of a kind that cannot be checked."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.uploads.checksums import ALGORITHMS, Checksum
from service.uploads.errors import ChecksumError, ChecksumUnknownError


def _header(kind: str, content: bytes) -> str:
    return f"{kind} {base64.b64encode(hashlib.new(kind, content).digest()).decode()}"


@given(st.sampled_from(sorted(ALGORITHMS)), st.lists(st.binary(), max_size=5), st.binary())
def test_what_was_sent_is_right_and_all_else_is_wrong(kind: str, pieces: list[bytes], other: bytes) -> None:
    content = b"".join(pieces)
    for named in (content, other):
        checksum = Checksum(_header(kind, named))
        for piece in pieces:
            checksum.update(piece)
        if named == content:
            checksum.compare()
        else:
            with pytest.raises(ChecksumError):
                checksum.compare()


@pytest.mark.parametrize(
    "header",
    ["", "sha256", "md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1 AAAA", "sha256 ?", "sha1  AAAA", _header("sha1", b"")[:-1]],
)
def test_what_cannot_be_checked_is_refused(header: str) -> None:
    with pytest.raises(ChecksumUnknownError):
        Checksum(header)
