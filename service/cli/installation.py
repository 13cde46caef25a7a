"""The operator's commands at the machine: make an installation, bring it up to date, look whether it is whole.

These open the installation's folders and database themselves. What they change is recorded with the actor ``cli``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from service import checkpoints, disposal, firms
from service import doctor as examination
from service.anchors.folder import AnchorFolder
from service.cli.failures import read_settings, report
from service.cli.output import AsJson, print_json, print_record, print_rows
from service.db import schema
from service.db.session import EVERY_LOG, Database
from service.errors import EXIT_UNSAFE, ExistsError, MunimentError
from service.services import Services
from service.wiring import open_installation, prepare

DEFAULT_DAYS = 90
HOUR_S: Final = 3600


def init(
    firm: Annotated[str, typer.Option(help="The firm's name; it is sealed.")],
    owner: Annotated[str, typer.Option(help="E-mail address of the person who will run the house; it is sealed.")],
    owner_name: Annotated[str, typer.Option(help="That person's name; the address's first part unless said.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of the firm's days, such as America/New_York.")] = "UTC",
    days: Annotated[int, typer.Option(min=1, max=366, help="Life of the owner's first token.")] = DEFAULT_DAYS,
    another: Annotated[bool, typer.Option("--another", help="Found a further firm where there is one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an installation and found a firm; prints the owner's token, this once."""
    settings = read_settings()
    prepare(settings)
    with open_installation(settings) as services:
        _refuse_second(services, another=another)
        name = owner_name or owner.partition("@")[0] or owner
        founded = asyncio.run(firms.found(services, firm, owner, name, zone, days))
    shown = {
        "firm": founded.firm_id,
        "owner's membership": founded.owner_membership_id,
        "owner's token": founded.owner_token.text,
        "verifier key": founded.verifier_key,
    }
    if as_json:
        print_json({name.replace("'s", "").replace(" ", "_"): value for name, value in shown.items()})
        return
    print_record(shown)
    print_record({"Keep": "the token is not shown again; give the verifier key to whoever audits you."})
    print_record({"Next": "`muniment serve`, then MUNIMENT_TOKEN=… `muniment people add …`"})


def migrate(
    to: Annotated[str, typer.Option(help="Revision to go to; a lower one goes back.")] = "head",
) -> None:
    """Bring the database to the revision that this version needs. Stop the service and back it up first."""
    settings = read_settings()
    database = Database(settings.database_url)
    before = schema.current(database)
    schema.move(database, to)
    if isinstance(settings.anchors, Path):
        AnchorFolder(settings.anchors).adopt()
    print_record({"before": before or "empty", "now": schema.current(database) or "empty"})


def dispose(as_json: AsJson = False) -> None:
    """Finish the disposals that were let run; for a process that may delete, where the one that serves may not."""
    with open_installation(read_settings()) as services:
        fates = asyncio.run(disposal.resume_all(services))
    rows = [
        {"disposal": disposal_id, "state": "stopped" if error else "certified", "says": error.message if error else ""}
        for disposal_id, error in fates.items()
    ]
    if as_json:
        print_json({"items": rows})
    elif rows:
        print_rows(rows)
    else:
        print_record({"dispose": "there is nothing to finish."})
    if any(fates.values()):
        raise typer.Exit(EXIT_UNSAFE)


def sign(as_json: AsJson = False) -> None:
    """Sign and anchor every log's head, once; for a process that may anchor, where the one that serves may not."""
    with open_installation(read_settings()) as services:
        sizes = asyncio.run(checkpoints.sign_all(services))
    rows = [{"log": log_id, "signed to": size} for log_id, size in sizes.items()]
    if as_json:
        print_json({"items": [{"log": log_id, "size": size} for log_id, size in sizes.items()]})
    else:
        print_rows(rows)


def doctor(
    block: Annotated[
        bool, typer.Option("--block", help="Suspend the memberships that a forged row could serve.")
    ] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Say what could be repaired; with --yes repair it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do what --repair says.")] = False,
    grace_hours: Annotated[int, typer.Option(min=1, help="Orphans that are younger may be under way: they stay.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Compare rows, log, blobs and keys with one another; exits with 8 when something is wrong."""
    grace_s = grace_hours * HOUR_S
    try:
        with open_installation(read_settings()) as services:
            if repair:
                _print_repairs(
                    asyncio.run((examination.repair if yes else examination.plan)(services, grace_s)), yes, as_json
                )
                return
            found = asyncio.run(_examine(services, grace_s))
            blocked = asyncio.run(examination.block(services, found)) if block else []
    except MunimentError as error:
        if not as_json:
            raise typer.Exit(max(report(error), EXIT_UNSAFE)) from None
        print_json({"items": [{"severity": "broken", "code": error.code, "sentence": error.message, "ids": []}]})
        raise typer.Exit(EXIT_UNSAFE) from None
    _print_findings(found, blocked, as_json=as_json)
    if any(each.severity is examination.Severity.BROKEN for each in found):
        raise typer.Exit(EXIT_UNSAFE)


async def _examine(services: Services, grace_s: int) -> list[examination.Finding]:
    return [*await examination.examine(services, grace_s), *await examination.examine_probes(services)]


def _print_findings(found: list[examination.Finding], blocked: list[str], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"severity": str(each.severity), "code": each.code, "sentence": each.sentence, "ids": list(each.ids)}
        | ({"differs": list(each.differs)} if each.differs else {})
        | ({"entry": each.entry} if each.entry else {})
        for each in found
    ]
    if as_json:
        print_json({"items": rows} | ({"suspended": blocked} if blocked else {}))
    elif rows:
        print_rows(rows)
    else:
        print_record({"doctor": "everything is as it should be."})
    if blocked and not as_json:
        print_record({"suspended": blocked})


def _print_repairs(repairs: list[examination.Repair], done: bool, as_json: bool) -> None:
    rows = [{"repair": str(each.kind), "sentence": each.sentence, "ids": list(each.ids)} for each in repairs]
    if as_json:
        print_json({"done": done, "items": rows})
    elif rows:
        print_rows(rows)
        print_record({"doctor": "this was done." if done else "nothing was done: add --yes."})
    else:
        print_record({"doctor": "there is nothing to repair."})


def _refuse_second(services: Services, *, another: bool) -> None:
    with services.database.read(EVERY_LOG) as tx:
        there = firms.all_ids(tx)
    if there and not another:
        raise ExistsError("There is a firm here already. Use --another if a further one is what you want.")
