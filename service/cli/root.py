"""The tree of commands, and how it ends.

The nouns of the API are only made when they may be asked for: an operator's command does not wait for them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import typer

from service.cli import audit, backups, installation, keys, policy, seats, serving, token
from service.cli.demo import command as demo
from service.cli.failures import report

ABOUT: Final = """Muniment: hand documents to outside staff, and prove what happened to every one of them.

Commands of the machine (init, serve, migrate, doctor, dispose, sign, backup, restore, keys, token, policy) open the
installation that MUNIMENT_HOME names.

All others ask the service at MUNIMENT_URL with the token in MUNIMENT_TOKEN or --token-file, or in the seat that
`muniment seats` chose (MUNIMENT_SIGNIN_FILE)."""

LOCAL: Final = frozenset(
    {
        "backup",
        "demo",
        "dispose",
        "doctor",
        "init",
        "keys",
        "migrate",
        "policy",
        "restore",
        "serve",
        "sign",
        "token",
    }
)


def build(arguments: Sequence[str]) -> typer.Typer:
    """Make the commands that these arguments can mean."""
    root = typer.Typer(
        name="muniment", help=ABOUT, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    for command in (
        installation.init,
        serving.serve,
        installation.migrate,
        installation.doctor,
        installation.dispose,
        installation.sign,
        backups.backup,
        backups.restore,
        demo.demo,
    ):
        root.command()(command)
    by_hand = {"token": token.app, "keys": keys.app, "policy": policy.app, "audit": audit.app, "seats": seats.app}
    for name, group in by_hand.items():
        root.add_typer(group, name=name)
    if not (arguments and arguments[0] in LOCAL):
        from service.cli import nouns  # noqa: PLC0415  # half a second that commands of the machine need not wait

        nouns.add_to(root, by_hand, arguments[0] if arguments else None)
    return root


def main() -> None:
    """Run the command that the shell named."""
    arguments = sys.argv[1:]
    try:
        build(arguments)(arguments)
    except Exception as error:  # noqa: BLE001  # the last line of defence: nobody is shown a stack
        sys.exit(report(error))
