"""The words of masks of facts, for records: a decision is recorded with them and must not pay for sorting.

It holds what was asked for so far, which is few of all the masks that there are.
"""

from __future__ import annotations

from service.scoping.actions import Fact, words_of

_MASKS = range(2 * max(Fact))


class _FactWords(dict[int, tuple[str, ...]]):
    """The words of each mask, by its number.

    Raises:
        KeyError: it is no mask of facts.
    """

    def __missing__(self, mask: int) -> tuple[str, ...]:
        if mask not in _MASKS:
            raise KeyError(mask)
        words = self[mask] = words_of(Fact(mask))
        return words


FACT_WORDS = _FactWords()
"""`words_of` for masks of facts."""
