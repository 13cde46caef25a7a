"""The rows of the bench: what is measured, beside what, and the ratio that must at least be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RSS_MIB: Final = 64
"""What a stream or a verification may need beyond its idle process."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One row: its name in bench.json, both sides in words, and the floor of the ratio."""

    name: str
    ours: str
    peer: str
    floor: float
    rss_mib: int | None = None  # most memory beyond the idle process, where that is part of the budget


BUDGETS: Final = (
    Budget(
        "seal_esdk",
        "sealing a 1 GiB stream through our iterator, one core",
        "AWS Encryption SDK, default frames of 4 KiB, its quicker suite (key commitment, no signature)",
        15,
    ),
    Budget("seal_tink", "sealing the same 1 GiB stream", "Tink streaming AES256_GCM_HKDF_4KB", 1.3),
    Budget("open_tink", "opening 1 GiB", "Tink streaming AES256_GCM_HKDF_4KB", 1.3),
    Budget(
        "decision",
        "one decision among 1 M grants, SQLite",
        "the same facts query alone, on the same driver cursor",
        0.8,
    ),
    Budget("decision_growth", "one decision among 1 M grants", "one decision among 1 k grants", 0.8),
    Budget(
        "list",
        "a page of 50 documents with opened titles from 1 M grants",
        "a hand-written join that opens the same titles by the same library",
        0.6,
    ),
    Budget(
        "policy_diff",
        "whom a lower ceiling takes what, counted for everybody among 1 M grants",
        "no peer: the longest that anybody should wait",
        1.0,
    ),
    Budget(
        "request",
        "authorised, recorded read of a sealed 4 KiB document: SQLite, 32 clients, one worker",
        "a FastAPI route that returns 4 KiB, in an equal server",
        0.2,
    ),
    Budget(
        "append_group",
        "entries a second from 64 callers at once, each answered when durable",
        "one caller committing bare rows back to back, as durable",
        2.0,
    ),
    Budget(
        "verify",
        "1 M entries verified from a bundle",
        "reading, json.loads, hashing and folding the same lines",
        0.7,
        RSS_MIB,
    ),
    Budget(
        "upload",
        "adding a document of 1 GiB over HTTP, sealed into S3 (SeaweedFS)",
        "boto3 `upload_fileobj` of the same bytes",
        1.0,
        RSS_MIB,
    ),
    Budget("download", "getting it back over HTTP", "reading boto3's `get_object`", 0.6, RSS_MIB),
    Budget(
        "small_files",
        "1,000 files of 64 KiB put, then got, 8 clients",
        "the same clients before FastAPI with boto3 and nothing between",
        0.7,
    ),
    Budget(
        "erase",
        "10,000 objects deleted, every version, confirmed",
        "boto3: list, then batched deletes in 8 threads",
        0.9,
    ),
)


def budget(name: str) -> Budget:
    """Return the budget of a row.

    Raises:
        KeyError: there is no such row.
    """
    return {each.name: each for each in BUDGETS}[name]
