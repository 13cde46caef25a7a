"""The snapshot in force for one asker: the policy, or for a vendor's person what his engagement's overlay leaves of it.

Rules kept here:

* everything that asks the policy about a vendor's person gets its snapshot here, from the overlay as it stands in the
  engagement's row in this transaction: nobody can hand in a text, and an older one is never remembered for somebody;
* an overlaid snapshot is a `Matrix` of its own, made of narrowed rules: the same model, the same enforcers, Casbin
  decides. It is made once for each text and hangs on the policy it was made from, so that a reload makes all anew;
* a text that cannot be read (a row that was damaged, a word that this version does not know) shuts the engagement for
  the vendor's people: never is the plain policy used in its place;
* before an overlay is saved Casbin is asked, for every cell it touches, whether anything opens that did not (`proven`).

Source: docs/adr/0022-overlay.md.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any, Final

from sqlalchemy import Text, bindparam, select

from service.db import models
from service.db.session import Tx
from service.errors import PolicyError
from service.scoping.actions import Side
from service.scoping.actors import Actor
from service.scoping.matrix import Matrix
from service.scoping.overlays import Overlay, narrowed, shut
from service.scoping.table import changes

MOST_KEPT: Final = 64  # snapshots of 0.5 to 3 MB; further ones push out the oldest
EPOCH_TAG: Final = b"muniment overlay v1\x00"

logger = logging.getLogger(__name__)

_e = models.engagements
_OVERLAY: Final = select(_e.c.overlay).where(_e.c.id == bindparam("engagement", type_=Text))


def under(matrix: Matrix, text: str) -> Matrix:
    """Return the snapshot that an overlay leaves of a policy.

    Args:
        matrix: the policy, or any snapshot made from it.
        text: as it stands in the engagement's row; empty for none.
    """
    base = matrix.base
    if not text:
        return base
    found = base.overlaid.get(text)
    return found if found is not None else _made(base, text)


def of_engagement(tx: Tx, matrix: Matrix, engagement_id: str) -> Matrix:
    """Return the snapshot for the vendor's people of an engagement."""
    return under(matrix, tx.value(_OVERLAY, engagement=engagement_id) or "")


def of_actor(tx: Tx, matrix: Matrix, actor: Actor) -> Matrix:
    """Return the snapshot for somebody."""
    return under(matrix, overlay_of(tx, actor))


def overlay_of(tx: Tx, actor: Actor) -> str:
    """Return the text of the overlay that binds somebody; empty for none."""
    if actor.side == Side.FIRM or actor.engagement_id is None:
        return ""
    return tx.value(_OVERLAY, engagement=actor.engagement_id) or ""


def of_row(tx: Tx, matrix: Matrix, actor: Actor, row: Any) -> Matrix:
    """Return the snapshot for somebody who was found before a thing; `row` has its ``overlay``, or is None."""
    if row is None or actor.side == Side.FIRM:
        return of_actor(tx, matrix, actor)
    text = getattr(row, "overlay", None)
    return of_actor(tx, matrix, actor) if text is None else under(matrix, text)


def proven(matrix: Matrix, overlay: Overlay) -> Matrix:
    """Return the snapshot of an overlay, when Casbin says that it opens nothing that the policy does not.

    Every way to a yes of every cell must hold all facts and duties of one that the policy has: the domain is finite, so
    this is a proof. `Overlay` has no words for anything else; this is the second lock.

    Raises:
        PolicyError: something would be gained.
    """
    base = matrix.base
    snapshot = under(base, overlay.text)
    if any(change.gained for change in changes(base, snapshot)):
        raise PolicyError("the overlay would open what the policy does not.")
    return snapshot


def epoch_under(epoch: str, text: str) -> str:
    """Return the epoch of a policy under an overlay: hex SHA-256.

    Source: audit/FORMAT.md, section 7; audit/policy.py computes the same.
    """
    return hashlib.sha256(EPOCH_TAG + bytes.fromhex(epoch) + hashlib.sha256(text.encode()).digest()).hexdigest()


def _made(base: Matrix, text: str) -> Matrix:
    try:
        rules = narrowed(base.rules, Overlay.stored(text))
    except PolicyError:
        # Without the traceback: whatever was put into the row would be quoted in it.
        logger.error("an overlay cannot be read: its engagement is shut for the vendor's people")  # noqa: TRY400
        rules = shut(base.rules)
    return base.keep(text, base.with_rules(epoch_under(base.epoch, text), rules), MOST_KEPT)
