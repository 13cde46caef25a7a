"""Muniment's log, to be verified anywhere: it needs Python 3.11, the standard library and `cryptography`.

A log is a Merkle tree (RFC 6962) of entries in canonical JSON; its head is signed as a C2SP checkpoint; a bundle
carries all of it to whoever must not take anybody's word. One whole life of a small log:

    import io, tempfile
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from audit import AuditError, verify_bundle
    from audit.bundle import Export, write_log_bundle
    from audit.checkpoint import sign, verifier_key
    from audit.entry import Entry, encode
    from audit.log import Signer
    from audit.store import MemoryLeafStore

    # The firm's side: entries are appended, a signer that believes nothing signs the head, a bundle is written.
    key = Ed25519PrivateKey.generate()
    store = MemoryLeafStore()
    for index, what in enumerate(["log.opened", "list.read", "log.heartbeat"]):
        store.append(encode(Entry(log="log_1", index=index, time=1000 * index, type=what, actor={"system": "cli"})))
    head = Signer("log_1").advance(store.entries(0, 3))
    checkpoint = sign("firm.example/log", head.size, head.root(), key)
    with tempfile.NamedTemporaryFile() as file:
        write_log_bundle(file, Export(store=store, log="log_1", checkpoint=checkpoint, made_at=2000))
        file.flush()

        # The auditor's side: the key came by another way than the bundle.
        known = verifier_key("firm.example/log", key.public_key())
        report = verify_bundle(file.name, key=known)
        assert report.verdict == "sound" and report.entries == 3

        # Somebody changes one byte.
        file.seek(file.seek(0) + open(file.name, "rb").read().index(b"list.read"))
        file.write(b"l1st")
        file.flush()
        try:
            verify_bundle(file.name, key=known)
        except AuditError as error:
            assert error.index == 1 and "entry was changed" in error.evidence["which"]

From a shell: ``python -m audit verify BUNDLE --key KEY``. Every byte is described in FORMAT.md. Stable are the names
exported here, `audit.merkle`, `audit.checkpoint` and the formats; everything else serves them.
"""

from audit.errors import AuditError
from audit.report import Report
from audit.verify import verify_bundle

__all__ = ["AuditError", "Report", "verify_bundle"]
