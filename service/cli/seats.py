"""`muniment seats`: one sign-in for all the firms one works for, and the seat in which one works now.

A sign-in and a seat's token are never printed: they go from the service into the file that MUNIMENT_SIGNIN_FILE names.
Each command has a name of its own here, so that none is made from the API's description in its place and prints them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import client, seating
from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record, print_rows

app = typer.Typer(no_args_is_help=True, help="One sign-in for several firms: choose the seat you work in.")

TokenFile = Annotated[
    Path | None, typer.Option(help="File that holds the seat's bearer token, instead of MUNIMENT_TOKEN.")
]
SeatId = Annotated[str, typer.Argument(help="The seat's id, as `seats list` shows it.")]


@app.command("start")
def start(
    days: Annotated[int, typer.Option(min=1, max=30, help="Its life.")] = 7,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a sign-in with a token of yours, whose membership is its first seat, and keep it in the file."""
    settings = read_settings()
    made = _with_token("/api/v1/signin", {"days": days}, token_file)
    seating.write(settings, seating.Kept(made["signin"]))
    shown = {"signin": made["id"], "seat": made["seat_id"], "expires_at": made["expires_at"]}
    print_json(shown) if as_json else print_record(shown)


@app.command("add")
def add(token_file: TokenFile = None, as_json: AsJson = False) -> None:
    """Add the membership of another token of yours to the sign-in."""
    made = _with_token("/api/v1/seats", {"signin": seating.read(read_settings()).signin}, token_file)
    shown = {"seat": made["id"]}
    print_json(shown) if as_json else print_record(shown)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List your seats, and which of them you work in."""
    settings = read_settings()
    signed = seating.open_signed(settings)
    try:
        told = signed.read("/api/v1/seats")
    finally:
        signed.close()
    if as_json:
        print_json(told)
        return
    seat = seating.read(settings).seat
    print_rows([_shown(each, seat["seat_id"] if seat else None) for each in told["seats"]])


@app.command("choose")
def choose(seat: SeatId, as_json: AsJson = False) -> None:
    """Work in this seat: the commands that follow act in it, and say so."""
    place = seating.choose(read_settings(), seat)["place"]
    print_json(place) if as_json else print_record(place)


@app.command("remove")
def remove(seat: SeatId) -> None:
    """Remove a seat from the sign-in; what it opened ends."""
    _ask_signed("DELETE", f"/api/v1/seats/{seat}")
    settings = read_settings()
    kept = seating.read(settings)
    if kept.seat is not None and kept.seat["seat_id"] == seat:
        seating.write(settings, seating.Kept(kept.signin))
    print_record({"removed": seat})


@app.command("stop")
def stop() -> None:
    """End the sign-in and all that its seats opened, and delete the file."""
    _ask_signed("DELETE", "/api/v1/signin")
    seating.forget(read_settings())
    print_record({"signin": "ended"})


def _with_token(path: str, body: dict[str, object], token_file: Path | None) -> Any:
    settings = read_settings()
    seating.file_of(settings)  # before anything is made that could not be kept
    opened = client.open_client(settings, token_file)
    try:
        return opened.ask("POST", path, body=body).json()
    finally:
        opened.close()


def _ask_signed(method: str, path: str) -> None:
    signed = seating.open_signed(read_settings())
    try:
        signed.ask(method, path)
    finally:
        signed.close()


def _shown(seat: dict[str, Any], chosen: str | None) -> dict[str, Any]:
    place = seat["place"] or {}
    return {
        "seat": seat["id"],
        "firm": place.get("firm_name"),
        "engagement": place.get("engagement_number"),
        "role": place.get("role"),
        "state": seat["state"],
        "chosen": seat["id"] == chosen,
    }
