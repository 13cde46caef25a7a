"""How far a role may ever go: the policy is asked for each ability before it is handed out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from service.acts import Act
from service.errors import AboveCeilingError, BadInputError, BadStateError
from service.scoping.abilities import ABILITY_OF
from service.scoping.actions import Ability, Action, Fact, words_of
from service.scoping.inforce import of_engagement
from service.scoping.matrix import Matrix

CONFIRMED: Final = "confirmed"
_OPENERS: Final = Fact.ASSIGNED | Fact.OWN | Fact.ASKED | Fact.BREAK_GLASS


def require_confirmed(document: Any) -> None:
    """Refuse what no attorney has looked at yet.

    Raises:
        BadStateError: it is not confirmed.
    """
    if document.state != CONFIRMED:
        raise BadStateError("Confirm the document's label and sensitivity first; then it can be shared.")


def require_shareable(act: Act, document: Any, role: str, abilities: Ability) -> None:
    """Ask the policy whether a grant could ever open each of the acts that the abilities are for.

    What a role may do with its own unconfirmed papers only does not count: a grant opens nothing there.

    Raises:
        BadStateError: nobody has confirmed the document.
        AboveCeilingError: the role may never hold one of the abilities on such a document.
    """
    require_confirmed(document)
    require_below_ceiling(act, document, role, abilities)


def require_below_ceiling(act: Act, document: Any, role: str, abilities: Ability) -> None:
    """Ask the same of a paper that may be still to come.

    Raises:
        AboveCeilingError: as `require_shareable`.
    """
    word = above_ceiling(act, document, role, abilities)
    if word is not None:
        raise AboveCeilingError(
            f"The role {role} may never hold {word} on papers labelled {document.label} that are "
            f"{document.sensitivity}. Share less, or share it with somebody whose role may.",
            extra={
                "role": role,
                "label": document.label,
                "sensitivity": document.sensitivity,
                "ability": word,
            },
        )


def above_ceiling(act: Act, document: Any, role: str, abilities: Ability) -> str | None:
    """Return the first of these abilities that a role may never hold on a document, in its engagement."""
    matrix = _policy_for(act, document)
    for action, ability in ABILITY_OF.items():
        ways = matrix.cell(role, action, document.label, document.sensitivity).ways()
        if ability in abilities and not any(way & _OPENERS == Fact.ASSIGNED for way in ways):
            return str(ability.name).lower()
    return None


def require_told_titles(act: Act, document: Any, role: str) -> None:
    """Ask the policy whether a role could ever be told the title of such a document, and no more of it.

    Raises:
        AboveCeilingError: it never is.
    """
    if not _policy_for(act, document).ceiling_allows(role, Action.TITLE_READ, document.label, document.sensitivity):
        raise AboveCeilingError(
            f"The role {role} is never told such titles. Choose a reviewer, or other papers.",
            extra={"role": role, "label": document.label, "sensitivity": document.sensitivity},
        )


def _policy_for(act: Act, document: Any) -> Matrix:
    return of_engagement(act.tx, act.services.matrix.current, document.engagement_id)


def bits(abilities: Iterable[str]) -> Ability:
    """Return the mask of ability words, `view` always among them.

    Raises:
        BadInputError: none, or a word that is no ability.
    """
    wanted = {word: Ability.__members__.get(word.upper()) for word in abilities if word == word.lower()}
    if not wanted or None in wanted.values() or len(wanted) < len(set(abilities)):
        known = ", ".join(words_of(Ability(sum(Ability))))
        raise BadInputError(f"abilities: send at least one of {known}.", extra={"field": "abilities"})
    mask = Ability.VIEW
    for ability in wanted.values():
        mask |= ability or Ability(0)
    return mask
