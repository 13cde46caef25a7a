"""Upload-Metadata: read strictly, so that nobody's slip changes what a file is taken for."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInputError, BadTitleError
from service.uploads.purpose import PURPOSE_CHARACTERS, read_purpose
from tests.uploads.purposes import write_purpose

SAID = {"engagement_id": "eng_1", "part_id": "prt_1", "label": "exhibit", "title": "Ünïted.pdf"}


def test_what_was_written_is_read() -> None:
    found = read_purpose(write_purpose({**SAID, "sensitivity": "routine", "filetype": "Text/Plain; charset=utf-8"}))
    assert (found.engagement_id, found.part_id, found.label, found.title) == tuple(SAID.values())
    assert (found.sensitivity, found.media_type) == ("routine", "text/plain")


def test_what_may_be_left_out_may() -> None:
    found = read_purpose(write_purpose(SAID).replace(",", " , "))
    assert (found.sensitivity, found.media_type) == (None, "application/octet-stream")


def test_the_name_of_the_file_is_its_title_unless_there_is_one() -> None:
    named = {name: value for name, value in SAID.items() if name != "title"} | {"filename": "a.pdf"}
    assert read_purpose(write_purpose(named)).title == "a.pdf"
    with pytest.raises(BadInputError, match="nothing else"):
        read_purpose(write_purpose({**SAID, "filename": "a.pdf"}))


@pytest.mark.parametrize("left_out", SAID)
def test_what_must_be_said_must_be(left_out: str) -> None:
    with pytest.raises(BadInputError):
        read_purpose(write_purpose({name: value for name, value in SAID.items() if name != left_out}))


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        write_purpose({**SAID, "slip": "x"}),
        write_purpose(SAID) + "," + write_purpose({"label": "other"}),
        write_purpose({**SAID, "label": "Exhibit"}),
        write_purpose({**SAID, "sensitivity": "secret"}),
        write_purpose({**SAID, "filetype": "t" * 201}),
        write_purpose({**SAID, "filetype": "text/plaïn"}),
        write_purpose(SAID) + "!",
        write_purpose(SAID).replace("part_id ", "part_id  *"),
        write_purpose({name: value for name, value in SAID.items() if name != "part_id"}) + ",part_id /w==",
        write_purpose({**SAID, "title": "t" * PURPOSE_CHARACTERS}),
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(BadInputError):
        read_purpose(header)


@pytest.mark.parametrize("title", ["", " ", "t" * 256, "a\nb", "a\u202eb"])
def test_a_title_that_cannot_be_kept_is_refused(title: str) -> None:
    with pytest.raises(BadTitleError):
        read_purpose(write_purpose({**SAID, "title": title}))


@given(st.text())
def test_no_header_makes_it_fail_otherwise(header: str) -> None:
    with pytest.raises(BadInputError):
        read_purpose(header)


@given(st.binary(max_size=40))
def test_no_value_does_either(value: bytes) -> None:
    with pytest.raises(BadInputError):
        read_purpose(write_purpose({**SAID, "label": ""}) + ",x " + base64.b64encode(value).decode())
