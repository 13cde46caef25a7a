"""The live grants of an engagement, as far as the asker may be told of their documents.

Rules kept here:

* a grant is told of when the asker is allowed `document:access` on its document now, asked of the policy in the same
  query (`service.scoping.together`);
* live is what a decision calls live: begun, not ended, not revoked.

Whether a grant was ever used is no business of this module: that stands in the log (service/usage.py).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Select, Text, bindparam, select

from service.db import models
from service.db.session import Tx
from service.scoping import statements
from service.scoping.actions import Side
from service.scoping.inforce import of_actor
from service.scoping.matrix import Matrix
from service.scoping.together import TOLD, Asker, bound_of, covers, of_asker

_g, _m = models.grants.alias("held"), models.memberships.alias("holder")  # what decides asks about both itself
_NOW: Final = bindparam("now", type_=BigInteger)
_COLUMNS: Final = (
    _g.c.id,
    _g.c.membership_id,
    _m.c.person_id,
    _m.c.role,
    _g.c.document_id,
    _g.c.abilities,
    _g.c.not_after,
    _g.c.granted_by,
    _g.c.granted_at,
    _g.c.standing_id,
    _g.c.version,
)


def live(tx: Tx, matrix: Matrix, asker: Asker, engagement_id: str, *, after: str, most: int) -> list[Any]:
    """Return live grants in order of their ids, behind one of them; with holder, abilities, times and version."""
    statement = _made(of_actor(tx, matrix, asker.actor), asker)
    if statement is None:
        return []
    bound = {"engagement_of_grants": engagement_id, "now": asker.now.s, "after_grant": after, "most": most}
    return tx.all(statement, **bound, **bound_of(asker))


def _made(matrix: Matrix, asker: Asker) -> Select[Any] | None:
    if not covers(matrix, asker.actor):
        return None
    key = ("held", asker.actor.role, asker.actor.stepped_up)
    if key not in matrix.made:
        matrix.made[key] = _compile(matrix, asker)
    statement: Select[Any] | None = matrix.made[key]
    return statement


def _compile(matrix: Matrix, asker: Asker) -> Select[Any] | None:
    who = asker.actor
    told = statements.admits(matrix, who.role, Side(who.side), TOLD, _g.c.document_id, stepped_up=who.stepped_up)
    if told is None:
        return None
    return (
        select(*_COLUMNS)
        .select_from(_g.join(_m, _m.c.id == _g.c.membership_id))
        .where(
            _g.c.engagement_id == bindparam("engagement_of_grants", type_=Text),
            _g.c.not_before <= _NOW,
            _g.c.not_after > _NOW,
            _g.c.revoked_at > _NOW,
            _g.c.id > bindparam("after_grant", type_=Text),
            of_asker(told),
        )
        .order_by(_g.c.id)
        .limit(bindparam("most", type_=BigInteger))
    )
