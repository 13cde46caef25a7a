"""Attacks on a log, made from a seed: what must be caught, as what, and at which index.

An attack gets a sound log and randomness, and returns a bundle, what the auditor holds, and what the verifier must say.
Unless it says otherwise the attacker has the database but not the signing key, and the auditor has the verifier key.
"""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from audit.bundle import OpenedPayload, line
from audit.checkpoint import parse_verifier_key
from audit.entry import decode, encode
from audit.errors import (
    AuditError,
    BundleError,
    ChainError,
    CheckpointError,
    CountError,
    EntryError,
    LeafError,
    OriginError,
    PayloadError,
    PolicyError,
    ProofError,
    RewrittenError,
    RootError,
    SequenceError,
    SignatureError,
    TruncatedError,
)
from audit.merkle import leaf_hash, root
from tests.audit.logs import (
    ENGAGEMENTS,
    EPOCH,
    ORIGIN,
    OTHER_KEY,
    VERIFIER_KEY,
    LogMaker,
    Rows,
    change_json,
    edited,
    members,
    note,
    rechained,
    repack,
)

SIZE = 320  # more than a tile, so that the batch borders of the verifier lie inside


@dataclass(frozen=True)
class Attack:
    """A bundle that must be refused."""

    bundle: bytes
    error: type[AuditError] | tuple[type[AuditError], ...]
    index: int | None = None  # first bad index that must be named; None where no bundle can tell
    key: str | None = VERIFIER_KEY
    checkpoint: bytes | None = None


Maker = Callable[[LogMaker, random.Random], Attack]


def same_request(body: bytes, draw: random.Random) -> bytes:
    return edited(body, request=f"req_{draw.getrandbits(128):032x}")


def followed(bodies: list[bytes]) -> list[int]:
    """Where entries stand whose engagement has a later entry."""
    last: dict[str, int] = {}
    for at, body in enumerate(bodies):
        if engagement := _engagement(body):
            last[engagement] = at
    return [at for at, body in enumerate(bodies) if at < last.get(_engagement(body) or "", -1)]


# The rows -------------------------------------------------------------------------------------------------------------


def entry_edited(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    rows.bodies[index] = same_request(rows.bodies[index], draw)
    return Attack(rows.bundle(made), LeafError, index)


def entry_edited_and_hashed_again(made: LogMaker, draw: random.Random) -> Attack:
    rows = Rows.of(made)
    index = draw.choice(followed(rows.bodies))
    rows.bodies[index] = same_request(rows.bodies[index], draw)
    # The next entry of the same engagement cites the leaf that was there.
    return Attack(rows.rehash().bundle(made), ChainError, index)


def history_rewritten_without_the_key(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    rows.bodies[index] = same_request(rows.bodies[index], draw)
    rows.bodies = rechained(rows.bodies)
    return Attack(rows.rehash().bundle(made), RootError)


def leaf_hash_changed(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    rows.leaves[index] = draw.randbytes(32)
    return Attack(rows.bundle(made), LeafError, index)


def byte_changed(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    body = bytearray(rows.bodies[index])
    body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
    rows.bodies[index] = bytes(body)
    # It is no entry any more, is out of its place, or does not hash to its leaf; a newline in it makes two lines.
    return Attack(rows.bundle(made), (EntryError, SequenceError, ChainError, LeafError, PayloadError), index)


def entry_deleted(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size - 1)
    del rows.bodies[index], rows.leaves[index]
    return Attack(rows.bundle(made), SequenceError, index)


def entry_deleted_and_renumbered(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    del rows.bodies[index]
    rows.bodies = rechained(rows.bodies)
    return Attack(rows.rehash().bundle(made, payloads=()), CountError, made.size - 1)


def entry_inserted(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(1, made.size)
    rows.bodies.insert(index, edited(rows.bodies[index - 1], index=index, subjects={}, eseq=None, eprev=None))
    return Attack(rows.bundle(made, payloads=()), LeafError, index)


def entry_backdated_and_everything_renumbered(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(1, made.size)
    rows.bodies.insert(index, edited(rows.bodies[index - 1], index=index, subjects={}, eseq=None, eprev=None))
    rows.bodies = rechained(rows.bodies)
    return Attack(rows.rehash().bundle(made, payloads=()), CountError, made.size)


def entries_exchanged(made: LogMaker, draw: random.Random) -> Attack:
    rows = Rows.of(made)
    first, second = sorted(draw.sample(range(made.size), 2))
    rows.bodies[first], rows.bodies[second] = rows.bodies[second], rows.bodies[first]
    return Attack(rows.rehash().bundle(made), SequenceError, first)


def entry_doubled(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size - 1)
    rows.bodies.insert(index, rows.bodies[index])
    return Attack(rows.rehash().bundle(made), SequenceError, index + 1)


def end_cut_off(made: LogMaker, draw: random.Random) -> Attack:
    rows, size = Rows.of(made), draw.randrange(made.size)
    del rows.bodies[size:], rows.leaves[size:]
    return Attack(rows.bundle(made), CountError, size)


def end_cut_off_under_an_older_checkpoint(made: LogMaker, draw: random.Random) -> Attack:
    size = draw.randrange(1, made.size)
    payloads = [opened for index, opened in sorted(made.payloads.items()) if index < size]
    bundle = made.log_bundle(checkpoint=made.checkpoint(size), payloads=payloads)
    return Attack(bundle, TruncatedError, size, checkpoint=made.checkpoint())


def node_passed_off_as_entry(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size // 2) * 2
    rows.bodies[index : index + 2] = [rows.leaves[index] + rows.leaves[index + 1]]
    while b"\n" in rows.bodies[index]:  # a newline would make two lines of it
        rows.bodies[index] = rows.bodies[index].replace(b"\n", b"\r")
    return Attack(rows.bundle(made), EntryError, index)


def time_put_back(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(1, made.size)
    rows.bodies[index] = edited(rows.bodies[index], time=decode(rows.bodies[index - 1]).time - 1)
    return Attack(rows.rehash().bundle(made), SequenceError, index)


def entry_of_another_log(made: LogMaker, draw: random.Random) -> Attack:
    rows, index = Rows.of(made), draw.randrange(made.size)
    rows.bodies[index] = edited(rows.bodies[index], log="log_" + "2" * 32)
    return Attack(rows.rehash().bundle(made), SequenceError, index)


def link_left_out_of_a_chain(made: LogMaker, draw: random.Random) -> Attack:
    rows = Rows.of(made)
    index = draw.choice(followed(rows.bodies))
    rows.bodies[index] = edited(rows.bodies[index], subjects={"document": "doc_1"}, eseq=None, eprev=None)
    following = next(
        at for at in range(index + 1, made.size) if _engagement(rows.bodies[at]) == _engagement(made.bodies()[index])
    )
    return Attack(rows.rehash().bundle(made), ChainError, following)


def all_hashes_exchanged(made: LogMaker, draw: random.Random) -> Attack:
    other = LogMaker(draw.getrandbits(32)).grow(made.size)
    return Attack(Rows.of(other).bundle(made, payloads=()), RootError)


# The checkpoint -------------------------------------------------------------------------------------------------------


def _under(made: LogMaker, checkpoint: bytes, **claims: Any) -> bytes:
    bundle = repack(made.log_bundle(), {"checkpoint": checkpoint})
    return change_json(bundle, "manifest.json", lambda value: value.update(claims)) if claims else bundle


def signed_by_another_key(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(_under(made, made.checkpoint(key=OTHER_KEY)), SignatureError)


def signed_with_a_colliding_id(made: LogMaker, draw: random.Random) -> Attack:
    forged = note(_text(made), key=OTHER_KEY, claimed=parse_verifier_key(VERIFIER_KEY))
    return Attack(_under(made, forged), SignatureError)


def of_another_origin(made: LogMaker, draw: random.Random) -> Attack:
    other = made.checkpoint(origin="firm.example/other")
    return Attack(_under(made, other, origin="firm.example/other"), OriginError)


def manifest_of_another_origin(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(_under(made, made.checkpoint(), origin="firm.example/other"), OriginError)


def kept_checkpoint_of_another_origin(made: LogMaker, draw: random.Random) -> Attack:
    other = made.checkpoint(draw.randrange(1, made.size), origin="firm.example/other")
    return Attack(made.log_bundle(), OriginError, key=None, checkpoint=other)


def with_another_form_of_text(made: LogMaker, draw: random.Random) -> Attack:
    origin, size, head, _ = _text(made).split("\n")
    texts = [
        f"{origin}\n00{size}\n{head}\n",
        f"{origin}\n+{size}\n{head}\n",
        f"{origin}\n{size}\n{head}\nextension\n",
        f"{origin}\n{size}\n{head}\n\n",
        f"\n{origin}\n{size}\n{head}\n",
        f"{origin}\n{size}\n{head[:-1]}\n",
        f"{origin}\n{size}\r\n{head}\n",
    ]
    return Attack(_under(made, note(draw.choice(texts))), CheckpointError)


def with_a_changed_root(made: LogMaker, draw: random.Random) -> Attack:
    text = _text(made).replace(
        b64encode(root(made.store.leaf_hashes(0, made.size))).decode(), b64encode(draw.randbytes(32)).decode()
    )
    return Attack(_under(made, made.checkpoint().replace(_text(made).encode(), text.encode())), SignatureError)


def with_a_smaller_checkpoint(made: LogMaker, draw: random.Random) -> Attack:
    size = draw.randrange(1, made.size)
    return Attack(_under(made, made.checkpoint(size), size=size), CountError, size)


def manifest_of_another_size(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(_under(made, made.checkpoint(), size=draw.randrange(made.size)), CountError)


# Rewriting with the signing key, seen by whoever kept a checkpoint ----------------------------------------------------


def rewritten_by_the_key_holder(made: LogMaker, draw: random.Random) -> Attack:
    third = made.size // 3
    kept, index = made.checkpoint(draw.randrange(third, made.size)), draw.randrange(third)
    return Attack(rewritten(made, index, draw), RewrittenError, checkpoint=kept)


def rewritten_at_the_same_size(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(rewritten(made, draw.randrange(made.size), draw), RewrittenError, checkpoint=made.checkpoint())


def rewritten(made: LogMaker, index: int, draw: random.Random) -> bytes:
    """Change an entry, mend all chains and hashes after it, and sign the result with the log's own key."""
    rows = Rows.of(made)
    rows.bodies[index] = same_request(rows.bodies[index], draw)
    rows.bodies = rechained(rows.bodies)
    forged = note(f"{ORIGIN}\n{made.size}\n{b64encode(root(rows.rehash().leaves)).decode()}\n")
    return rows.bundle(made, checkpoint=forged)


# What is beside the entries -------------------------------------------------------------------------------------------


def payload_changed(made: LogMaker, draw: random.Random) -> Attack:
    index = draw.choice(sorted(made.payloads))
    changed = made.payloads | {index: replace(made.payloads[index], payload=b'{"title":"Something else"}')}
    return Attack(made.log_bundle(payloads=[changed[at] for at in sorted(changed)]), PayloadError, index)


def salt_changed(made: LogMaker, draw: random.Random) -> Attack:
    index = draw.choice(sorted(made.payloads))
    changed = made.payloads | {index: replace(made.payloads[index], salt=draw.randbytes(32))}
    return Attack(made.log_bundle(payloads=[changed[at] for at in sorted(changed)]), PayloadError, index)


def payloads_exchanged(made: LogMaker, draw: random.Random) -> Attack:
    first, second = sorted(draw.sample(sorted(made.payloads), 2))
    changed = dict(made.payloads)
    changed[first] = replace(made.payloads[second], index=first)
    changed[second] = replace(made.payloads[first], index=second)
    return Attack(made.log_bundle(payloads=[changed[at] for at in sorted(changed)]), PayloadError, first)


def payload_put_beside_an_entry_without_one(made: LogMaker, draw: random.Random) -> Attack:
    index = draw.choice([at for at in range(made.size) if at not in made.payloads])
    changed = made.payloads | {index: OpenedPayload(index, bytes(32), b"{}")}
    return Attack(made.log_bundle(payloads=[changed[at] for at in sorted(changed)]), PayloadError, index)


def payload_of_no_entry(made: LogMaker, draw: random.Random) -> Attack:
    index = made.size + draw.randrange(9)
    payloads = [*(made.payloads[at] for at in sorted(made.payloads)), OpenedPayload(index, bytes(32), b"{}")]
    return Attack(made.log_bundle(payloads=payloads), PayloadError, index)


def policy_exchanged(made: LogMaker, draw: random.Random) -> Attack:
    name = f"policy/{EPOCH}.json"
    changed = members(made.log_bundle())[name].replace(b"# policy.csv", b"# policy,csv")
    return Attack(repack(made.log_bundle(), {name: changed}), PolicyError)


def counts_changed(made: LogMaker, draw: random.Random) -> Attack:
    what = draw.choice(["entries", "payloads"])
    return Attack(
        change_json(made.log_bundle(), "manifest.json", lambda value: value["counts"].update({what: 1})), CountError
    )


def trailing_bytes(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(made.log_bundle() + draw.randbytes(draw.randrange(1, 99)), BundleError)


def member_left_out(made: LogMaker, draw: random.Random) -> Attack:
    return Attack(
        repack(made.log_bundle(), {draw.choice(["leaves", "VERIFY.txt", "payloads.jsonl"]): None}), BundleError
    )


# One engagement -------------------------------------------------------------------------------------------------------


def _lines(bundle: bytes, name: str) -> list[bytes]:
    return members(bundle)[name].splitlines()


def _with_lines(bundle: bytes, entries: list[bytes], proofs: list[bytes]) -> bytes:
    joined = {"entries.jsonl": entries, "proofs.jsonl": proofs}
    bundle = repack(bundle, {name: b"".join(each + b"\n" for each in lines) for name, lines in joined.items()})
    return change_json(bundle, "manifest.json", lambda value: value["counts"].update(entries=len(entries)))


def _engagement(body: bytes) -> str | None:
    return (decode(body).subjects or {}).get("engagement")


def _one(made: LogMaker, draw: random.Random) -> tuple[bytes, list[bytes], list[bytes]]:
    bundle = made.engagement_bundle(draw.choice(ENGAGEMENTS), payloads=())
    return bundle, _lines(bundle, "entries.jsonl"), _lines(bundle, "proofs.jsonl")


def link_left_out_of_an_engagement(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(len(entries) - 1)
    del entries[place], proofs[place]
    return Attack(_with_lines(bundle, entries, proofs), ChainError, decode(entries[place]).index)


def first_links_left_out_of_an_engagement(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(1, len(entries))
    return Attack(_with_lines(bundle, entries[place:], proofs[place:]), ChainError, decode(entries[place]).index)


def entry_of_an_engagement_edited(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(len(entries))
    entries[place] = same_request(entries[place], draw)
    return Attack(_with_lines(bundle, entries, proofs), ProofError, decode(entries[place]).index)


def proof_changed(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(len(entries))
    index = decode(entries[place]).index
    hashes = made_proof(proofs[place])
    hashes[draw.randrange(len(hashes))] = draw.randbytes(32)
    proofs[place] = proof_line(index, hashes)
    return Attack(_with_lines(bundle, entries, proofs), ProofError, index)


def proof_of_another_length(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(len(entries))
    index = decode(entries[place]).index
    hashes = made_proof(proofs[place])
    hashes = draw.choice([hashes[1:], [*hashes, hashes[-1]], []])
    proofs[place] = proof_line(index, hashes)
    return Attack(_with_lines(bundle, entries, proofs), ProofError, index)


def proof_of_another_entry(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    place = draw.randrange(len(entries) - 1)
    proofs[place] = proofs[place + 1]
    return Attack(_with_lines(bundle, entries, proofs), ProofError, decode(entries[place]).index)


def proofs_too_few(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    return Attack(_with_lines(bundle, entries, proofs[:-1]), CountError, decode(entries[-1]).index)


def proofs_too_many(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    return Attack(_with_lines(bundle, entries[:-1], proofs), CountError, decode(entries[-1]).index)


def entry_of_another_engagement(made: LogMaker, draw: random.Random) -> Attack:
    bundle = made.engagement_bundle(ENGAGEMENTS[0], payloads=())
    other = made.engagement_bundle(ENGAGEMENTS[1], payloads=())
    entries, proofs = _lines(other, "entries.jsonl"), _lines(other, "proofs.jsonl")
    return Attack(_with_lines(bundle, entries, proofs), SequenceError, decode(entries[0]).index)


def entry_of_no_engagement(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    last = decode(entries[-1])
    entries.append(edited(entries[-1], index=last.index + 1, subjects={}, eseq=None, eprev=None))
    return Attack(_with_lines(bundle, entries, [*proofs, proofs[-1]]), SequenceError, last.index + 1)


def forged_entry_added_to_an_engagement(made: LogMaker, draw: random.Random) -> Attack:
    bundle, entries, proofs = _one(made, draw)
    last = decode(entries[-1])
    eseq, eprev = (last.eseq or 0) + 1, leaf_hash(entries[-1]).hex()
    entries.append(encode(last._replace(index=last.index + 1, eseq=eseq, eprev=eprev)))
    forged = proof_line(last.index + 1, made_proof(proofs[-1]))
    return Attack(_with_lines(bundle, entries, [*proofs, forged]), ProofError, last.index + 1)


def made_proof(text: bytes) -> list[bytes]:
    return [b64decode(each) for each in json.loads(text)["proof"]]


def proof_line(index: int, hashes: list[bytes]) -> bytes:
    return line({"index": index, "proof": [b64encode(each).decode() for each in hashes]})[:-1]


def _text(made: LogMaker) -> str:
    return f"{ORIGIN}\n{made.size}\n{b64encode(root(made.store.leaf_hashes(0, made.size))).decode()}\n"


ATTACKS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        entry_edited,
        entry_edited_and_hashed_again,
        history_rewritten_without_the_key,
        leaf_hash_changed,
        byte_changed,
        entry_deleted,
        entry_deleted_and_renumbered,
        entry_inserted,
        entry_backdated_and_everything_renumbered,
        entries_exchanged,
        entry_doubled,
        end_cut_off,
        end_cut_off_under_an_older_checkpoint,
        node_passed_off_as_entry,
        time_put_back,
        entry_of_another_log,
        link_left_out_of_a_chain,
        all_hashes_exchanged,
        signed_by_another_key,
        signed_with_a_colliding_id,
        of_another_origin,
        manifest_of_another_origin,
        kept_checkpoint_of_another_origin,
        with_another_form_of_text,
        with_a_changed_root,
        with_a_smaller_checkpoint,
        manifest_of_another_size,
        rewritten_by_the_key_holder,
        rewritten_at_the_same_size,
        payload_changed,
        salt_changed,
        payloads_exchanged,
        payload_put_beside_an_entry_without_one,
        payload_of_no_entry,
        policy_exchanged,
        counts_changed,
        trailing_bytes,
        member_left_out,
        link_left_out_of_an_engagement,
        first_links_left_out_of_an_engagement,
        entry_of_an_engagement_edited,
        proof_changed,
        proof_of_another_length,
        proof_of_another_entry,
        proofs_too_few,
        proofs_too_many,
        entry_of_another_engagement,
        entry_of_no_engagement,
        forged_entry_added_to_an_engagement,
    )
}
