from __future__ import annotations

import random
import re

import pytest

from service.render import kinds
from service.render.examine import _MEDIA_TYPE
from service.render.found import OCTETS, OLE, PDF, TEXT, ZIP
from service.render.sniff import _MAGICS, HEAD_BYTES, LOOKED_INTO, announced, is_text
from tests.render import samples
from tests.scale import count


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (samples.pdf(), PDF),
        (b"x" * 1019 + b"%PDF-", PDF),
        (b"\0" + b"x" * 1019 + b"%PDF-", OCTETS),
        (b"BM and so on", TEXT),
        (b"PK\x03\x04", ZIP),
        (b"PK", TEXT),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "video/mp4"),
        (bytes(100), OCTETS),
        (b"", OCTETS),
    ],
)
def test_the_first_bytes_announce_a_media_type(head: bytes, media_type: str) -> None:
    assert announced(head) == media_type


def test_what_may_be_looked_into_is_what_a_probe_has_an_examiner_for() -> None:
    assert kinds._EXAMINERS.keys() | {PDF, TEXT} == LOOKED_INTO
    assert OLE in LOOKED_INTO


def test_no_beginning_makes_it_fail() -> None:
    draw = random.Random(7)
    starts = [b"", *(magic for magic, _ in _MAGICS), samples.docx(), samples.tiff(), b"RIFF", b"\x1aE\xdf\xa3", b"\0\0"]
    for _ in range(count(100_000)):
        start = draw.choice(starts)[: draw.randrange(300)]
        head = start + draw.randbytes(draw.choice((0, 1, 3, 16, 262, HEAD_BYTES - len(start))))
        assert re.fullmatch(_MEDIA_TYPE, announced(head[:HEAD_BYTES]))


def test_a_text_may_be_cut_within_a_character() -> None:
    cut = "Grüße".encode()[:3]
    assert is_text(cut, whole=False)
    assert not is_text("Grüße".encode("utf-16")[:-1], whole=True)
