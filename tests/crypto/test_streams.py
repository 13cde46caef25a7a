from __future__ import annotations

import gc
import itertools
import os
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import streams
from service.crypto.contexts import message_context
from service.crypto.streams import Opener, RangeOpener, Sealer, decrypt, decrypt_range, encrypt, plain_size, sealed_size
from service.crypto.wrapping import SecretKey
from service.errors import SealError
from tests.crypto.messages import CHUNK, HEADER, SEALED, Message, in_pieces, messages, reader, released
from tests.vectors.crypto.make import fixed
from tests.vectors.crypto.reference import seal_message

KEY = fixed("stream key")
CONTEXT = message_context("frm_1", "eng_1", "mtr_1", "doc_1", "rev_1", "original")
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 9 * CHUNK, 17 * CHUNK + 5]


def seal(plain: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return b"".join(encrypt(key, context, [plain]))


def three() -> Message:
    return messages()["three chunks"]


def assert_nothing_wrong_released(sealed: bytes | bytearray, *, at_most: int, length: int = SEALED) -> None:
    """Refused, and what came before is an authentic beginning of at most so many bytes."""
    plain, refused = released(decrypt(three().key, three().context, in_pieces(sealed, length)))
    assert refused
    assert len(plain) <= at_most
    assert three().plain.startswith(plain)


# Round trips and sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", EDGES)
def test_what_was_sealed_opens_and_has_the_promised_size(length: int) -> None:
    plain = os.urandom(length)
    sealed = seal(plain)
    assert b"".join(decrypt(KEY, CONTEXT, [sealed])) == plain
    assert len(sealed) == sealed_size(length)
    assert plain_size(len(sealed)) == length


def test_a_key_may_be_raw_bytes_or_a_secret_key() -> None:
    sealed = b"".join(encrypt(SecretKey(KEY), CONTEXT, [b"text"]))
    for key in (KEY, bytearray(KEY), memoryview(KEY), SecretKey(KEY)):
        assert b"".join(decrypt(key, CONTEXT, [sealed])) == b"text"
        assert b"".join(decrypt_range(key, CONTEXT, reader(sealed), len(sealed), 1, 3)) == b"ex"


@given(
    plain=st.binary(max_size=70_000), cuts=st.lists(st.integers(0, 70_000), max_size=8), length=st.integers(1, 40_000)
)
def test_how_the_source_is_cut_makes_no_difference(plain: bytes, cuts: list[int], length: int) -> None:
    edges = sorted({0, len(plain), *(cut for cut in cuts if cut < len(plain))})
    items = [plain[a:b] for a, b in itertools.pairwise(edges)]
    sealed = b"".join(encrypt(KEY, CONTEXT, [b"", *items, b""]))
    assert len(sealed) == sealed_size(len(plain))
    assert b"".join(decrypt(KEY, CONTEXT, in_pieces(sealed, length))) == plain


def test_two_messages_of_the_same_bytes_differ_everywhere() -> None:
    first, second = seal(bytes(100)), seal(bytes(100))
    assert first[:24] != second[:24]
    assert first[24:56] != second[24:56]
    assert first[56:] != second[56:]


def test_an_item_may_be_any_bytes_like_and_may_be_filled_again() -> None:
    buffer = bytearray(3)

    def filled() -> Iterator[bytearray]:
        for item in (b"abc", b"def"):
            buffer[:] = item
            yield buffer

    sealed = b"".join(encrypt(KEY, CONTEXT, filled()))
    assert b"".join(decrypt(KEY, CONTEXT, [memoryview(sealed)[:60], bytearray(sealed[60:])])) == b"abcdef"


def test_one_huge_item_is_sealed_and_opened_in_small_pieces() -> None:
    plain = bytes(3_000_000)
    sealed = list(encrypt(KEY, CONTEXT, [plain]))
    assert max(map(len, sealed)) <= streams.PIECE_BYTES + 8 * 16 + HEADER
    opened = list(decrypt(KEY, CONTEXT, [b"".join(sealed)]))
    assert max(map(len, opened)) <= streams.PIECE_BYTES + CHUNK
    assert b"".join(opened) == plain


def test_memory_stays_bounded_whatever_the_source_gives() -> None:
    huge, piece = bytes(20_000_000), bytes(1_000)

    def source() -> Iterator[bytes]:
        yield huge
        yield from itertools.repeat(piece, 5_000)

    tracemalloc.start()
    try:
        total = sum(map(len, decrypt(KEY, CONTEXT, encrypt(KEY, CONTEXT, source()))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 25_000_000
    assert peak < 2_000_000


def test_a_generator_that_is_left_early_holds_nothing() -> None:
    buffer = bytearray(1_000_000)
    sealing = encrypt(KEY, CONTEXT, [buffer])
    assert next(sealing)
    del sealing
    gc.collect()
    buffer.clear()  # raises BufferError while anything still looks into it


def test_an_error_of_the_source_passes_unchanged() -> None:
    def breaking() -> Iterator[bytes]:
        yield bytes(10)
        raise ValueError("the client went away")

    with pytest.raises(ValueError, match="went away"):
        list(encrypt(KEY, CONTEXT, breaking()))
    with pytest.raises(ValueError, match="went away"):
        list(decrypt(KEY, CONTEXT, breaking()))

    def reading(offset: int, length: int) -> bytes:
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        list(decrypt_range(KEY, CONTEXT, reading, sealed_size(10), 0, 10))


def test_text_is_no_source() -> None:
    with pytest.raises(TypeError):
        list(encrypt(KEY, CONTEXT, ["text"]))  # type: ignore[list-item]  # that is the point


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused_everywhere(key: bytes) -> None:
    with pytest.raises(SealError):
        list(encrypt(key, CONTEXT, []))
    with pytest.raises(SealError):
        list(decrypt(key, CONTEXT, []))
    with pytest.raises(SealError):
        RangeOpener(key, CONTEXT, sealed_size(0), 0, 0)


@pytest.mark.parametrize("plain", [-1, -CHUNK, 2**38 * CHUNK])
def test_a_message_longer_than_the_format_allows_has_no_size(plain: int) -> None:
    with pytest.raises(SealError):
        sealed_size(plain)


def test_the_longest_message_has_a_size_and_the_next_has_none() -> None:
    longest = 2**38 * CHUNK - 1
    assert plain_size(sealed_size(longest)) == longest
    for sealed in (sealed_size(longest) + 1, HEADER + 2**38 * SEALED + 16):
        with pytest.raises(SealError):
            plain_size(sealed)


@given(st.integers(-100, 3 * SEALED + 100))
def test_a_size_is_refused_exactly_when_no_message_has_it(sealed: int) -> None:
    possible = any(sealed_size(n) == sealed for n in {max(0, sealed - HEADER - 16 * k) for k in range(1, 5)})
    if possible:
        assert sealed_size(plain_size(sealed)) == sealed
    else:
        with pytest.raises(SealError):
            plain_size(sealed)


# Push style ----------------------------------------------------------------------------------------------------------


def test_a_sealer_and_an_opener_take_pieces_as_they_come() -> None:
    plain = os.urandom(50_000)
    sealer, opener = Sealer(KEY, CONTEXT), Opener(KEY, CONTEXT)
    sealed = b"".join([sealer.update(piece) for piece in in_pieces(plain, 999)]) + sealer.finish()
    assert b"".join([opener.update(piece) for piece in in_pieces(sealed, 17)]) + opener.finish() == plain


def test_a_finished_sealer_takes_no_more() -> None:
    sealer = Sealer(KEY, CONTEXT)
    sealer.finish()
    with pytest.raises(SealError):
        sealer.update(b"more")
    with pytest.raises(SealError):
        sealer.finish()


def test_an_opener_is_of_no_use_after_an_error() -> None:
    sealed = seal(bytes(50_000))
    opener = Opener(KEY, CONTEXT)
    with pytest.raises(SealError):
        opener.update(bytes(HEADER))
    with pytest.raises(SealError):
        opener.update(sealed)
    with pytest.raises(SealError):
        opener.finish()


@pytest.mark.parametrize("length", [1, 20, 56, 57, 100_000])
def test_the_header_of_the_row_decides_which_message_opens(length: int) -> None:
    older, newer = seal(b"older"), seal(b"newer")
    assert b"".join(decrypt(KEY, CONTEXT, in_pieces(newer, length), newer[:HEADER])) == b"newer"
    assert released(decrypt(KEY, CONTEXT, in_pieces(older, length), newer[:HEADER])) == (b"", True)
    assert released(decrypt_range(KEY, CONTEXT, reader(older), len(older), 0, 5, newer[:HEADER])) == (b"", True)


def test_an_opener_that_met_another_header_takes_no_more() -> None:
    older, newer = seal(b"older"), seal(b"newer")
    opener = Opener(KEY, CONTEXT, newer[:HEADER])
    with pytest.raises(SealError):
        opener.update(older[:10])
    with pytest.raises(SealError):
        opener.update(newer)


@pytest.mark.parametrize("header", [b"", bytes(55), bytes(57)])
def test_a_header_of_another_length_is_refused(header: bytes) -> None:
    with pytest.raises(SealError):
        Opener(KEY, CONTEXT, header)
    with pytest.raises(SealError):
        RangeOpener(KEY, CONTEXT, sealed_size(0), 0, 0, header)


# Tampering -----------------------------------------------------------------------------------------------------------


def test_every_changed_byte_is_found_before_its_chunk_is_released() -> None:
    sealed = three().sealed
    bits = fixed("bits", len(sealed))
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << (bits[at] % 8)
        assert_nothing_wrong_released(bytes(changed), at_most=max(0, (at - HEADER) // SEALED) * CHUNK)


@pytest.mark.long
def test_every_changed_bit_is_found() -> None:
    sealed = bytearray(three().sealed)
    for bit in range(8 * len(sealed)):
        at = bit // 8
        sealed[at] ^= 1 << bit % 8
        assert_nothing_wrong_released(sealed, at_most=max(0, (at - HEADER) // SEALED) * CHUNK)
        sealed[at] ^= 1 << bit % 8


def test_every_truncation_near_an_edge_is_found() -> None:
    sealed = three().sealed
    edges = [0, 24, HEADER, HEADER + 16, HEADER + SEALED, HEADER + 2 * SEALED, len(sealed)]
    lengths = {*range(300), *(edge + by for edge in edges for by in range(-20, 21))}
    for length in sorted(each for each in lengths if 0 <= each < len(sealed)):
        assert_nothing_wrong_released(sealed[:length], at_most=max(0, (length - HEADER) // SEALED) * CHUNK)


def test_every_extension_is_found() -> None:
    sealed = three().sealed
    for more in (b"\x00", bytes(16), bytes(SEALED), sealed[HEADER : HEADER + SEALED], sealed[-116:], sealed):
        assert_nothing_wrong_released(sealed + more, at_most=2 * CHUNK)


def chunks_of(message: Message) -> list[bytes]:
    body = message.sealed[HEADER:]
    return [body[:SEALED], body[SEALED : 2 * SEALED], body[2 * SEALED :]]


def test_no_other_arrangement_of_the_chunks_opens() -> None:
    header, chunks = three().sealed[:HEADER], chunks_of(three())
    tried = 0
    for length in range(5):
        for order in itertools.product(range(3), repeat=length):
            if order != (0, 1, 2):
                right = next((i for i, chunk in enumerate(order) if chunk != i), length)
                rearranged = header + b"".join(chunks[i] for i in order)
                assert_nothing_wrong_released(rearranged, at_most=min(right, 2) * CHUNK)
                tried += 1
    assert tried == 1 + 3 + 9 + 27 + 81 - 1


def test_a_chunk_of_another_message_does_not_open_in_its_place() -> None:
    mine, other = chunks_of(three()), chunks_of(messages()["three chunks, another"])
    for at in range(3):
        swapped = three().sealed[:HEADER] + b"".join([*mine[:at], other[at], *mine[at + 1 :]])
        assert_nothing_wrong_released(swapped, at_most=at * CHUNK)


def test_a_message_under_the_header_of_another_does_not_open() -> None:
    other = messages()["three chunks, another"].sealed
    for cut in (24, HEADER):
        assert_nothing_wrong_released(other[:cut] + three().sealed[cut:], at_most=0)


@pytest.mark.parametrize(
    "moved",
    [
        ("frm_2", "eng_1", "mtr_1", "doc_1", "rev_1", "original"),
        ("frm_1", "eng_2", "mtr_1", "doc_1", "rev_1", "original"),
        ("frm_1", "eng_1", "mtr_2", "doc_1", "rev_1", "original"),
        ("frm_1", "eng_1", "mtr_1", "doc_2", "rev_1", "original"),
        ("frm_1", "eng_1", "mtr_1", "doc_1", "rev_2", "original"),
        ("frm_1", "eng_1", "mtr_1", "doc_1", "rev_1", "page"),
        ("frm_1e", "ng_1", "mtr_1", "doc_1", "rev_1", "original"),
        ("frm_", "1eng_1", "mtr_1", "doc_1", "rev_1", "original"),
        ("", "frm_1eng_1", "mtr_1", "doc_1", "rev_1", "original"),
    ],
)
def test_a_message_opens_in_its_own_context_only(moved: tuple[str, str, str, str, str, str]) -> None:
    sealed, context = seal(b"secret"), message_context(*moved)
    assert released(decrypt(KEY, context, [sealed])) == (b"", True)
    assert released(decrypt_range(KEY, context, reader(sealed), len(sealed), 0, 6)) == (b"", True)


def test_a_message_opens_with_its_own_key_only() -> None:
    sealed = seal(b"secret")
    for bit in range(256):
        wrong = bytearray(KEY)
        wrong[bit // 8] ^= 1 << bit % 8
        assert released(decrypt(wrong, CONTEXT, [sealed])) == (b"", True)


@given(st.binary(max_size=200))
def test_no_made_up_bytes_open(junk: bytes) -> None:
    assert released(decrypt(KEY, CONTEXT, [junk])) == (b"", True)


# Ranges --------------------------------------------------------------------------------------------------------------

LONG = fixed("long plaintext", 19 * CHUNK + 7)
SEALED_LENGTHS = {n: seal_message(KEY, CONTEXT, fixed("salt", 24), LONG[:n]) for n in [*EDGES, len(LONG)]}


@given(
    length=st.sampled_from(sorted(SEALED_LENGTHS)),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    shifts=st.tuples(st.integers(-2, 2), st.integers(-2, 2)),
    align=st.booleans(),
)
def test_a_range_is_that_slice_of_the_plaintext(
    length: int, ends: tuple[float, float], shifts: tuple[int, int], align: bool
) -> None:
    sealed = SEALED_LENGTHS[length]
    unit = CHUNK if align else 1
    start, stop = sorted(
        min(length, max(0, int(end * length) // unit * unit + shift)) for end, shift in zip(ends, shifts, strict=True)
    )
    opened = list(decrypt_range(KEY, CONTEXT, reader(sealed), len(sealed), start, stop, sealed[:HEADER]))
    assert b"".join(opened) == LONG[start:stop]
    assert all(opened)
    assert all(len(piece) <= streams.PIECE_BYTES + CHUNK for piece in opened)


def test_a_range_reads_the_header_the_last_chunk_and_then_only_its_own_chunks() -> None:
    sealed = SEALED_LENGTHS[len(LONG)]
    asked: list[tuple[int, int]] = []

    def read_at(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return sealed[offset : offset + length]

    list(decrypt_range(KEY, CONTEXT, read_at, len(sealed), CHUNK + 5, 10 * CHUNK + 1))
    last = HEADER + 19 * SEALED
    assert asked == [
        (0, HEADER),
        (last, len(sealed) - last),
        (HEADER + SEALED, streams.PIECE_CHUNKS * SEALED),
        (HEADER + 8 * SEALED, 3 * SEALED),
    ]


@pytest.mark.parametrize("at", [0, 5, CHUNK, len(LONG)])
def test_an_empty_range_gives_nothing_but_still_proves_header_and_length(at: int) -> None:
    sealed = SEALED_LENGTHS[len(LONG)]
    assert list(decrypt_range(KEY, CONTEXT, reader(sealed), len(sealed), at, at)) == []
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert released(decrypt_range(KEY, CONTEXT, reader(broken), len(broken), at, at)) == (b"", True)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 101), (101, 101), (-5, -1), (10**18, 10**18)])
def test_a_range_outside_the_message_is_refused_before_any_read(start: int, stop: int) -> None:
    def read_at(offset: int, length: int) -> bytes:
        raise AssertionError("nothing may be read")

    with pytest.raises(SealError):
        list(decrypt_range(KEY, CONTEXT, read_at, sealed_size(100), start, stop))


@pytest.mark.parametrize("size", [-1, 0, 55, HEADER, HEADER + 15, HEADER + SEALED, HEADER + SEALED + 15, 2**60])
def test_a_size_that_no_message_has_is_refused_before_any_read(size: int) -> None:
    def read_at(offset: int, length: int) -> bytes:
        raise AssertionError("nothing may be read")

    with pytest.raises(SealError):
        list(decrypt_range(KEY, CONTEXT, read_at, size, 0, 0))


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("nth", [0, 1, 2, 3])
def test_a_read_of_another_length_than_asked_is_refused(nth: int, by: int) -> None:
    sealed = SEALED_LENGTHS[len(LONG)] + b"\x00"
    reads = iter(range(10))

    def read_at(offset: int, length: int) -> bytes:
        wrong = by if next(reads) == nth else 0
        return (sealed + b"\x00")[offset : offset + length + wrong]

    plain, refused = released(decrypt_range(KEY, CONTEXT, read_at, len(sealed) - 1, 0, 16 * CHUNK))
    assert refused
    assert plain == LONG[: max(0, nth - 2) * streams.PIECE_BYTES]


def test_a_size_that_the_store_lies_about_is_found_before_anything_is_released() -> None:
    sealed = SEALED_LENGTHS[len(LONG)]
    for size in (len(sealed) - 1, len(sealed) + 1, len(sealed) - SEALED, HEADER + 3 * SEALED + 20, sealed_size(CHUNK)):
        assert released(decrypt_range(KEY, CONTEXT, reader(sealed + bytes(9)), size, 0, 10)) == (b"", True)


@given(at=st.integers(HEADER, sealed_size(len(LONG)) - 1), start=st.integers(0, 18), chunks=st.integers(1, 19))
def test_a_changed_chunk_is_found_exactly_when_the_range_needs_it(at: int, start: int, chunks: int) -> None:
    sealed = bytearray(SEALED_LENGTHS[len(LONG)])
    sealed[at] ^= 0x40
    broken, last = (at - HEADER) // SEALED, 19
    first, stop = start * CHUNK, min((start + chunks) * CHUNK, len(LONG))
    plain, refused = released(decrypt_range(KEY, CONTEXT, reader(bytes(sealed)), len(sealed), first, stop))
    assert refused == (broken == last or start <= broken < start + chunks)
    assert LONG[first:stop].startswith(plain)
    if broken == last:
        assert plain == b""
    if refused:
        assert len(plain) <= max(0, broken - start) * CHUNK


def test_a_range_opener_that_was_refused_can_be_given_the_right_bytes() -> None:
    sealed = SEALED_LENGTHS[CHUNK + 1]
    opener = RangeOpener(KEY, CONTEXT, len(sealed), 0, CHUNK + 1)
    opened = b""
    while (asked := opener.next_read()) is not None:
        right = sealed[asked[0] : asked[0] + asked[1]]
        with pytest.raises(SealError):
            opener.feed(bytes([right[0] ^ 1]) + right[1:])
        with pytest.raises(SealError):
            opener.feed(right[1:])
        assert opener.next_read() == asked
        opened += opener.feed(right)
    assert opened == LONG[: CHUNK + 1]
    with pytest.raises(SealError):
        opener.feed(b"")
