"""`muniment backup` and `muniment restore`: copies of a whole installation, made while it serves and put back apart.

What must be kept apart, in which order things are copied, and why a restored copy may refuse to serve:
docs/adr/0016-backup.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from service import backups, doctor
from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record, print_rows
from service.errors import EXIT_UNSAFE, BadInputError, NotInitialisedError
from service.wiring import open_installation, prepare


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder; rows, blobs and keys lie in it apart.")],
    without_keys: Annotated[bool, typer.Option("--without-keys", help="Leave the keys where they are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy rows, blobs and keys into a folder, while the service runs or not."""
    with open_installation(read_settings()) as services:
        made = asyncio.run(backups.backup(services, folder, with_keys=not without_keys))
    if as_json:
        print_json(asdict(made))
        return
    print_record(asdict(made))
    kept = (
        "the folders apart, and the root key elsewhere" if made.keys else "it; without the key places it opens nothing"
    )
    print_record({"Keep": f"{kept}."})


def restore(
    folder: Annotated[Path | None, typer.Argument(help="What `muniment backup` made.")] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Bring restored rows up to what the anchors know, so that they serve.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty installation, or reconcile one that was restored from before something ended."""
    if reconcile == (folder is not None):
        raise BadInputError("Name the folder of a backup, or say --reconcile.")
    if folder is None:
        _reconcile(as_json=as_json)
    else:
        _restore(folder, as_json=as_json)


def _restore(folder: Path, *, as_json: bool) -> None:
    settings = read_settings()
    if isinstance(settings.root_key, Path) and not settings.root_key.exists():
        raise NotInitialisedError("Bring the root key back first: it is in no backup, and without it nothing opens.")
    prepare(settings)
    with open_installation(settings) as services:
        restored = asyncio.run(backups.restore(services, folder))
        found = asyncio.run(doctor.examine(services))
    rows = [{"severity": str(each.severity), "code": each.code, "sentence": each.sentence} for each in found]
    if as_json:
        print_json({**asdict(restored), "doctor": rows})
    else:
        print_record(asdict(restored))
        print_rows(rows)
    if any(each.severity is doctor.Severity.BROKEN for each in found):
        raise typer.Exit(EXIT_UNSAFE)


def _reconcile(*, as_json: bool) -> None:
    with open_installation(read_settings(), reconciling=True) as services:
        done = asyncio.run(backups.reconcile(services))
    rows: list[dict[str, Any]] = [asdict(each) for each in done]
    if as_json:
        print_json({"items": rows})
    elif rows:
        print_rows(rows)
        print_record({"Next": "look who may still act, then `muniment token create`; hand out the new verifier keys."})
    else:
        print_record({"restore": "nothing here is older than its anchors."})
