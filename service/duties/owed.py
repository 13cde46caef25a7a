"""What an engagement or a matter demands beyond the NDA: words at the edge and in entries, bits in rows.

Who demands which duty is `OWED_BY_ENGAGEMENT` and `OWED_BY_MATTER`; for which acts and labels it then counts is
policies/duties.csv.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.errors import BadInputError
from service.scoping.actions import Duty, words_of


def bits(words: Iterable[str], among: Duty) -> int:
    """Return the bits of duties that may be demanded here.

    Raises:
        BadInputError: another word.
    """
    known = {str(duty.name).lower(): duty for duty in among}
    wanted = set(words)
    if not wanted <= set(known):
        raise BadInputError(f"owed: what can be demanded here is {', '.join(sorted(known))}.", extra={"field": "owed"})
    return sum(int(known[word]) for word in wanted)


def shown(mask: int) -> list[str]:
    """Return the words of a row's bits, sorted."""
    return list(words_of(Duty(mask)))
