"""Which rows of what goes on in a matter (asks, tasks, requests, what went astray) somebody is shown, as SQL.

Rules kept here:

* one's own are shown, and on the firm's side those of the matters that one is named on;
* nothing is shown past a wall, one's own neither;
* it stands beside the decision, never in its place: whether somebody lists or reads such a thing at all is asked of the
  policy by the use case; this says of which rows that can be true.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Text, and_, bindparam, or_

from service.scoping import facts
from service.scoping.actions import Side
from service.scoping.actors import Actor

_OWN: Final[ColumnElement[str]] = bindparam("own", type_=Text)
_SIDE: Final[ColumnElement[str]] = bindparam("side", type_=Text)


def concern(membership: ColumnElement[str], matter: ColumnElement[str]) -> facts.Truth:
    """Say which rows concern the asker: bind `eyes`.

    Args:
        membership: the column that names whose row it is.
        matter: the column that names its matter.
    """
    on_his_matter = and_(facts.word(Side.FIRM.value) == _SIDE, facts.on_team(matter))
    return and_(~facts.walled(matter), or_(membership == _OWN, on_his_matter))


def eyes(actor: Actor, now_s: int) -> dict[str, object]:
    """Return who looks and when (UTC seconds), as `concern` and a row's own firm want to know."""
    return {
        "firm": actor.firm_id,
        "person": actor.person_id,
        "own": actor.membership_id,
        "side": actor.side,
        "now": now_s,
    }
