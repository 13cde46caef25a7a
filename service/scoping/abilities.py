"""Which ability of a grant an act asks for.

It does not say who may do what: that is policies/policy.csv.

Source: policies/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.scoping.actions import Ability, Action

ABILITY_OF: Mapping[Action, Ability] = MappingProxyType(
    {
        Action.DOCUMENT_DOWNLOAD: Ability.DOWNLOAD,
        Action.DOCUMENT_LIST: Ability.VIEW,
        Action.DOCUMENT_REVISE: Ability.REVISE,
        Action.DOCUMENT_TEXT: Ability.TEXT,
        Action.DOCUMENT_VIEW: Ability.VIEW,
    }
)
"""The ability that a vendor person's grant must carry for the act to count as assigned, besides `Ability.VIEW`."""

ABILITY_BITS: Mapping[str, int] = MappingProxyType(
    {action: int(ABILITY_OF.get(action, Ability.VIEW) | Ability.VIEW) for action in Action}
)
"""The same for every action, as numbers: a grant that does not even let its holder view gives nothing."""
