"""`muniment keys`: the keys of an installation, at the machine: rotate, mend, escrow.

Each leaves its entry in the log with the actor ``cli``. Long work shows how far it is, and can be cut short and begun
again: it goes on where it was.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service import escrow, rootkeys, rotation
from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record
from service.cli.progress import counted
from service.rotation import Level
from service.wiring import make_key_place_anew, open_installation

app = typer.Typer(no_args_is_help=True, help="Keys, at the machine: rotate, mend, escrow.")


class Which(StrEnum):
    """What can be rotated."""

    ROOT = "root"
    FIRM = "firm"
    ENGAGEMENT = "engagement"
    PART = "part"
    PERSON = "person"


@app.command()
def rotate(
    level: Annotated[Which, typer.Option(help="Whose keys; those below a firm or an engagement go with them.")],
    as_json: AsJson = False,
) -> None:
    """Replace the keys of a level. Data is not touched. Run it again if it was cut short: it goes on."""
    with open_installation(read_settings()) as services, counted("rotating") as watch:
        if level is Which.ROOT:
            done = asyncio.run(rotation.rotate_root(services, watch))
        else:
            done = asyncio.run(rotation.rotate(services, Level(level.value), watch))
    shown = {
        "level": done.level,
        "rotated": done.rotated,
        "rewrapped": done.rewrapped,
        "destroyed": done.destroyed,
        "went_on": done.went_on,
    }
    if as_json:
        print_json(shown)
        return
    print_record({name.replace("_", " "): value for name, value in shown.items()})
    if level is Which.ROOT:
        print_record({"Next": "take MUNIMENT_ROOT_KEY_OLD out of the settings, then destroy that key and its escrow."})


@app.command("make-root")
def make_root(path: Annotated[Path, typer.Argument(help="The new file; it must not exist.")]) -> None:
    """Make a new root key file, to rotate to. What is in use stays in use."""
    root = rootkeys.make(str(path))
    print_record({"made": root.describe()})
    print_record(
        {
            "Next": "set MUNIMENT_ROOT_KEY to it and MUNIMENT_ROOT_KEY_OLD to the one in use, start the service again, "
            "then `muniment keys rotate --level root`."
        }
    )


@app.command()
def mend(
    new: Annotated[list[str] | None, typer.Option(help="Name of a key place that was lost and is empty now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy keys to the places that lack them; a destroyed key is never brought back."""
    settings = read_settings()
    for name in new or ():
        make_key_place_anew(settings, name)
    with open_installation(settings) as services, counted("mending") as watch:
        done = asyncio.run(rotation.mend(services, watch))
    shown = {"copied": done.copied, "destroyed": list(done.destroyed), "lost": list(done.lost)}
    if as_json:
        print_json(shown)
        return
    print_record(shown)
    if done.lost:
        print_record({"Next": "no place holds the lost keys whole: bring back a copy of a key place."})


@app.command("escrow")
def escrow_root(
    first: Annotated[Path, typer.Argument(help="File of one share.")],
    second: Annotated[Path, typer.Argument(help="File of the other, in another folder.")],
    restore: Annotated[bool, typer.Option("--restore", help="Make the root key file again from both.")] = False,
) -> None:
    """Write the root key as two shares, each worth nothing alone; or make it again from both."""
    settings = read_settings()
    if restore:
        root = escrow.restore(settings, first, second)
        print_record({"restored": root.describe()})
        return
    with open_installation(settings) as services:
        described = escrow.write(services, first, second, services.random)
    print_record({"escrowed": described, "first share": str(first), "second share": str(second)})
    print_record({"Next": "give each to somebody else, away from this machine, and delete both files here."})
