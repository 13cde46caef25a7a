"""Routes of one's own tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from service import credentials
from service.api.shapes import Cursor, Input, Limit, Listed, Output, PathId, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(prefix="/tokens", tags=["tokens"], route_class=StrictRoute)


class NewToken(Input):
    """A narrower token for oneself: resources it may be used for, and its life in days."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scopes": ["document", "me"], "days": 7}]})
    scopes: Annotated[list[str], Field(min_length=1, max_length=40)]
    days: int = 7


class TokenOut(Output):
    """A token; its text is shown once, where it is made."""

    id: str
    membership_id: str
    scopes: list[str]
    created_at: str
    expires_at: str
    revoked_at: str | None


class MadeTokenOut(TokenOut):
    """A token that was just made. Keep its text: it is not shown again."""

    token: str


def _out(found: credentials.Token) -> dict[str, Any]:
    times = {name: shown_time(getattr(found, name)) for name in ("created_at", "expires_at", "revoked_at")}
    return {"id": found.id, "membership_id": found.membership_id, "scopes": list(found.scopes), **times}


@router.post("", status_code=201, operation_id="create_token", response_model=MadeTokenOut)
async def create(services: ServicesDep, caller: CallerDep, body: NewToken) -> Any:
    """Make a further token for one's own membership, for no more than the one it is asked with."""
    made = await credentials.create(services, caller, frozenset(body.scopes), body.days)
    return {**_out(made.token), "token": made.text}


@router.get("", operation_id="list_tokens", response_model=Listed[TokenOut])
async def list_own(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List one's own tokens, oldest first."""
    found = await credentials.list_own(services, caller, window(cursor, limit, "tok"))
    return listed(request, response, found, _out)


@router.delete("/{token_id}", status_code=204, operation_id="revoke_token")
async def revoke(services: ServicesDep, caller: CallerDep, token_id: PathId) -> None:
    """Revoke a token and all that were made with it: one's own, or as the owner anybody's."""
    await credentials.revoke(services, caller, token_id)
