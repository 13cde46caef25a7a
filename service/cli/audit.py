"""`muniment audit verify|show|proof`: the offline verifier, exactly as auditors run it (`python -m audit`).

Nothing is added on the way: arguments go in and exit codes come out as they are. What needs the service (`entries`,
`prove`, `checkpoint`, `export`) is made from the API's description.
"""

from __future__ import annotations

from typing import Final

import typer

from audit.__main__ import main as verifier

app = typer.Typer(no_args_is_help=True, help="The log: read and export it over HTTP, verify it offline.")

_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASSED_ON)
def verify(context: typer.Context) -> None:
    """Check a bundle offline: 0 sound, 1 broken, 2 unusable or origin not established. Ask verify --help for more."""
    raise typer.Exit(verifier(["verify", *context.args]))


@app.command(context_settings=_PASSED_ON)
def show(context: typer.Context) -> None:
    """Print what is in a bundle, without verifying anything."""
    raise typer.Exit(verifier(["show", *context.args]))


@app.command(context_settings=_PASSED_ON)
def proof(context: typer.Context) -> None:
    """Print the C2SP tlog-proof of one entry of a bundle."""
    raise typer.Exit(verifier(["proof", *context.args]))
