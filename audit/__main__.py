"""The offline verifier on the command line: ``python -m audit verify|show|proof``.

It reads files, prints what verify.py found, and ends with 0 (sound), 1 (broken) or 2 (unusable, or the origin is not
established). Text from a bundle is printed escaped: a log must not be able to write to an auditor's terminal.

Source: FORMAT.md, section 9.
"""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from audit import merkle, policy
from audit.bundle import LOG
from audit.checkpoint import parse
from audit.entry import Scanner
from audit.errors import EXIT_BROKEN, EXIT_SOUND, AuditError, EntryError, ProofError, UnusableError
from audit.reading import ENTRY_LINE_BYTES, Bundle
from audit.report import Report, lines, moment
from audit.verify import verify_bundle

FILE_BYTES: Final = 4 << 20  # keys, checkpoints and policies given as files are shorter


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except AuditError as error:
        _print_error(error, as_json=getattr(options, "json", False))
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description="Verify Muniment's audit logs offline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify", help="check a bundle: 0 sound, 1 broken, 2 unusable or origin not established"
    )
    verify.add_argument("bundle")
    verify.add_argument("--key", help="the log's verifier key, or a file that holds it")
    verify.add_argument("--checkpoint", metavar="FILE", help="a checkpoint of the log that you kept from another day")
    verify.add_argument(
        "--policy",
        metavar="FILE",
        action="append",
        default=[],
        help="policy files that were in force: folder, csv or json",
    )
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    verify.set_defaults(run=_verify)
    show = commands.add_parser("show", help="print what is in a bundle, without verifying anything")
    show.add_argument("bundle")
    show.add_argument("--index", type=int, help="print only the entry at this index")
    show.set_defaults(run=_show)
    proof = commands.add_parser("proof", help="print the C2SP tlog-proof of one entry of a bundle")
    proof.add_argument("bundle")
    proof.add_argument("index", type=int)
    proof.set_defaults(run=_proof)
    return parser


def _verify(options: argparse.Namespace) -> int:
    report = verify_bundle(
        options.bundle,
        key=None if options.key is None else _key(options.key),
        checkpoint=None if options.checkpoint is None else _read(Path(options.checkpoint)),
        policy=[_policy(Path(each)) for each in options.policy],
    )
    _print("\n".join([_as_json(report)] if options.json else lines(report)))
    return report.exit_code


def _show(options: argparse.Namespace) -> int:
    with Bundle(options.bundle) as bundle:
        manifest = bundle.manifest
        if options.index is None:
            _print(f"{manifest.kind} bundle of {manifest.origin!a}, size {manifest.size}; nothing is verified")
            _print(f"made at {moment(manifest.made_at)}, {manifest.entries} entries, {manifest.payloads} payloads")
        for page in bundle.entries().lines(ENTRY_LINE_BYTES):
            for body in page:
                if options.index in {None, _index_of(body)}:
                    _print(_escaped(body))
        for opened in bundle.payloads():
            if options.index in {None, opened.index}:
                _print(f"payload {opened.index}: {_escaped(opened.payload)}")
    return EXIT_SOUND


def _index_of(body: bytes) -> int:
    try:
        return Scanner().scan(body).at
    except EntryError:
        return -1  # what is not an entry has no index to be asked for


def _proof(options: argparse.Namespace) -> int:
    with Bundle(options.bundle) as bundle:
        hashes = _proof_hashes(bundle, options.index)
        parse(bundle.checkpoint)  # so that what is printed raw has no control characters in it
        text = "".join(f"{b64encode(each).decode()}\n" for each in hashes)
        head = f"c2sp.org/tlog-proof@v1\nindex {options.index}\n{text}\n"
        sys.stdout.buffer.write(head.encode() + bundle.checkpoint)
    return EXIT_SOUND


def _proof_hashes(bundle: Bundle, index: int) -> Sequence[bytes]:
    if bundle.manifest.kind == LOG:
        leaves = bundle.leaves().read(bundle.manifest.size * merkle.HASH_BYTES)
        hashes = [leaves[at : at + merkle.HASH_BYTES] for at in range(0, len(leaves), merkle.HASH_BYTES)]
        return merkle.inclusion_proof(hashes, index)
    for proof in bundle.proofs():
        if proof.index == index:
            return proof.hashes
    raise ProofError("the bundle has no entry at this index", index=index)


def _key(text: str) -> str:
    """Take a verifier key as it is, or from the file of that name."""
    path = Path(text)
    return _read(path).decode(errors="replace").strip() if path.is_file() else text


def _policy(path: Path) -> Mapping[str, bytes]:
    """Read the four policy files: from their folder, from beside ``policy.csv``, or from one JSON file."""
    if path.suffix == ".json":
        return policy.from_json(_read(path).strip())
    folder = path if path.is_dir() else path.parent
    return {name: _read(folder / name) for name in policy.FILES}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{str(path)!a} cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES:
        raise UnusableError(f"{str(path)!a} is too long")
    return data


def _as_json(report: Report) -> str:
    return json.dumps({"exit_code": report.exit_code, "verdict": report.verdict, **asdict(report)}, indent=2)


def _print_error(error: AuditError, *, as_json: bool) -> None:
    verdict = "broken" if error.exit_code == EXIT_BROKEN else "unusable"
    found = {"error": type(error).__name__, "message": error.message, "first_bad_index": error.index}
    if as_json:
        _print(
            json.dumps(
                {"exit_code": error.exit_code, "verdict": verdict, **found, "evidence": error.evidence}, indent=2
            )
        )
        return
    at = "" if error.index is None else f", first bad index {error.index}"
    _print(f"{verdict.upper()}{at}: {error.message} ({found['error']})")
    for name, value in error.evidence.items():
        _print(f"  {name}: {value!a}")


def _escaped(text: bytes) -> str:
    return ascii(text.decode(errors="replace"))[1:-1]


def _print(text: str) -> None:
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode() + "\n")  # whatever the terminal's encoding


if __name__ == "__main__":
    sys.exit(main())
