"""Make the crypto vectors again: ``python -m tests.vectors.crypto.make``. A test does so and compares.

``streams.json``: messages (key, context, plaintext by name, sealed bytes in base64) and refusals. A refusal says from
which slices of the messages it is joined, which bytes are then XORed, with which key, context and header it is tried,
and how many bytes of plaintext at most may be released before it is refused.
``small.json``: contexts, wrapped keys, sealed fields, blind indexes, key objects, root key files, shares;
with refusals.

Everything is made by `reference`, from fixed keys, salts and nonces.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from tests.vectors.crypto import reference

HERE = Path(__file__).parent
ORIGIN = "tests.vectors.crypto.make"
CHUNK = 16_384
SEALED = CHUNK + 16
HEADER = 56


def fixed(label: str, length: int = 32) -> bytes:
    """Bytes that are always the same for ``label``."""
    return hashlib.shake_256(label.encode()).digest(length)


def plaintext(name: str, length: int) -> bytes:
    """The plaintext of the message ``name``: SHAKE-256 of its name."""
    return fixed(f"plaintext {name}", length)


KEY, OTHER_KEY = fixed("key"), fixed("other key")
CONTEXT = reference.join("muniment message v1", "frm_a", "eng_b", "mtr_c", "doc_d", "rev_e", "original")
MOVED_CONTEXT = reference.join("muniment message v1", "frm_ae", "ng_b", "mtr_c", "doc_d", "rev_e", "original")
LENGTHS = {
    "empty": 0,
    "one byte": 1,
    "a chunk less one": CHUNK - 1,
    "a chunk": CHUNK,
    "three chunks": 2 * CHUNK + 100,
    "three chunks, another": 2 * CHUNK + 100,
}


def messages() -> dict[str, bytes]:
    """Every message, by name."""
    return {
        name: reference.seal_message(KEY, CONTEXT, fixed(f"salt {name}", 24), plaintext(name, length))
        for name, length in LENGTHS.items()
    }


def refusal(name: str, why: str, slices: list[Any], *, released: int = 0, **more: Any) -> dict[str, Any]:
    """One refusal; ``slices`` is a list of [message, start, stop]."""
    return {"name": name, "why": why, "slices": slices, "released_at_most": released, **more}


def stream_refusals() -> list[dict[str, Any]]:
    """What must not open, and how far it may come."""
    three, other = "three chunks", "three chunks, another"
    end = HEADER + 2 * SEALED + 100 + 16
    head, one, two, last = (
        (0, HEADER),
        (HEADER, HEADER + SEALED),
        (HEADER + SEALED, HEADER + 2 * SEALED),
        (end - 116, end),
    )

    def of(message: str, *ranges: tuple[int, int]) -> list[Any]:
        return [[message, start, stop] for start, stop in ranges]

    whole = of(three, (0, end))
    return [
        refusal("nothing at all", "no header", []),
        refusal("half a header", "no header", of(three, (0, 30))),
        refusal("a header alone", "no last chunk", of(three, head)),
        refusal("cut within the first chunk", "tag", of(three, (0, HEADER + 500))),
        refusal("cut at the first chunk's edge", "truncated", of(three, head, one), released=CHUNK),
        refusal("cut at the last chunk's edge", "truncated", of(three, head, one, two), released=2 * CHUNK),
        refusal("cut in the last tag", "tag", of(three, (0, end - 1)), released=2 * CHUNK),
        refusal("a byte more", "tag", [*whole, *of(three, (0, 1))], released=2 * CHUNK),
        refusal("an empty message's chunk more", "tag", [*whole, ["empty", HEADER, HEADER + 16]], released=2 * CHUNK),
        refusal("salt changed", "commitment", whole, xor=[[0, 1]]),
        refusal("commitment changed", "commitment", whole, xor=[[24, 128]]),
        refusal("first chunk changed", "tag", whole, xor=[[HEADER, 1]]),
        refusal("first tag changed", "tag", whole, xor=[[HEADER + SEALED - 1, 1]]),
        refusal("second chunk changed", "tag", whole, xor=[[HEADER + SEALED, 4]], released=CHUNK),
        refusal("last tag changed", "tag", whole, xor=[[end - 1, 1]], released=2 * CHUNK),
        refusal("chunks in another order", "tag", of(three, head, two, one, last)),
        refusal("a chunk twice", "tag", of(three, head, one, one, two, last), released=CHUNK),
        refusal("a chunk dropped", "tag", of(three, head, one, last), released=CHUNK),
        refusal("the last chunk alone", "tag", of(three, head, last)),
        refusal(
            "chunk of another message",
            "tag",
            [*of(three, head, one), *of(other, two), *of(three, last)],
            released=CHUNK,
        ),
        refusal("header of another message", "tag", [*of(other, head), *of(three, one, two, last)]),
        refusal("salt of another message", "commitment", [*of(other, (0, 24)), *of(three, (24, end))]),
        refusal("another key", "commitment", whole, key=OTHER_KEY.hex()),
        refusal("a key too short", "key", whole, key=KEY[:31].hex()),
        refusal("no context", "commitment", whole, context=""),
        refusal("a field boundary moved", "commitment", whole, context=MOVED_CONTEXT.hex()),
        refusal("not the header in the row", "header", whole, header=base64.b64encode(bytes(HEADER)).decode()),
    ]


def streams() -> dict[str, Any]:
    """streams.json."""
    made = [
        {
            "name": name,
            "key": KEY.hex(),
            "context": CONTEXT.hex(),
            "length": LENGTHS[name],
            "plaintext_sha256": hashlib.sha256(plaintext(name, LENGTHS[name])).hexdigest(),
            "sealed": base64.b64encode(sealed).decode(),
        }
        for name, sealed in messages().items()
    ]
    return {"origin": ORIGIN, "messages": made, "refusals": stream_refusals()}


def small() -> dict[str, Any]:
    """small.json."""
    key_id, parent = "key_" + "1" * 32, "key_" + "2" * 32
    wrapped = reference.wrap_key(KEY, OTHER_KEY, reference.join("a context"), fixed("wrap", 12))
    field = reference.seal_field(KEY, "documents", "title", "doc_1", "Grüße, Ω", fixed("field", 12))
    return {
        "origin": ORIGIN,
        "contexts": [
            {"fields": fields, "joined": reference.join(*fields).hex()}
            for fields in ([], [""], ["a", "bc"], ["ab", "c"], ["abc"], ["Ω", ""], ["x" * 300])
        ],
        "message_context": CONTEXT.hex(),
        "wrapped": {
            "wrapping": KEY.hex(),
            "key": OTHER_KEY.hex(),
            "context": reference.join("a context").hex(),
            "nonce": fixed("wrap", 12).hex(),
            "wrapped": wrapped.hex(),
            "refused": mutations(wrapped),
        },
        "fields": [sealed_field("Grüße, Ω"), sealed_field("")],
        "field_refused": mutations(field),
        "blind_indexes": [
            {
                "key": KEY.hex(),
                "purpose": purpose,
                "text": text,
                "index": reference.blind_index(KEY, purpose, text).hex(),
            }
            for purpose, text in (("person e-mail", "ada@example.org"), ("person", " e-mailada@example.org"), ("", ""))
        ],
        "key_objects": [
            {
                "wrapping": KEY.hex(),
                "key": OTHER_KEY.hex(),
                "id": key_id,
                "kind": "matter_part",
                "parent": under,
                "nonce": fixed("object", 12).hex(),
                "object": reference.key_object(
                    KEY, OTHER_KEY, key_id, "matter_part", under, fixed("object", 12)
                ).decode(),
            }
            for under in ("", parent)
        ],
        "key_objects_refused": object_refusals(key_id),
        "root_key_files": [{"key": KEY.hex(), "file": reference.root_key_file(KEY).decode()}],
        "root_key_files_refused": root_file_refusals(),
        "shares": [{"key": KEY.hex(), "pad": fixed("pad").hex(), "set": fixed("set", 8).hex(), "files": shares()}],
        "shares_refused": share_refusals(),
    }


def shares(label: str = "set") -> list[str]:
    """The two shares of the key."""
    return [share.decode() for share in reference.shares(KEY, fixed("pad"), fixed(label, 8))]


def sealed_field(text: str) -> dict[str, str]:
    """One sealed field."""
    sealed = reference.seal_field(KEY, "documents", "title", "doc_1", text, fixed("field", 12))
    place = {"table": "documents", "column": "title", "row": "doc_1"}
    return {"key": KEY.hex(), **place, "text": text, "nonce": fixed("field", 12).hex(), "sealed": sealed.hex()}


def mutations(sealed: bytes) -> list[dict[str, str]]:
    """A small sealed thing, wrong in each part."""
    wrong = {
        "empty": b"",
        "version alone": sealed[:1],
        "unknown version": b"\x02" + sealed[1:],
        "version zero": b"\x00" + sealed[1:],
        "nonce changed": sealed[:1] + bytes([sealed[1] ^ 1]) + sealed[2:],
        "body changed": sealed[:13] + bytes([sealed[13] ^ 1]) + sealed[14:],
        "tag changed": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "a byte less": sealed[:-1],
        "a byte more": sealed + b"\x00",
    }
    return [{"name": name, "sealed": each.hex()} for name, each in wrong.items()]


def object_refusals(key_id: str) -> list[dict[str, str]]:
    """Key objects in another spelling, or of another form."""
    good = reference.key_object(KEY, OTHER_KEY, key_id, "firm", "", fixed("object", 12)).decode()
    wrong = {
        "empty": "",
        "not JSON": "key\n",
        "a list": "[1]\n",
        "no line feed": good[:-1],
        "two line feeds": good + "\n",
        "a space": good.replace(",", ", ", 1),
        "another version": good.replace('"muniment_key":1', '"muniment_key":2'),
        "version true": good.replace('"muniment_key":1', '"muniment_key":true'),
        "version as a fraction": good.replace('"muniment_key":1', '"muniment_key":1.0'),
        "a member more": good.replace("}", ',"x":1}'),
        "a member twice": good.replace('"kind":"firm"', '"kind":"firm","kind":"firm"'),
        "members in another order": good.replace(f'"id":"{key_id}","kind":"firm"', f'"kind":"firm","id":"{key_id}"'),
        "a path as id": good.replace(key_id, "../../etc/passwd"),
        "no kind": good.replace('"kind":"firm"', '"kind":""'),
        "parent null": good.replace('"parent":""', '"parent":null'),
        "parent of another form": good.replace('"parent":""', '"parent":"root"'),
        "base64 with a space": good.replace('"wrapped":"', '"wrapped":" '),
        "base64 without its end": good.replace('=="', '"'),
        "nested for ever": "[" * 3000,
        "too large": " " * 5000 + good,
    }
    return [{"name": name, "object": each} for name, each in wrong.items()]


def root_file_refusals() -> list[dict[str, str]]:
    """Root key files that are damaged."""
    good = reference.root_key_file(KEY).decode()
    comment, line = good.split("\n")[:2]
    wrong = {
        "empty": "",
        "no comment": line + "\n",
        "a comment alone": comment + "\n",
        "another version": good.replace(" v1 ", " v2 "),
        "a letter changed": good.replace(line[21], "A" if line[21] != "A" else "B", 1),
        "another key's name": good.replace(line[-16:], "0" * 16),
        "no line feed": good[:-1],
        "carriage returns": good.replace("\n", "\r\n"),
        "a line more": good + "\n",
        "key too short": good.replace(line[21:25], ""),
    }
    return [{"name": name, "file": each} for name, each in wrong.items()]


def share_refusals() -> list[dict[str, Any]]:
    """Pairs of shares that make no key."""
    first, second = shares()
    _, other = shares("another set")
    wrong = {
        "empty": (first, ""),
        "one twice": (first, first),
        "the other twice": (second, second),
        "of two sets": (first, other),
        "no comment": (first, second.split("\n")[1] + "\n"),
        "another version": (first, second.replace(" v1 ", " v2 ")),
        "a third share": (first, second.replace(" v1 2 ", " v1 3 ")),
        "its number changed": (first, first.replace(" v1 1 ", " v1 2 ")),
        "a letter changed": (first, second.replace("=", "A=", 1)),
        "no line feed": (first, second[:-1]),
        "a line more": (first, second + "\n"),
        "carriage returns": (first, second.replace("\n", "\r\n")),
        "a root key file": (first, reference.root_key_file(KEY).decode()),
    }
    return [{"name": name, "files": list(files)} for name, files in wrong.items()]


def build() -> dict[str, str]:
    """The text of every vector file, by name."""
    return {
        name: json.dumps(made, indent=1, ensure_ascii=True) + "\n"
        for name, made in (("streams.json", streams()), ("small.json", small()))
    }


def main() -> None:
    """Write the vectors beside this script."""
    for name, text in build().items():
        (HERE / name).write_text(text)


if __name__ == "__main__":
    main()
