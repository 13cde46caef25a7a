"""The whole policy as a table that people can read, and what changes between two versions of it.

The domain is finite, so every answer can be written down: policies/decisions.csv is this table, made on purpose by
``python -m tests.policies.make_decisions`` and compared in full by a test. What is written is what Casbin answered.

Source: policies/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from service.scoping.actions import DOCUMENT_ACTIONS, NONE, Action, Duty, Fact, Label, Role, Sensitivity, words_of
from service.scoping.matrix import Cell, Matrix, cells_of
from service.scoping.rules import ANY, Rule

TABLE_COLUMNS: Final = ("role", "action", "label", "sensitivity", "answer", "when", "duties", "unless")
NEVER: Final = "never"
OR: Final = " or "


class Entry(NamedTuple):
    """One row: for these labels and sensitivities the act is allowed under these conditions."""

    role: str
    action: str
    label: str  # `*`, `-`, or words
    sensitivity: str  # `*`, `-`, or words
    answer: str  # allowed | refused
    when: str  # fact words, alternatives joined by " or "; `never`
    duties: str  # what the fact `duties` asks for here
    unless: str  # facts each of which refuses all the same


class Change(NamedTuple):
    """One cell that two policies answer differently; `before` and `after` are smallest sets of `Fact` bits."""

    role: Role
    action: Action
    label: str
    sensitivity: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    gained: bool  # something is allowed that was not
    lost: bool  # something that was allowed no longer is


def entries(
    matrix: Matrix, roles: Iterable[Role] = tuple(Role), actions: Iterable[Action] = tuple(Action)
) -> Iterator[Entry]:
    """Yield the table, role by role and act by act, each cell in exactly one row. Casbin is asked for these alone."""
    for role in roles:
        for action in actions:
            unless = " ".join(words_of(Fact(matrix.denials(role, action)))) or NONE
            for (ways, needs), cells in _alike(matrix, role, action).items():
                when = OR.join(" ".join(words_of(Fact(way))) or NONE for way in sorted(ways)) or NEVER
                duties = " ".join(words_of(Duty(needs))) if ways and needs else NONE
                answer = "allowed" if ways else "refused"
                for label, sensitivity in _blocks(action, cells):
                    yield Entry(role, action, label, sensitivity, answer, when, duties, unless if ways else NONE)


def as_words(ways: Iterable[int]) -> str:
    """Write ways to a yes as the table has them."""
    return OR.join(" ".join(words_of(Fact(way))) or "always" for way in sorted(ways)) or NEVER


def effect_of(change: Change) -> str:
    """Say in words whether an answer opens more, less, or both."""
    return " and ".join(word for word, true in (("gained", change.gained), ("lost", change.lost)) if true)


def render(matrix: Matrix) -> str:
    """Return the table as CSV text with its header line, a line feed after each row."""
    lines = [",".join(TABLE_COLUMNS), *(",".join(entry) for entry in entries(matrix))]
    return "\n".join(lines) + "\n"


def changes(before: Matrix, after: Matrix) -> Iterator[Change]:
    """Yield every cell that the two snapshots answer differently, duties included."""
    for role in Role:
        for action in Action:
            if before.about(role, action) == after.about(role, action):
                continue  # the same rules get the same answers: Casbin need not be asked again
            for label, sensitivity in cells_of(action):
                old, new = (m.cell(role, action, label, sensitivity) for m in (before, after))
                gained, lost = _opens_more(new, old), _opens_more(old, new)
                if gained or lost:
                    yield Change(role, action, label, sensitivity, old.ways(), new.ways(), gained, lost)


class Said(NamedTuple):
    """A rule that stands in one of two policies only, whatever its number."""

    effect: str  # added | removed
    rule: str  # policy.csv:<n> in the policy that has it
    sentence: str  # its cells, as they stand there


def rules_changed(before: Matrix, after: Matrix) -> Iterator[Said]:
    """Yield the rules whose meaning is in one policy only: first those removed, then those added, in file order.

    Moving a rule, or the order of words in a cell, changes nothing. A rule that is written in other words but answers
    alike shows here and not in `changes`.
    """
    for effect, has, lacks in (("removed", before, after), ("added", after, before)):
        known = {_meaning(rule) for rule in lacks.rules}
        for rule in has.rules:
            if _meaning(rule) not in known:
                yield Said(effect, rule.id, ",".join(rule.cells))


def _meaning(rule: Rule) -> tuple[object, ...]:
    return rule.roles, rule.actions, rule.labels, rule.sensitivities, rule.facts, rule.allows


def _opens_more(one: Cell, other: Cell) -> bool:
    """Say whether some facts open the first cell and not the second."""
    if _shuts(other) & ~_shuts(one) and one.ways():
        return True
    harder = bool(other.needs & ~one.needs)
    return any(
        not any(known & way == known and not (harder and known & Fact.DUTIES) for known in other.ways())
        for way in one.ways()
    )


def _shuts(cell: Cell) -> int:
    return cell.mask & int(Fact.WALLED | Fact.SUSPENDED | Fact.NARROWED)


def _alike(matrix: Matrix, role: Role, action: Action) -> dict[tuple[frozenset[int], int], set[tuple[str, str]]]:
    """Group the cells of a role and action by what they answer."""
    groups: dict[tuple[frozenset[int], int], set[tuple[str, str]]] = {}
    for label, sensitivity in cells_of(action):
        cell = matrix.cell(role, action, label, sensitivity)
        ways = frozenset(cell.ways())
        groups.setdefault((ways, cell.needs if ways else 0), set()).add((label, sensitivity))
    return groups


def _blocks(action: Action, cells: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Write a set of cells as few (labels, sensitivities) rows: labels with the same sensitivities together."""
    if action not in DOCUMENT_ACTIONS:
        yield NONE, NONE
        return
    reach: dict[str, set[str]] = {}
    for label, sensitivity in cells:
        reach.setdefault(label, set()).add(sensitivity)
    rows: dict[tuple[str, ...], list[str]] = {}
    for label in (word for word in Label if word in reach):
        rows.setdefault(tuple(word for word in Sensitivity if word in reach[label]), []).append(label)
    for sensitivities, labels in rows.items():
        yield _shortened(labels, len(Label)), _shortened(sensitivities, len(Sensitivity))


def _shortened(words: Iterable[str], all_of_them: int) -> str:
    listed = list(words)
    return ANY if len(listed) == all_of_them else " ".join(listed)
