"""What a certificate of disposal says: NIST SP 800-88 fields, both times, counts, ids and digests; no names.

It claims what was done and tried, and nothing about what memory or media may still hold.

Source: NIST SP 800-88, sections on cryptographic erase and on documentation; docs/adr/0010-disposal.md.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from sqlalchemy import bindparam, select

from audit.entry import decode
from service.db.models import log_entries
from service.db.session import Tx
from service.disposal.manifest import Manifest, moved_out
from service.events import EventType
from service.ledger import Moment

STATEMENT: Final = (
    "The keys listed were destroyed in every place listed, and each place confirmed that it no longer holds them. What "
    "they sealed, in this installation and in every copy of its database and objects, can no longer be opened from "
    "irrecoverable_at on. Nothing is claimed about copies that were downloaded."
)

_BODIES = (
    select(log_entries.c.idx, log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.engagement_id == bindparam("engagement"))
    .order_by(log_entries.c.idx)
)


def certificate_body(tx: Tx, moment: Moment, row: Any, manifest: Manifest, certificate_id: str) -> tuple[str, str]:
    """Write the certificate's canonical JSON.

    Returns: the text, and its SHA-256 in hex.
    """
    evidence = json.loads(row.evidence)
    keys, objects, tried = evidence["keys_destroyed"], evidence["objects_deleted"], evidence["verified"]
    downloads = _downloads(tx, row.firm_id, row.engagement_id)
    body = {
        "certificate": certificate_id,
        "version": 1,
        "firm": row.firm_id,
        "engagement": row.engagement_id,
        "engagement_number": manifest.number,
        "disposal": row.id,
        "manifest_sha256": row.manifest_sha256,
        "sanitization": {
            "standard": "NIST SP 800-88",
            "method": "purge",
            "technique": "cryptographic erase",
            "algorithm": "AES-256-GCM under keys of 256 bits; always sealed, from the first byte",
            "tool": "Muniment",
            "media": "key objects in key places; sealed objects in the blob store",
        },
        "access_ended_at": row.requested_at,
        "irrecoverable_at": keys["irrecoverable_at"],
        "issued_at": moment.s,
        "keys_destroyed": keys["keys"],
        "key_ids": list(manifest.key_ids),
        "key_places": keys["places"],
        "objects_deleted": objects["objects"],
        "revisions": [each.id for each in manifest.revisions],
        # Not destroyed by this: they went elsewhere before, under other ids and keys.
        "documents_moved_out": moved_out(tx, row.engagement_id),
        "verification": {"method": "every key and every object was asked for", **tried},
        "requested_by": row.requested_by,
        "approved_by": row.approved_by,
        "approved_at": row.approved_at,
        "returned_at": row.returned_at,
        "return": "waived in words; each only copy confirmed by its SHA-256",
        "downloads_that_left": downloads,
        "attestations_missing": sorted({each["person"] for each in downloads}),
        "log": row.firm_id,
        "log_index": tx.log_size,
        "statement": STATEMENT,
        "times": "UTC seconds since 1970-01-01",
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text, hashlib.sha256(text.encode()).hexdigest()


def _downloads(tx: Tx, log_id: str, engagement_id: str) -> list[dict[str, Any]]:
    """Every download of which bytes left, as the log has it."""
    found = []
    for row in tx.all(_BODIES, log=log_id, engagement=engagement_id):
        entry = decode(row.body)
        data = entry.data or {}
        if entry.type == EventType.DOCUMENT_OPENED and data.get("bytes"):
            found.append(
                {
                    "index": entry.index,
                    "time_ms": entry.time,
                    "document": (entry.subjects or {})["document"],
                    "person": entry.actor.get("person", ""),
                    "bytes": data["bytes"],
                    "outcome": entry.outcome,
                }
            )
    return found
