"""Entries: one encoding each, the same as RFC 8785's, and every other spelling refused."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import (
    ENTRY_BYTES,
    FIRST_PREVIOUS,
    INTEGER_LIMIT,
    OUTCOMES,
    PAYLOAD_BYTES,
    Entry,
    Scanner,
    commitment,
    decode,
    encode,
)
from audit.errors import EntryError, PayloadError

WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,40}", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
INTEGERS = st.integers(-INTEGER_LIMIT + 1, INTEGER_LIMIT - 1)
NATURALS = st.integers(0, INTEGER_LIMIT - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
VALUES = st.one_of(TEXTS, INTEGERS, st.booleans(), st.lists(TEXTS, max_size=3))
ACTORS = st.one_of(
    st.fixed_dictionaries({"system": WORDS}),
    st.dictionaries(st.sampled_from(["person", "membership", "token", "role"]), WORDS, min_size=1),
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any entry that fits the grammar."""
    kinds = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
    subjects = draw(st.none() | st.dictionaries(kinds | st.just("engagement"), WORDS, min_size=1, max_size=5))
    chained = subjects is not None and "engagement" in subjects
    maybe_digest = st.none() | DIGESTS
    return Entry(
        log=draw(WORDS),
        index=draw(NATURALS),
        time=draw(NATURALS),
        type=draw(st.from_regex(r"[a-z][a-z0-9_.-]{0,20}", fullmatch=True)),
        actor=draw(ACTORS),
        action=draw(st.none() | st.from_regex(r"[a-z][a-z0-9_.:-]{0,20}", fullmatch=True)),
        outcome=draw(st.none() | st.sampled_from(OUTCOMES)),
        subjects=subjects,
        rule=draw(st.none() | WORDS),
        facts=draw(st.none() | st.lists(KEYS, min_size=1, max_size=4, unique=True).map(sorted).map(tuple)),
        policy=draw(maybe_digest),
        nda=draw(maybe_digest),
        header=draw(st.none() | st.binary(min_size=56, max_size=56)),
        request=draw(st.none() | WORDS),
        payload=draw(maybe_digest),
        eseq=draw(NATURALS) if chained else None,
        eprev=draw(DIGESTS) if chained else None,
        data=draw(st.none() | st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)),
    )


SMALL = Entry(log="log_1", index=0, time=0, type="log.opened", actor={"system": "cli"})
SMALL_BODY = b'{"actor":{"system":"cli"},"index":0,"log":"log_1","time":0,"type":"log.opened","v":1}'
FULL = SMALL._replace(
    actor={"token": "tok_1", "role": "paralegal", "person": "per_1", "membership": "mem_1"},
    action="document:view",
    outcome="allowed",
    subjects={"engagement": "eng_1", "document": "doc_1"},
    rule="policy.csv:17",
    facts=("duties", "live"),
    policy="a" * 64,
    nda="b" * 64,
    header=bytes(56),
    request="req_1",
    payload="c" * 64,
    eseq=0,
    eprev=FIRST_PREVIOUS,
    data={"text": 'é"\\\n\x00\x7f', "list": ["a", "b"], "none": [], "yes": True, "number": -5},
)


def plain(entry: Entry) -> dict[str, Any]:
    """The JSON object that an entry stands for, without our encoder."""
    values = {name: getattr(entry, name) for name in Entry._fields if getattr(entry, name) is not None}
    if entry.facts is not None:
        values["facts"] = list(entry.facts)
    if entry.header is not None:
        values["header"] = b64encode(entry.header).decode()
    return values | {"v": 1}


@given(entry=entries())
def test_the_encoding_is_that_of_rfc_8785(entry: Entry) -> None:
    assert encode(entry) == rfc8785.dumps(plain(entry))


@given(entry=entries())
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    assert decode(encode(entry)) == entry


def test_the_encoding_is_the_one_of_the_format() -> None:
    assert encode(SMALL) == SMALL_BODY
    assert decode(encode(FULL)) == FULL


def test_facts_are_written_in_order_whatever_the_order_they_came_in() -> None:
    assert encode(FULL._replace(facts=["live", "duties", "live"])) == encode(FULL)


def test_what_is_empty_is_left_out() -> None:
    assert encode(SMALL._replace(subjects={}, facts=(), data={}, action=None)) == SMALL_BODY


def test_read_only_mappings_are_written_as_mappings() -> None:
    assert encode(SMALL._replace(actor=MappingProxyType({"system": "cli"}), data=MappingProxyType({"a": 1}))) == encode(
        SMALL._replace(data={"a": 1})
    )


@given(entry=entries(), data=st.data())
def test_one_changed_byte_is_refused_or_another_entry_in_its_one_encoding(entry: Entry, data: st.DataObject) -> None:
    body = bytearray(encode(entry))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    accepted_only_canonical(bytes(body))


@given(entry=entries(), data=st.data())
def test_another_spelling_of_an_entry_is_refused(entry: Entry, data: st.DataObject) -> None:
    values = json.loads(encode(entry))
    order = data.draw(st.permutations(list(values)))
    spelled = json.dumps(
        {name: values[name] for name in order},
        ensure_ascii=data.draw(st.booleans()),
        separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")])),
    ).encode()
    accepted_only_canonical(spelled)


def accepted_only_canonical(body: bytes) -> None:
    """Whatever is read must be what an independent encoder writes for the same values."""
    try:
        entry = decode(body)
    except EntryError:
        return
    assert body == rfc8785.dumps(plain(entry))
    assert body == encode(entry)


BAD_VALUES: list[tuple[str, Mapping[str, Any]]] = [
    ("a name in an id", {"log": "John Doe"}),
    ("an address in an id", {"request": "john@firm.example"}),
    ("a quote that would open another field", {"request": 'r","rule":"policy.csv:1'}),
    ("an empty id", {"log": ""}),
    ("a long id", {"log": "l" * 129}),
    ("a newline in an id", {"log": "log_1\n"}),
    ("an index below zero", {"index": -1}),
    ("an index of 2**53", {"index": INTEGER_LIMIT}),
    ("an index of 17 digits", {"index": 10**16}),
    ("a bool for an index", {"index": True}),
    ("false for a time", {"time": False}),
    ("a text for an index", {"index": "0"}),
    ("a float for a time", {"time": 1.5}),
    ("a huge integer", {"time": 10**5000}),
    ("no type", {"type": ""}),
    ("a type in capitals", {"type": "Log.opened"}),
    ("no actor", {"actor": {}}),
    ("an unknown kind of actor", {"actor": {"name": "x"}}),
    ("a system and a person", {"actor": {"person": "p", "system": "s"}}),
    ("an actor that is a list", {"actor": ["system"]}),
    ("an unknown outcome", {"outcome": "maybe"}),
    ("an action that is a number", {"action": 1}),
    ("an engagement without its number", {"subjects": {"engagement": "eng_1"}}),
    ("a number without an engagement", {"eseq": 0, "eprev": FIRST_PREVIOUS}),
    ("a number without its link", {"subjects": {"engagement": "eng_1"}, "eseq": 0}),
    ("a link without its number", {"subjects": {"engagement": "eng_1"}, "eprev": FIRST_PREVIOUS}),
    ("a subject with a number for an id", {"subjects": {"document": 7}}),
    ("a subject in capitals", {"subjects": {"Document": "doc_1"}}),
    ("33 subjects", {"subjects": {f"k_{'a' * n}": "x" for n in range(33)}}),
    ("a fact in capitals", {"facts": ["Live"]}),
    ("a fact that is a number", {"facts": [1]}),
    ("facts of two types", {"facts": ["live", 1]}),
    ("a digest in capitals", {"policy": "A" * 64}),
    ("a short digest", {"nda": "a" * 63}),
    ("a short header", {"header": bytes(55)}),
    ("a header as text", {"header": "A" * 76}),
    ("data with a key that is no text", {"data": {True: 1}}),
    ("data with a key in capitals", {"data": {"Bytes": 1}}),
    ("data with nothing", {"data": {"a": None}}),
    ("data with a float", {"data": {"a": 1.0}}),
    ("data with 2**53", {"data": {"a": INTEGER_LIMIT}}),
    ("data with -2**53", {"data": {"a": -INTEGER_LIMIT}}),
    ("data in data", {"data": {"a": {"b": 1}}}),
    ("a list in a list", {"data": {"a": [["b"]]}}),
    ("a number in a list", {"data": {"a": [1]}}),
    ("bytes in data", {"data": {"a": b"x"}}),
    ("half of a surrogate pair", {"data": {"a": "\ud800"}}),
    ("65 keys", {"data": {f"k{n}": n for n in range(65)}}),
    ("more than 4,096 bytes", {"data": {"a": "x" * ENTRY_BYTES}}),
]


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in BAD_VALUES])
def test_what_does_not_fit_is_not_written(change: Mapping[str, Any]) -> None:
    with pytest.raises(EntryError):
        encode(SMALL._replace(**change))


def test_a_mapping_that_holds_itself_is_not_written() -> None:
    data: dict[str, Any] = {}
    data["a"] = data
    with pytest.raises(EntryError):
        encode(SMALL._replace(data=data))


def test_the_longest_entry_is_written_and_one_byte_more_is_not() -> None:
    room = ENTRY_BYTES - len(encode(SMALL._replace(data={"a": ""})))
    assert len(encode(SMALL._replace(data={"a": "x" * room}))) == ENTRY_BYTES
    with pytest.raises(EntryError, match="4096"):
        encode(SMALL._replace(data={"a": "x" * (room + 1)}))


@pytest.mark.parametrize("number", [0, 1, -1, 9, 10, 10**15 - 1, 10**15, INTEGER_LIMIT - 1, -INTEGER_LIMIT + 1])
def test_integers_are_written_up_to_their_limits(number: int) -> None:
    assert decode(encode(SMALL._replace(data={"a": number}))).data == {"a": number}


def with_data(data: str) -> bytes:
    return SMALL_BODY.replace(b'"index"', f'"data":{data},"index"'.encode())


BAD_BODIES = [
    pytest.param(b"", "not JSON", id="nothing"),
    pytest.param(b"\xff", "not JSON", id="not UTF-8"),
    pytest.param(b"[" * 4000, "not JSON", id="deeply nested"),
    pytest.param(b"[]", "not an object", id="a list"),
    pytest.param(b"{}", "not an object", id="an empty object"),
    pytest.param(SMALL_BODY.replace(b'"v":1', b'"v":2'), "version", id="another version"),
    pytest.param(SMALL_BODY.replace(b'"v":1', b'"v":1,"w":1'), "'w'", id="an unknown key"),
    pytest.param(SMALL_BODY.replace(b'"time":0,', b""), "'time'", id="a missing key"),
    pytest.param(SMALL_BODY + b"\n", "spelling", id="a newline behind"),
    pytest.param(b" " + SMALL_BODY, "spelling", id="a blank before"),
    pytest.param(SMALL_BODY.replace(b'"time":0', b'"time":0.0'), "grammar", id="a time of 0.0"),
    pytest.param(SMALL_BODY.replace(b'"time":0', b'"time":-0'), "spelling", id="a time of minus zero"),
    pytest.param(SMALL_BODY.replace(b'"time":0', b'"time":007'), "not JSON", id="leading zeros"),
    pytest.param(SMALL_BODY.replace(b'"time":0', b'"time":0,"time":0'), "spelling", id="a doubled key"),
    pytest.param(SMALL_BODY.replace(b'"log_1"', b'"log\\u005f1"'), "spelling", id="an escape that is not needed"),
    pytest.param(SMALL_BODY.replace(b'"index":0', b'"index":null'), "grammar", id="nothing for an index"),
    pytest.param(with_data('{"a":1,"a":2}'), "ascending", id="a doubled key in data"),
    pytest.param(with_data('{"b":1,"a":2}'), "ascending", id="keys of data out of order"),
    pytest.param(with_data("{}"), "value of data", id="empty data"),
    pytest.param(with_data("null"), "value of data", id="nothing for data"),
    pytest.param(with_data('{"a":1.0}'), "value of data", id="a float"),
    pytest.param(with_data('{"a":1e3}'), "value of data", id="an exponent"),
    pytest.param(with_data('{"a":9007199254740992}'), "value of data", id="2**53"),
    pytest.param(with_data('{"a":"\\/"}'), "value of data", id="an escaped slash"),
    pytest.param(with_data('{"a":"\\u001F"}'), "value of data", id="an escape in capitals"),
    pytest.param(with_data('{"a":"\\u000a"}'), "value of data", id="a newline spelled the long way"),
    pytest.param(with_data('{"a":"\\ud800"}'), "value of data", id="half a pair, escaped"),
    pytest.param(with_data('{"a":"é"}').replace("é".encode(), b"\xed\xa0\x80"), "not JSON", id="half a pair, in bytes"),
    pytest.param(with_data('{"a":"é"}').replace("é".encode(), b"\xc3"), "not JSON", id="half of a character"),
    pytest.param(
        SMALL_BODY.replace(b'"index"', b'"facts":["live","duties"],"index"'), "ascending", id="facts out of order"
    ),
    pytest.param(SMALL_BODY.replace(b'"index"', b'"facts":["live","live"],"index"'), "ascending", id="a doubled fact"),
    pytest.param(SMALL_BODY.replace(b'"index"', b'"facts":[],"index"'), "value of facts", id="no facts in a list"),
    pytest.param(
        SMALL_BODY.replace(b'"time"', b'"subjects":{"part":"p","document":"d"},"time"'),
        "ascending",
        id="subjects out of order",
    ),
    pytest.param(
        SMALL_BODY.replace(b'"time"', b'"subjects":{"engagement":"e"},"time"'),
        "eseq",
        id="an engagement without a number",
    ),
    pytest.param(
        SMALL_BODY.replace(b'"index"', b'"eprev":"%b","eseq":0,"index"' % (b"0" * 64)),
        "eseq",
        id="a number without an engagement",
    ),
    pytest.param(
        encode(SMALL._replace(header=bytes(56))).replace(b'AA="', b'AB="'),
        "value of header",
        id="base64 with spare bits set",
    ),
    pytest.param(with_data('{"a":"' + "x" * ENTRY_BYTES + '"}'), "4096", id="too long"),
    pytest.param(
        with_data('{"a":1.0}').replace(b'"time":0', b'"time":1.0'), "grammar", id="two values that do not fit"
    ),
]


@pytest.mark.parametrize(("body", "reason"), BAD_BODIES)
def test_what_is_not_in_its_one_encoding_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(EntryError, match=reason):
        decode(body)


def test_a_scan_reads_what_a_verifier_follows() -> None:
    scan = Scanner().scan(encode(FULL._replace(index=9, type="document.opening", eseq=3, data={"of": 7})))
    assert (scan.at, scan.time, scan.log, scan.engagement, scan.eseq) == (9, 0, b"log_1", b"eng_1", 3)
    assert (scan.eprev, scan.payload, scan.policy) == (b"0" * 64, b"c" * 64, b"a" * 64)
    assert (scan.announces, scan.closes) == (True, 7)


def test_marks_inside_texts_are_no_marks() -> None:
    scan = Scanner().scan(encode(SMALL._replace(data={"a": '","of":7,"b":"', "of": "7"})))
    assert (scan.announces, scan.closes) == (False, None)


def test_a_scanner_does_not_remember_without_end() -> None:
    scanner = Scanner()
    for number in range(3000):
        scanner.scan(encode(SMALL._replace(facts=[f"f{number}"], data={f"k{number}": 1})))
    assert len(scanner._facts) == len(scanner._shapes) == 1024
    with pytest.raises(EntryError):
        scanner.scan(with_data('{"b":1,"a":2}'))


def test_a_commitment_is_bound_to_salt_and_payload() -> None:
    made = commitment(bytes(32), b"{}")
    assert made.hex() == "0f5cf49065055087e02cd5f7a12d854ae33c4fdd4adaf80ea858057bb608b4ae"  # by hashlib alone
    assert len({made, commitment(b"\1" * 32, b"{}"), commitment(bytes(32), b"{ }")}) == 3


@pytest.mark.parametrize(("salt", "payload"), [(31, 2), (33, 2), (0, 2), (32, PAYLOAD_BYTES + 1)])
def test_a_commitment_takes_32_bytes_of_salt_and_a_bounded_payload(salt: int, payload: int) -> None:
    with pytest.raises(PayloadError):
        commitment(bytes(salt), bytes(payload))
