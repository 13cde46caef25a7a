"""Routes of one's sign-in and its seats.

A sign-in is made, and a seat added to it, with the token of the seat in `Authorization`: those are acts in that token's
firm. All else is asked with the sign-in there instead, and a token opens none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field

from service import signin
from service.api.description import SIGNIN
from service.api.shapes import Input, Output, PathId, shown_time
from service.errors import UnauthenticatedError
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(tags=["seats"], route_class=StrictRoute)


def signer_of(request: Request) -> signin.Signer:
    """Read which sign-in is shown; nothing is believed or looked up here.

    Raises:
        UnauthenticatedError: there is none of the right form.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError
    client = request.scope.get("client")
    return signin.Signer(signin.parse(text.strip()), client[0] if client else None)


class SignedRoute(StrictRoute):
    """A route that wants a sign-in where others want a token."""

    hear: Callable[[Request], object] = staticmethod(signer_of)


signed = APIRouter(tags=["seats"], route_class=SignedRoute)
_SIGNED: Final[dict[str, Any]] = {"security": [{SIGNIN: []}]}


async def _signer(request: Request) -> signin.Signer:
    return signer_of(request)


SignerDep = Annotated[signin.Signer, Depends(_signer)]


class NewSignin(Input):
    """A sign-in whose first seat is the membership of the token that is shown; its life in days."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 7}]})
    days: int = 7


class MadeSigninOut(Output):
    """A sign-in that was just made. Keep its text: it is not shown again."""

    id: str
    seat_id: str
    expires_at: str
    signin: str


class NewSeat(Input):
    """The sign-in that shall get the membership of the token that is shown as a seat: both are proven at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"signin": "mus_" + "A" * 64}]})
    signin: Annotated[str, Field(min_length=1, max_length=200)]


class AddedSeatOut(Output):
    """The seat that was added."""

    id: str


class PlaceOut(Output):
    """Where a seat acts: firm, and engagement or, where that is null, the whole house."""

    firm_id: str
    firm_name: str
    engagement_id: str | None
    engagement_number: str | None
    role: str
    side: str


class SeatOut(Output):
    """A seat; `state` is to_come, running, suspended, ended, or closed: then its firm tells nothing of it."""

    id: str
    membership_id: str
    state: str
    place: PlaceOut | None


class SeatsOut(Output):
    """All seats of the sign-in that is shown, as each one's own firm tells of it."""

    expires_at: str
    seats: list[SeatOut]


class ChosenSeatOut(Output):
    """A token for the seat's membership alone, shown this once, and where it acts."""

    seat_id: str
    membership_id: str
    token: str
    expires_at: str
    place: PlaceOut


@router.post("/signin", status_code=201, operation_id="create_signin", response_model=MadeSigninOut)
async def create(services: ServicesDep, caller: CallerDep, body: NewSignin) -> Any:
    """Make a sign-in for the several memberships of one person, the first being that of the token that is shown."""
    made = await signin.create(services, caller, body.days)
    return {
        "id": made.signin_id,
        "seat_id": made.seat_id,
        "expires_at": shown_time(made.expires_at),
        "signin": made.text,
    }


@router.post("/seats", status_code=201, operation_id="add_seat", response_model=AddedSeatOut)
async def add(services: ServicesDep, caller: CallerDep, body: NewSeat) -> Any:
    """Add the membership of the token that is shown to one's sign-in."""
    return {"id": await signin.add(services, caller, signin.parse(body.signin))}


@signed.get("/seats", operation_id="list_seats", response_model=SeatsOut, openapi_extra=_SIGNED)
async def read(services: ServicesDep, signer: SignerDep) -> Any:
    """List the seats of the sign-in that is shown; each firm records that its own was asked for."""
    held = await signin.read(services, signer)
    return {"expires_at": shown_time(held.expires_at), "seats": held.seats}


@signed.post(
    "/seats/{seat_id}/token",
    status_code=201,
    operation_id="choose_seat",
    response_model=ChosenSeatOut,
    openapi_extra=_SIGNED,
)
async def choose(services: ServicesDep, signer: SignerDep, seat_id: PathId) -> Any:
    """Choose a seat: a token for its membership, of 12 hours at most, that ends with the seat and the sign-in."""
    chosen = await signin.choose(services, signer, seat_id)
    return {
        "seat_id": chosen.seat_id,
        "membership_id": chosen.membership_id,
        "token": chosen.text,
        "expires_at": shown_time(chosen.expires_at),
        "place": chosen.place,
    }


@signed.delete("/seats/{seat_id}", status_code=204, operation_id="remove_seat", openapi_extra=_SIGNED)
async def remove(services: ServicesDep, signer: SignerDep, seat_id: PathId) -> None:
    """Remove a seat from one's sign-in, and revoke what it made."""
    await signin.remove(services, signer, seat_id)


@signed.delete("/signin", status_code=204, operation_id="end_signin", openapi_extra=_SIGNED)
async def end(services: ServicesDep, signer: SignerDep) -> None:
    """End one's sign-in, and revoke what its seats made; repeat it when it fails."""
    await signin.end(services, signer)


router.routes.extend(signed.routes)
