"""What must be caught is caught, at the index where it is; what cannot be caught is asserted too: no over-claiming."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from audit.errors import AuditError, RootError
from audit.merkle import root
from audit.report import CANNOT_SHOW_ENGAGEMENT, CANNOT_SHOW_WITHOUT_OLDER
from audit.verify import verify_bundle
from tests.audit.attacks import ATTACKS, SIZE, rewritten
from tests.audit.logs import ENGAGEMENTS, START_MS, VERIFIER_KEY, LogMaker, Rows, members, repack, saved
from tests.scale import count

INSTANCES = 20  # of each attack, in the long run


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_caught_and_the_first_bad_index_named(name: str, tmp_path: Path) -> None:
    for seed in range(count(INSTANCES)):
        attack = ATTACKS[name](LogMaker(seed).grow(SIZE), random.Random(f"{name} {seed}"))
        path = saved(tmp_path, attack.bundle)
        with pytest.raises(attack.error) as refusal:
            verify_bundle(path, key=attack.key, checkpoint=attack.checkpoint)
        assert refusal.value.index == attack.index, f"seed {seed}: {refusal.value.message}"
        assert refusal.value.exit_code in {1, 2}


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Change, insert, drop, double or exchange a few bytes or lines."""
    data = bytearray(content)
    at, length = draw.randrange(len(data) + 1), draw.choice((1, 1, 1, 2, 40))
    match draw.randrange(5):
        case 0:
            data[at : at + length] = draw.randbytes(length)
        case 1:
            data[at:at] = draw.choice((draw.randbytes(length), b"\n", b" ", b'"', b"0"))
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + 400]
        case _:
            lines = content.splitlines(keepends=True)
            draw.shuffle(lines)
            return b"".join(lines)
    return bytes(data)


@pytest.mark.parametrize("kind", ["log", "engagement"])
def test_any_change_of_any_member_is_caught_or_signed_by_nobody(kind: str, tmp_path: Path) -> None:
    made = LogMaker(1).grow(30)
    bundle = made.log_bundle() if kind == "log" else made.engagement_bundle(ENGAGEMENTS[0])
    contents = members(bundle)
    for seed in range(count(4000)):
        draw = random.Random(f"{kind} {seed}")
        name = draw.choice(sorted(contents.keys() - {"VERIFY.txt"}))
        changed = mutated(contents[name], draw)
        path = saved(tmp_path, repack(bundle, {name: changed}))
        try:
            report = verify_bundle(path, key=VERIFIER_KEY)
        except AuditError:
            continue
        # Nothing else may be raised, and what passes is the same bundle but for the claims that nobody signs.
        claims_only = name == "manifest.json" and report.made_at != START_MS
        witness_only = name == "checkpoint" and report.root == root(made.store.leaf_hashes(0, 30)).hex()
        assert changed == contents[name] or claims_only or witness_only, f"seed {seed}: {name}"


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) * INSTANCES >= 120


@pytest.mark.parametrize("kind", ["log", "engagement"])
def test_good_logs_raise_no_alarm(kind: str, tmp_path: Path) -> None:
    for seed in range(count(200)):
        made = LogMaker(seed).grow(random.Random(seed).choice([1, 2, 3, 60, 255, 256, 257, 320]))
        bundle = made.log_bundle() if kind == "log" else made.engagement_bundle(ENGAGEMENTS[seed % 4])
        report = verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)
        assert report.exit_code == 0, f"seed {seed}"


# What cannot be caught ------------------------------------------------------------------------------------------------


def test_history_rewritten_with_the_signing_key_passes_without_an_older_checkpoint_and_the_report_says_so(
    tmp_path: Path,
) -> None:
    forged = rewritten(LogMaker(1).grow(SIZE), 5, random.Random(1))
    report = verify_bundle(saved(tmp_path, forged), key=VERIFIER_KEY)
    assert report.exit_code == 0
    assert CANNOT_SHOW_WITHOUT_OLDER in report.cannot_show


def test_history_rewritten_after_the_kept_checkpoint_passes(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    forged = rewritten(made, 200, random.Random(1))
    assert verify_bundle(saved(tmp_path, forged), key=VERIFIER_KEY, checkpoint=made.checkpoint(200)).exit_code == 0


def test_entries_dropped_after_the_last_checkpoint_are_not_missed_and_the_report_says_so(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    checkpoint = made.checkpoint()
    report = verify_bundle(
        saved(tmp_path, made.grow(30).log_bundle(checkpoint=checkpoint, payloads=())), key=VERIFIER_KEY
    )
    assert (report.exit_code, report.entries) == (0, SIZE)
    assert "entries added after the checkpoint, or dropped after it and never signed" in report.cannot_show


def test_an_engagement_without_its_latest_entries_passes_and_the_report_says_so(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    bundle = made.engagement_bundle(ENGAGEMENTS[0], upto=SIZE // 2)
    report = verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)
    assert report.exit_code == 0
    assert CANNOT_SHOW_ENGAGEMENT in report.cannot_show


def test_a_fork_shows_only_when_two_views_are_compared(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    for bundle in (made.log_bundle(), rewritten(made, 5, random.Random(1))):
        assert verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY).exit_code == 0


def test_an_act_that_was_never_recorded_is_not_missed(tmp_path: Path) -> None:
    report = verify_bundle(saved(tmp_path, LogMaker(1).grow(3).log_bundle()), key=VERIFIER_KEY)
    assert "acts that the software never recorded" in report.cannot_show


def test_an_old_bundle_is_not_called_truncated_without_a_newer_checkpoint(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    old = made.log_bundle(checkpoint=made.checkpoint(100), payloads=())
    assert verify_bundle(saved(tmp_path, old), key=VERIFIER_KEY).exit_code == 0


def test_a_payload_that_was_erased_passes_as_commitment_only(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    kept = sorted(made.payloads)[::2]
    report = verify_bundle(
        saved(tmp_path, made.log_bundle(payloads=[made.payloads[at] for at in kept])), key=VERIFIER_KEY
    )
    assert (report.payloads_shown, report.payloads_withheld) == (len(kept), len(made.payloads) - len(kept))
    assert any("commitment only" in sentence for sentence in report.not_checked)


def test_without_a_trusted_head_a_whole_forged_log_is_consistent_and_its_origin_is_not_established(
    tmp_path: Path,
) -> None:
    report = verify_bundle(saved(tmp_path, rewritten(LogMaker(1).grow(SIZE), 5, random.Random(1))))
    assert (report.exit_code, report.established_by) == (2, [])


def test_when_entries_and_leaf_hashes_are_exchanged_together_no_index_is_made_up(tmp_path: Path) -> None:
    made = LogMaker(1).grow(SIZE)
    with pytest.raises(RootError) as refusal:
        verify_bundle(saved(tmp_path, Rows.of(LogMaker(2).grow(SIZE)).bundle(made, payloads=())), key=VERIFIER_KEY)
    assert refusal.value.index is None
    assert {"computed", "signed", "size"} <= refusal.value.evidence.keys()
