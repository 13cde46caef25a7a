"""What a client asks of a file's bytes, word by word (RFC 9110, RFC 9530)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RangeError
from service.ranges import WHOLE, Span, Wanted

TAG = '"rev_1"'


def _span(text: str, size: int = 100, **more: str) -> Span | None:
    return Wanted(range=text, **more).span(TAG, size)  # type: ignore[arg-type]  # only headers are passed


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("bytes=0-0", 100, (0, 1)),
        ("bytes=0-99", 100, (0, 100)),
        ("bytes=99-", 100, (99, 100)),
        ("bytes=10-5000", 100, (10, 100)),
        ("bytes=-1", 100, (99, 100)),
        ("bytes=-100", 100, (0, 100)),
        ("bytes=-5000", 100, (0, 100)),
        ("Bytes= 3-4 ", 100, (3, 5)),
    ],
)
def test_one_range_is_cut_to_the_file(text: str, size: int, expected: tuple[int, int]) -> None:
    assert _span(text, size) == expected


@pytest.mark.parametrize(
    "text",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "bytes=0-1,", "lines=0-1", "bytes=a-b",
     "bytes=+1-2", "bytes=1-2x", "bytes=--1", f"bytes={'9' * 20}-", "bytes=٣-٤"],
)  # fmt: skip
def test_what_is_no_single_range_of_bytes_is_answered_with_the_whole(text: str) -> None:
    assert _span(text) is None


@pytest.mark.parametrize(
    ("text", "size"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=500-600", 100), ("bytes=-0", 9)]
)
def test_a_range_behind_the_end_is_refused_with_the_size(text: str, size: int) -> None:
    with pytest.raises(RangeError) as refused:
        _span(text, size)
    assert refused.value.extra == {"size_bytes": size}


def test_the_end_of_an_empty_file_is_the_whole_of_it() -> None:
    assert _span("bytes=-5", 0) is None


def test_a_part_is_put_only_to_what_is_strongly_the_same() -> None:
    assert _span("bytes=0-0", if_range=TAG) == (0, 1)
    for other in ('"rev_2"', f"W/{TAG}", "Fri, 15 Jan 2027 08:00:00 GMT", "", "*"):
        assert _span("bytes=0-0", if_range=other) is None


def test_headers_alone_have_no_range() -> None:
    assert Wanted(range="bytes=500-", no_bytes=True).span(TAG, 3) is None
    assert WHOLE.span(TAG, 3) is None


@pytest.mark.parametrize("text", [TAG, f"W/{TAG}", "*", f'"a", {TAG}', f'"a,b", W/"c",{TAG}'])
def test_what_the_client_has_is_unchanged(text: str) -> None:
    assert Wanted(if_none_match=text).is_unchanged(TAG)


@pytest.mark.parametrize("text", ["", '"rev_2"', "rev_1", '"rev_1', '"rev_12"', "**"])
def test_what_the_client_has_not_is_not(text: str) -> None:
    assert not Wanted(if_none_match=text).is_unchanged(TAG)
    assert not WHOLE.is_unchanged(TAG)


def test_a_digest_is_told_to_who_wants_it() -> None:
    for wanted in ("sha-256=1", "sha-256=10, sha-512=3", "sha-512=3,sha-256=1"):
        assert Wanted(want_digest=wanted).wants_digest()
    for other in (None, "", "sha-512=1", "sha-256=0", "sha-256=0, sha-512=1", "md5=1"):
        assert not Wanted(want_digest=other).wants_digest()


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_every_range_is_what_slicing_says(first: int, last: int, size: int) -> None:
    content = bytes(range(size))
    for text, expected in (
        (f"bytes={first}-{last}", content[first : last + 1]),
        (f"bytes={first}-", content[first:]),
        (f"bytes=-{last}", content[-last:] if last else b""),
    ):
        try:
            span = _span(text, size)
        except RangeError:
            assert expected == b""
            continue
        if span is None:
            assert size == 0 or first > last
        else:
            assert content[span.start : span.stop] == expected != b""


@given(st.text(max_size=40))
def test_no_header_makes_it_fail(text: str) -> None:
    wanted = Wanted(range=text, if_range=TAG, if_none_match=text, want_digest=text)
    wanted.is_unchanged(TAG), wanted.wants_digest()
    try:
        found = wanted.span(TAG, 10)
    except RangeError:
        assert re.search(r"\d", text)
    else:
        assert found is None or 0 <= found.start < found.stop <= 10
