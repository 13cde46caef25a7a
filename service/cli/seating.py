"""The seat that somebody works in, kept in a file between commands; and said, at each, on standard error.

Rules kept here:

* the file holds the sign-in, the token of the seat that was chosen, and where it acts; only its owner may read it, and
  it appears whole or not at all;
* a token that is given (MUNIMENT_TOKEN, --token-file) goes before the seat;
* a seat whose token has run out is chosen again with the sign-in: no act happens in another seat than the one named.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from service.cli import client
from service.cli.client import Client
from service.cli.output import harmless
from service.config import Settings
from service.errors import BadInputError, BadStateError

SPARE_S: Final = 60  # a token that ends sooner would end while it is used


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds; `seat` is the answer to the choice of a seat, None before there was one."""

    signin: str
    seat: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return "Kept(redacted)"


def file_of(settings: Settings) -> Path:
    """The file that the environment names.

    Raises:
        BadInputError: it names none.
    """
    if settings.signin_file == Path():
        raise BadInputError("Set MUNIMENT_SIGNIN_FILE to a file of yours: what it will hold opens your seats.")
    return settings.signin_file


def read(settings: Settings) -> Kept:
    """Read the file.

    Raises:
        BadInputError: no file is named, or it holds something else.
        BadStateError: there is none yet.
    """
    path = file_of(settings)
    if not path.exists():
        raise BadStateError("There is no sign-in yet: `muniment seats start` makes one, with a token of yours.")
    try:
        return Kept(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise BadInputError("MUNIMENT_SIGNIN_FILE names a file that holds no sign-in.") from None


def write(settings: Settings, kept: Kept) -> None:
    """Write the file anew."""
    with client.new_file(file_of(settings)) as file:
        file.write(json.dumps(asdict(kept)).encode())


def forget(settings: Settings) -> None:
    """Delete the file."""
    file_of(settings).unlink(missing_ok=True)


def open_signed(settings: Settings) -> Client:
    """Make a client that shows the sign-in."""
    return Client(settings.url, read(settings).signin)


def choose(settings: Settings, seat_id: str) -> Mapping[str, Any]:
    """Choose a seat, keep it for the commands that follow, and return the service's answer."""
    signed = open_signed(settings)
    try:
        chosen: Mapping[str, Any] = signed.ask("POST", f"/api/v1/seats/{seat_id}/token").json()
    finally:
        signed.close()
    write(settings, Kept(read(settings).signin, chosen))
    return chosen


def open_client(settings: Settings, token_file: Path | None) -> Client:
    """Make the client for a command of the API: with the token that is given, else in the seat that was chosen."""
    given = token_file is not None or settings.token.get_secret_value() or settings.token_file != Path()
    if given or settings.signin_file == Path():
        return client.open_client(settings, token_file)
    seat = read(settings).seat
    if seat is None:
        raise BadStateError("No seat is chosen: `muniment seats list` shows yours, `muniment seats choose` takes one.")
    if datetime.fromisoformat(seat["expires_at"]).timestamp() - SPARE_S <= time.time():
        seat = choose(settings, seat["seat_id"])
    sys.stderr.write(f"{where(seat['place'])}\n")
    return Client(settings.url, seat["token"])


def where(place: Mapping[str, Any]) -> str:
    """Say in which firm, and where in it, somebody acts."""
    number, role = place["engagement_number"], str(place["role"]).replace("_", " ")
    within = "the whole house" if number is None else f"engagement {number}"
    return harmless(f"At {place['firm_name']}, {within}, as {role}.").replace("\n", " ")
