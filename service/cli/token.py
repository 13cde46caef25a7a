"""`muniment token`: bearer tokens, made and withdrawn by the operator at the machine.

A token's text is printed once, to stdout; nobody can print it again. Every act is an entry of the firm's log with the
actor ``cli``. (What a person can do about tokens over HTTP: `muniment tokens`.)
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from service import tokens
from service.api.shapes import shown_time
from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record, print_rows
from service.db.models import FOREVER
from service.wiring import open_installation

app = typer.Typer(no_args_is_help=True, help="Bearer tokens, at the machine.")

DAY_S = 86_400
DEFAULT_DAYS = 30


@app.command()
def create(
    membership: Annotated[list[str], typer.Option(help="Membership that it acts in; may be said several times.")],
    scopes: Annotated[str, typer.Option(help="Resources it is for, such as 'document me'; * is all.")] = "*",
    days: Annotated[int, typer.Option(min=1, max=366, help="Its life.")] = DEFAULT_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make a token, and print it this once."""
    with open_installation(read_settings()) as services:
        made = [asyncio.run(tokens.issue(services, each, scopes, days * DAY_S)) for each in membership]
    shown = [
        {"membership": each, "token_id": new.token_id, "token": new.text}
        for each, new in zip(membership, made, strict=True)
    ]
    if as_json:
        print_json({"items": shown})
        return
    for record in shown:
        print_record(record)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the tokens of this installation: never their text."""
    with open_installation(read_settings()) as services:
        now = services.clock() // 1000
        rows = [
            {
                "id": token.id,
                "membership": token.membership_id,
                "role": token.role,
                "scopes": token.scopes,
                "created_at": shown_time(token.created_at),
                "expires_at": shown_time(token.expires_at),
                "state": _state(token, now),
            }
            for token in tokens.issued(services)
        ]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows)


@app.command()
def revoke(token: Annotated[str, typer.Argument(help="Its id, as `token list` shows it.")]) -> None:
    """Withdraw a token now; what it has open stops within a second."""
    with open_installation(read_settings()) as services:
        asyncio.run(tokens.withdraw(services, token))
    print_record({"revoked": token})


def _state(token: tokens.Issued, now: int) -> str:
    if token.revoked_at <= now < FOREVER:
        return "revoked"
    return "in force" if token.expires_at > now else "expired"
