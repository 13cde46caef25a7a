"""One log entry: its fields, its one encoding, and the commitment to the payload beside it.

Rules kept here:

* one value has one encoding (RFC 8785 on restricted types), so nobody can show two different texts for one leaf;
* the encoding is a regular language and is checked by one expression; that is quicker than parsing and serialising
  again, and writer and reader cannot disagree, because `encode` puts what it wrote through the same check;
* ids, rules and types are words without blanks or ``@``: neither a name nor an address fits in.

It does not know what event types exist, and it never hashes anything but payloads: leaves are hashed in merkle.py,
from the bytes as written.

Source: FORMAT.md, sections 1 and 3; RFC 8785.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, NamedTuple

from audit.errors import EntryError, PayloadError

VERSION: Final = 1
ENTRY_BYTES: Final = 4096  # the longest entry
SALT_BYTES: Final = 32
PAYLOAD_BYTES: Final = 65_536  # the longest payload
INTEGER_LIMIT: Final = 1 << 53  # integers that every JSON reader keeps exact are below this
FIRST_PREVIOUS: Final = "0" * 64  # eprev of an engagement's first entry
OUTCOMES: Final = ("allowed", "refused", "done", "failed", "aborted", "unknown")

Value = str | int | bool | Sequence[str]


class Entry(NamedTuple):
    """One log entry; what is ``None`` or empty is left out. FORMAT.md section 1 has the grammar of each field.

    Args:
        log: log id.
        index: 0-based place in the log.
        time: UTC milliseconds, never less than in the entry before.
        type: event type, ``grant.created``.
        actor: ``person``, ``membership``, ``token``, ``role``, or ``system`` alone.
        action: ``grant:create`` where a decision was made.
        outcome: one of `OUTCOMES`.
        subjects: kind to id; with an ``engagement`` there must be `eseq` and `eprev`, without one there must not.
        rule: id of the deciding policy rule.
        facts: fact names in any order; written and read sorted.
        policy: policy epoch, 64 hex digits.
        nda: SHA-256 of the NDA text in force for the actor, 64 hex digits.
        header: the 56-byte message header; written in base64.
        request: request id.
        payload: commitment to the payload, 64 hex digits.
        eseq: 0-based running number within the engagement.
        eprev: leaf hash of the engagement's previous entry, 64 hex digits; `FIRST_PREVIOUS` for the first.
        data: small flat map.
    """

    log: str
    index: int  # type: ignore[assignment]  # the grammar's word; nobody searches an entry as a tuple
    time: int
    type: str
    actor: Mapping[str, str]
    action: str | None = None
    outcome: str | None = None
    subjects: Mapping[str, str] | None = None
    rule: str | None = None
    facts: Sequence[str] | None = None
    policy: str | None = None
    nda: str | None = None
    header: bytes | None = None
    request: str | None = None
    payload: str | None = None
    eseq: int | None = None
    eprev: str | None = None
    data: Mapping[str, Value] | None = None


class Scan(NamedTuple):
    """What a verifier needs of an entry, read without building objects for the rest."""

    at: int  # the entry's index
    time: int
    log: bytes
    engagement: bytes | None
    eseq: int  # -1 without an engagement
    eprev: bytes | None  # hex
    payload: bytes | None  # hex
    policy: bytes | None  # hex
    announces: bool  # an intent: an entry that says how it ended must follow
    closes: int | None  # index of the intent that this entry closes


ScanTuple = tuple[int, int, bytes, bytes | None, int, bytes | None, bytes | None, bytes | None, bool, int | None]


def encode(entry: Entry) -> bytes:
    """Write an entry in its one encoding.

    Raises:
        EntryError: a value does not fit the grammar of its field, or the whole is longer than 4,096 bytes.
    """
    # Zero is a value (the first index); everything else that is false is absent.
    values = {name: value for name, value in zip(_KEYS, _IN_ORDER(entry), strict=True) if value or value == 0}
    values["v"] = VERSION
    try:
        for name in _MAPS:
            if name in values:
                values[name] = _sorted(values[name])
        if entry.facts:
            values["facts"] = sorted(set(entry.facts))
        if entry.header:
            values["header"] = b64encode(entry.header).decode()
        body = _write(values).encode()
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise EntryError("the values of an entry are text, integers, booleans and lists of text") from error
    if _MATCH(body) is None or len(body) > ENTRY_BYTES:
        raise EntryError(_explain(body))
    if (entry.eseq is None) is not ("engagement" not in (entry.subjects or ())):
        raise EntryError(_UNCHAINED)
    return body


def decode(body: bytes) -> Entry:
    """Read an entry, refusing every other spelling of the same values.

    Returns:
        The entry; `facts` as a tuple, lists in `data` as lists, the `header` in bytes.

    Raises:
        EntryError: not an entry in its one encoding.
    """
    Scanner().scan(body)
    values: dict[str, Any] = json.loads(body)
    del values["v"]
    if "facts" in values:
        values["facts"] = tuple(values["facts"])
    if "header" in values:
        values["header"] = b64decode(values["header"])
    return Entry(**values)


class Scanner:
    """Checks that bytes are an entry in its one encoding and reads what a verifier follows.

    It remembers key orders and fact lists it has found in order, because a log has few of them; the memory is bounded.
    """

    __slots__ = ("_facts", "_shapes")

    def __init__(self) -> None:
        self._facts: set[bytes] = set()
        self._shapes: dict[tuple[bytes, ...], int] = {}

    def scan(self, body: bytes) -> Scan:
        """Check one entry.

        Raises:
            EntryError: not an entry in its one encoding.
        """
        return Scan(*self.scan_tuple(body))

    def scan_tuple(self, body: bytes) -> ScanTuple:
        """Check one entry as `scan` does; a plain tuple of the same fields is what a million entries have time for."""
        match = _MATCH(body)
        if match is None or len(body) > ENTRY_BYTES or not (body.isascii() or _is_utf8(body)):
            raise EntryError(_explain(body))
        data, eprev, eseq, facts, index, log, payload, policy, subjects, time = match.groups()
        if facts is not None and facts not in self._facts:
            self._learn_facts(facts)
        engagement = closes = None
        if subjects is not None:
            pieces = subjects.split(b'"')  # words hold no quotes, so every fourth piece is a key
            keys = tuple(pieces[1::4])
            place = self._shapes.get(keys)
            if place is None:
                place = self._learn_shape(keys)
            if place:
                engagement = pieces[place]
        if (eseq is None) is not (engagement is None):
            raise EntryError(_UNCHAINED)
        if data is not None:
            names = tuple(_DATA_KEYS(data))
            if names not in self._shapes:
                self._learn_shape(names)
            if b"of" in names and (of := _CLOSES(data)):
                closes = int(of[1])
        number = -1 if eseq is None else int(eseq)
        announces = body.endswith(_ANNOUNCES)
        return int(index), int(time), log, engagement, number, eprev, payload, policy, announces, closes

    def _learn_facts(self, facts: bytes) -> None:
        _require_ascending(facts.split(b'"')[1::2])
        if len(self._facts) < _REMEMBERED:
            self._facts.add(facts)

    def _learn_shape(self, keys: tuple[bytes, ...]) -> int:
        """Return where an engagement's id stands among the pieces of subjects with these keys; 0 when there is none."""
        _require_ascending(keys)
        place = 3 + 4 * keys.index(b"engagement") if b"engagement" in keys else 0
        if len(self._shapes) < _REMEMBERED:
            self._shapes[keys] = place
        return place


def commitment(salt: bytes, payload: bytes) -> bytes:
    """Commit to a payload without showing it: 32 bytes that say nothing once the salt is gone.

    Args:
        salt: 32 random bytes, kept sealed with the payload. Without it a guessed name could be confirmed.
        payload: at most 65,536 bytes.

    Raises:
        PayloadError: salt or payload has another length.
    """
    if len(salt) != SALT_BYTES or len(payload) > PAYLOAD_BYTES:
        raise PayloadError(
            "a salt has 32 bytes and a payload at most 65,536", evidence={"salt": len(salt), "payload": len(payload)}
        )
    return sha256(b"muniment payload v1\x00" + salt + payload).digest()


# The grammar ----------------------------------------------------------------------------------------------------------


def _below_limit() -> bytes:
    """Return an expression for 1 … 2**53 - 1 without leading zeros, that takes the whole run of digits or nothing."""
    largest = str(INTEGER_LIMIT - 1)
    rest = len(largest) - 1
    as_long = [largest]
    for place, digit in enumerate(largest):
        lowest = 0 if place else 1
        if int(digit) > lowest:
            as_long.append(f"{largest[:place]}[{lowest}-{int(digit) - 1}][0-9]{{{rest - place}}}")
    return f"(?:(?:[1-9][0-9]{{0,{rest - 1}}}|{'|'.join(as_long)})(?![0-9]))".encode()


def _grammar() -> re.Pattern[bytes]:
    """Compose the expression of a whole entry; keys stand in ascending order, as RFC 8785 wants them."""
    word = rb'"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}+"'
    digest = rb'"[0-9a-f]{64}"'
    natural = b"(?:0|" + _below_limit() + b")"
    text = rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\bfnrt]|u00(?:0[0-7be-f]|1[0-9a-f])))*+"'
    value = rb"(?:%b|-?%b|0|true|false|\[(?:%b(?:,%b)*+)?+\])" % (text, _below_limit(), text, text)
    fields = (
        (b"action", rb'"[a-z][a-z0-9_.:-]{0,63}+"'),
        (b"actor", _actor(word)),
        (b"data", b"(%b)" % _object(rb'"[a-z][a-z0-9_]{0,63}+":' + value, 64)),
        (b"eprev", b'"(%b)","eseq":(%b)' % (digest[1:-1], natural)),  # the two never stand alone
        (b"facts", rb'(\["[a-z][a-z0-9_]{0,39}+"(?:,"[a-z][a-z0-9_]{0,39}+")*+\])'),
        (b"header", rb'"[A-Za-z0-9+/]{74}[AEIMQUYcgkosw048]="'),
        (b"index", b"(%b)" % natural),
        (b"log", b'"(%b)"' % word[1:-1]),
        (b"nda", digest),
        (b"outcome", b'"(?:%b)"' % "|".join(OUTCOMES).encode()),
        (b"payload", b'"(%b)"' % digest[1:-1]),
        (b"policy", b'"(%b)"' % digest[1:-1]),
        (b"request", word),
        (b"rule", word),
        (b"subjects", b"(%b)" % _object(rb'"[a-z][a-z_]{0,31}+":' + word, 32)),
        (b"time", b"(%b)" % natural),
        (b"type", rb'"[a-z][a-z0-9_.-]{0,63}+"'),
    )
    parts = [b'"%b":%b,' % field if field[0].decode() in _ALWAYS else b'(?:"%b":%b,)?+' % field for field in fields]
    return re.compile(rb"\{%b\"v\":1\}" % b"".join(parts))


def _object(pair: bytes, most: int) -> bytes:
    """Express an object of at least one pair; the order of its keys is looked at separately."""
    return rb"\{%b(?:,%b){0,%d}+\}" % (pair, pair, most - 1)


def _actor(word: bytes) -> bytes:
    """Express who acted: a system alone, or at least one of four keys in their order."""
    keys = [b'"%b":%b' % (key, word) for key in (b"membership", b"person", b"role", b"token")]
    choices = [first + b"".join(b"(?:,%b)?+" % later for later in keys[n:]) for n, first in enumerate(keys, 1)]
    return rb'\{(?:"system":%b|%b)\}' % (word, b"|".join(choices))


_KEYS: Final = (
    "action", "actor", "data", "eprev", "eseq", "facts", "header", "index", "log", "nda", "outcome", "payload",
    "policy", "request", "rule", "subjects", "time", "type",
)  # fmt: skip
_IN_ORDER: Final = attrgetter(*_KEYS)
_MAPS: Final = ("actor", "data", "subjects")
_ALWAYS: Final = frozenset({"actor", "index", "log", "time", "type", "v"})
_REMEMBERED: Final = 1024  # orders kept by a scanner
_MATCH: Final = _grammar().fullmatch
# Within a string a quote is always escaped, so these match keys and nothing inside a value.
_DATA_KEYS: Final = re.compile(rb'[{,]"([a-z0-9_]+)":').findall
_ANNOUNCES: Final = b'ing","v":1}'
_CLOSES: Final = re.compile(rb'"of":([0-9]+)[,}]').search
_UNCHAINED: Final = (  # otherwise an act could name an engagement and stay out of its chain, and so of its export
    "eseq and eprev belong to entries with an engagement among their subjects, and to no other"
)


def _sorted(values: Mapping[str, Value]) -> dict[str, Value]:
    """Put the keys in order, which is ten times as quick for a few short maps as asking the encoder to."""
    "".join(values)  # JSON would write the key True as "true"; a key that is not text is an error here
    return dict(sorted(values.items()))


_write: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode  # what holds itself ends in a RecursionError, which costs nothing until it happens


def _require_ascending(names: Sequence[bytes]) -> None:
    for before, after in pairwise(names):
        if before >= after:
            raise EntryError("names must be different and in ascending order", evidence={"name": after.decode()})


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _explain(body: bytes) -> str:
    """Say why bytes are not an entry. Runs after the refusal, so it may be slow and need not be complete."""
    if len(body) > ENTRY_BYTES:
        return f"an entry has at most {ENTRY_BYTES} bytes, this one {len(body)}"
    try:
        values = json.loads(body.decode())
    except (ValueError, RecursionError):
        return "the entry is not JSON in UTF-8"
    if not isinstance(values, dict) or values.get("v") != VERSION:
        return f"the entry is not an object of version {VERSION}"
    if wrong := sorted(_ALWAYS - values.keys() | values.keys() - _ALWAYS - set(_KEYS)):
        return f"the entry lacks or may not have: {wrong[0]!a}"
    for name in _KEYS:
        rest = {key: value for key, value in values.items() if key != name}
        if name in values and _MATCH(_spelt(rest)):
            return f"the value of {name} does not fit"
    if _spelt(values) != body:
        return "the entry is another spelling of its values, not the canonical one"
    return "a value does not fit the grammar of its field"


def _spelt(values: Mapping[str, object]) -> bytes:
    """Spell any JSON object as RFC 8785 would, as far as an explanation needs it."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")
