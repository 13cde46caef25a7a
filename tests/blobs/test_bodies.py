from __future__ import annotations

import os
import zlib

from service.blobs.bodies import PIECE_BYTES, Body


def _filled(size: int) -> tuple[Body, bytes]:
    content = os.urandom(size)
    body = Body(size + 10)
    body.append(memoryview(content))
    return body, content


def test_however_little_is_asked_for_it_comes_in_large_pieces_and_ends() -> None:
    body, content = _filled(2 * PIECE_BYTES + 5)
    pieces = [body.read(16_384) for _ in range(4)]
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 5, 0]
    assert b"".join(pieces) == content


def test_all_of_it_or_more_than_a_piece_may_be_asked_for() -> None:
    body, content = _filled(2 * PIECE_BYTES)
    assert body.read(PIECE_BYTES + 1) == content[: PIECE_BYTES + 1]
    assert body.read() == content[PIECE_BYTES + 1 :]


def test_a_request_that_is_sent_again_is_read_again() -> None:
    body, content = _filled(100)
    assert body.read(10) == content
    assert body.tell() == 100
    assert body.seek(40) == 40
    assert body.read() == content[40:]
    assert body.seek(-10, os.SEEK_END) == 90


def test_memory_that_is_used_again_holds_nothing_of_before() -> None:
    body, _ = _filled(100)
    body.clear()
    assert (len(body), body.room, body.read()) == (0, 110, b"")
    body.append(memoryview(b"new"))
    assert body.crc32() == zlib.crc32(b"new").to_bytes(4)
    assert body.read() == b"new"
