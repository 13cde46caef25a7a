"""A bundle of many entries verified offline, beside reading its lines as anybody would.

The peer reads the same lines from the same file, parses each with json.loads, hashes it and folds it into the tree:
the least that a verifier which looks into entries has to do, without one rule checked. Ours runs in a process of its
own too, which says how much memory it took beyond what the program needs to start.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.archive import Archive
from audit.bundle import Export, log_bundle
from audit.checkpoint import sign, verifier_key
from audit.entry import FIRST_PREVIOUS, Entry, encode
from audit.merkle import BATCH, Frontier, leaf_hash
from audit.store import MemoryLeafStore
from audit.verify import verify_bundle
from tests.benchmarks.rounds import Better, Measured, by_turns

ENTRIES: Final = 1_000_000
ENGAGEMENTS: Final = 100
ROUNDS: Final = 3
ORIGIN: Final = "firm.example/log"
START_MS: Final = 1_767_225_600_000
_KEY: Final = Ed25519PrivateKey.from_private_bytes(sha256(b"the key of the benched log").digest())
VERIFIER_KEY: Final = verifier_key(ORIGIN, _KEY.public_key())
_FORM: Final = 1


def verify(folder: Path, entries: int = ENTRIES, rounds: int = ROUNDS) -> Measured:
    """Verify a bundle of so many entries; figures are entries a second."""
    path = _bundle(folder, entries)
    found = by_turns(
        lambda: _rate(entries, lambda: _verified(path, entries)),
        lambda: _rate(entries, lambda: _read_by_hand(path, entries)),
        "entries/s",
        Better.MORE,
        rounds,
    )
    return Measured(found.ours, found.peer, found.unit, found.ratio, _memory_mib(path))


def _rate(entries: int, act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return entries / (time.perf_counter() - start)


def _verified(path: Path, entries: int) -> None:
    report = verify_bundle(path, key=VERIFIER_KEY)
    assert report.exit_code == 0
    assert report.entries == entries


def _read_by_hand(path: Path, entries: int) -> None:
    frontier, hashes, count = Frontier(), [], 0
    with path.open("rb") as file:
        for lines in Archive(file).reader("entries.jsonl").lines(1 << 16):
            for line in lines:
                json.loads(line)
                hashes.append(leaf_hash(line))
                if len(hashes) == BATCH:
                    frontier.extend(hashes)
                    hashes.clear()
                count += 1
    frontier.extend(hashes)
    assert count == entries
    assert len(frontier.root()) == sha256().digest_size


# Memory -------------------------------------------------------------------------------------------------------------


def _memory_mib(path: Path) -> float:
    """Return what a process of its own took at most, beyond what it had before it began."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.verifying", str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # Linux: ru_maxrss begins with the peak of the process that started this one
        (kib,) = (line.split()[1] for line in status.read_text(encoding="ascii").splitlines() if line[:6] == "VmHWM:")
        return int(kib) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def main() -> None:
    """Verify the bundle named and print the MiB that it took."""
    before = _peak_mib()
    assert verify_bundle(sys.argv[1], key=VERIFIER_KEY).exit_code == 0
    sys.stdout.write(f"{_peak_mib() - before}\n")


# The bundle ---------------------------------------------------------------------------------------------------------


def _bundle(folder: Path, entries: int) -> Path:
    """Return the bundle, writing it where it is not there yet."""
    path = folder / f"log-{entries}-{_FORM}.zip"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        store = MemoryLeafStore()
        frontier = Frontier()
        for body in _entries(entries):
            store.append(body)
            frontier.append(leaf_hash(body))
        note = sign(ORIGIN, entries, frontier.root(), _KEY)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.writelines(
                log_bundle(Export(store=store, log=_id("frm", random.Random(0)), checkpoint=note, made_at=START_MS))
            )
        part.replace(path)
    return path


def _entries(count: int) -> Iterator[bytes]:
    """Yield a log of allowed reads, intents with their outcomes and refusals, in a hundred engagements."""
    draw = random.Random(0)
    log = _id("frm", draw)
    draw = random.Random(1)
    engagements = [_id("eng", draw) for _ in range(ENGAGEMENTS)]
    people = [
        {"membership": _id("mem", draw), "person": _id("per", draw), "token": _id("tok", draw)} for _ in range(500)
    ]
    chains: dict[str, tuple[int, str]] = dict.fromkeys(engagements, (0, FIRST_PREVIOUS))
    intent: int | None = None
    for index in range(count):
        engagement = draw.choice(engagements)
        eseq, eprev = chains[engagement]
        kind = ("document.opening", "document.opened", "access.allowed")[index % 3]
        subjects = {"engagement": engagement, "document": _id("doc", draw), "matter": _id("mtr", draw)}
        body = encode(
            Entry(
                log=log,
                index=index,
                time=START_MS + index * 10,
                type=kind,
                actor={**draw.choice(people), "role": "paralegal"},
                action="document:download",
                outcome=("allowed", "done", "allowed")[index % 3],
                subjects={**subjects, "part": _id("prt", draw)},
                rule="policy.csv:40",
                facts=("assigned", "duties", "live", "window"),
                policy="b" * 64,
                nda="a" * 64,
                header=draw.randbytes(56) if kind == "document.opening" else None,
                request=_id("req", draw),
                eseq=eseq,
                eprev=eprev,
                data={"of": intent, "bytes": 4096} if kind == "document.opened" and intent is not None else None,
            )
        )
        intent = index if kind == "document.opening" else intent
        chains[engagement] = (eseq + 1, leaf_hash(body).hex())
        yield body


def _id(kind: str, draw: random.Random) -> str:
    return f"{kind}_{draw.getrandbits(128):032x}"


if __name__ == "__main__":
    main()
