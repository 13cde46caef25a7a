"""Overlays: how one engagement is stricter than the policy for its vendor's people, as rows of text.

Rules kept here:

* a row takes away: it names roles of vendors, acts on documents, labels, a sensitivity from which on it holds, and
  either ``never`` or facts that must hold besides. There is no word for giving, so nothing looser can be written;
* an overlay has one spelling (`Overlay.text`): words in the order of the vocabulary, ``*`` for all, rows sorted.
  Whatever else is read from a row of the database is no overlay, and then nothing is open (`service.scoping.inforce`);
* the result is rules of the same form, for the same enforcers: each allow rule that a row touches is narrowed, and
  split where labels or sensitivities come out differently; a deny is never touched;
* what holds for knowing of a document holds for looking at it, what holds for that for reading its text, and what holds
  for that for carrying it away; what one may never look at one cannot ask for either.

It decides nothing and proves nothing: `service.scoping.inforce` has Casbin say that nothing is gained.

Source: policies/README.md; docs/adr/0022-overlay.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from service.errors import PolicyError
from service.scoping.actions import (
    ASKING_ACTIONS,
    SENSITIVITY_RANK,
    VENDOR_ROLES,
    Action,
    Fact,
    Label,
    Role,
    Sensitivity,
    words_of,
)
from service.scoping.rules import ANY, Row, Rule, bits, one_of, words

W = TypeVar("W", bound=StrEnum)

NEVER: Final = "never"
MAX_ROWS: Final = 24
MAX_BYTES: Final = 2048  # of the whole text: it stands in one entry of the log, which has at most 4,096
COLUMNS: Final = ("role", "action", "label", "sensitivity", "needs")

ROLES: Final = frozenset(VENDOR_ROLES - {Role.VENDOR_MANAGER})
"""Who has acts on documents at all."""

ACTIONS: Final = frozenset(
    {
        Action.ACCESS_REQUEST_CREATE,
        Action.DOCUMENT_ADD,
        Action.DOCUMENT_DOWNLOAD,
        Action.DOCUMENT_INSPECT,
        Action.DOCUMENT_LIST,
        Action.DOCUMENT_REVISE,
        Action.DOCUMENT_TAKE_BACK,
        Action.DOCUMENT_TEXT,
        Action.DOCUMENT_VIEW,
        Action.WITHHELD_LIST,
    }
)
FACTS: Final = Fact.ASSIGNED | Fact.STEPPED_UP
"""Facts that a row may ask for: the others say nothing of a vendor's person before a document, or are asked already."""

_REACHED: Final = ACTIONS | {Action.MISDIRECTION_CREATE}
"""What a row may hold for: an overlay has no words against "not meant for me", but must not let the answer tell."""

_DEEPER: Final = (Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW, Action.DOCUMENT_TEXT, Action.DOCUMENT_DOWNLOAD)
"""Each of these means the ones before it."""


class OverlayRow(NamedTuple):
    """One checked row; `needs` is None for never."""

    roles: frozenset[Role]
    actions: frozenset[Action]
    labels: frozenset[Label]
    floor: Sensitivity  # this one and all above it
    needs: Fact | None

    def text(self) -> str:
        """Return its one spelling."""
        needs = NEVER if self.needs is None else " ".join(words_of(self.needs))
        floor = ANY if self.floor is Sensitivity.ROUTINE else self.floor.value
        cells = (_cell(self.roles, ROLES, Role), _cell(self.actions, ACTIONS, Action), _cell(self.labels, Label, Label))
        return ",".join((*cells, floor, needs))

    def reach(self) -> frozenset[Action]:
        """Return the acts that it holds for: those it names, and what would be a way around them."""
        deeper = frozenset(act for n, act in enumerate(_DEEPER) if self.actions & set(_DEEPER[: n + 1]))
        unseen = self.needs is None and Action.DOCUMENT_VIEW in deeper
        inspected = frozenset({Action.DOCUMENT_INSPECT}) if Action.DOCUMENT_VIEW in deeper else frozenset()
        # Of what one may never know, an answer to "not meant for me" would tell that it is there.
        unknown = self.needs is None and Action.DOCUMENT_LIST in deeper
        told = frozenset({Action.MISDIRECTION_CREATE}) if unknown else frozenset()
        return self.actions | deeper | inspected | told | (ASKING_ACTIONS if unseen else frozenset())


@dataclass(frozen=True, slots=True)
class Overlay:
    """The checked rows of one engagement, in the order of their spelling."""

    rows: tuple[OverlayRow, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The rows as they are stored, logged and shown."""
        return tuple(row.text() for row in self.rows)

    @property
    def text(self) -> str:
        """The one spelling of the whole: rows joined by line feeds; empty when there is none."""
        return "\n".join(self.lines)

    @classmethod
    def read(cls, lines: Sequence[str]) -> Overlay:
        """Read rows as somebody wrote them.

        Raises:
            PolicyError: more than `MAX_ROWS`, longer than `MAX_BYTES`, or a row that is not of the form.
        """
        if len(lines) > MAX_ROWS:
            raise PolicyError(f"an overlay has at most {MAX_ROWS} rows.")
        rows = {row.text(): row for row in (_row(f"row {n}", line) for n, line in enumerate(lines, 1))}
        overlay = cls(tuple(rows[text] for text in sorted(rows)))
        if len(overlay.text.encode()) > MAX_BYTES:
            raise PolicyError(f"an overlay has at most {MAX_BYTES} bytes: name fewer words in a row, or use *.")
        return overlay

    @classmethod
    def stored(cls, text: str) -> Overlay:
        """Read what `text` wrote, and no other spelling of it.

        Raises:
            PolicyError: anything else.
        """
        overlay = cls.read(text.split("\n") if text else ())
        if overlay.text != text:
            raise PolicyError("the overlay is not in its one spelling.")
        return overlay


def _cell(found: frozenset[W], everything: Iterable[W], known: type[W]) -> str:
    return ANY if found == frozenset(everything) else " ".join(word for word in known if word in found)


def _row(where: str, line: str) -> OverlayRow:
    cells = tuple(line.split(","))
    if len(cells) != len(COLUMNS) or not all(cells) or not line.isprintable():
        raise PolicyError(f"{where}: write {', '.join(COLUMNS)}, separated by commas and nothing else.")
    row = Row(where, cells)
    role, action, label, floor, needs = cells
    found = OverlayRow(
        roles=ROLES if role == ANY else words(row, "role", role, Role),
        actions=ACTIONS if action == ANY else words(row, "action", action, Action),
        labels=words(row, "label", label, Label),
        floor=Sensitivity.ROUTINE if floor == ANY else one_of(row, "sensitivity", floor, Sensitivity),
        needs=None if needs == NEVER else bits(row, "needs", needs, Fact),
    )
    _check(where, found)
    return found


def _check(where: str, row: OverlayRow) -> None:
    if row.roles - ROLES:
        raise PolicyError(f"{where}: an overlay is about roles of the vendor that work on documents.")
    if row.actions - ACTIONS:
        raise PolicyError(f"{where}: an overlay is about acts on documents that a vendor's people may do.")
    if row.needs is None:
        return
    if not row.needs or row.needs & ~FACTS:
        raise PolicyError(f"{where}: needs is never, or words of {', '.join(words_of(FACTS))}.")
    if Action.WITHHELD_LIST in row.actions:
        raise PolicyError(f"{where}: withheld:list is taken away as a whole: write never.")
    if row.needs & Fact.STEPPED_UP and Action.DOCUMENT_LIST in row.actions:
        raise PolicyError(f"{where}: nobody proves himself again for a list; ask for it where one looks.")


# Narrowing ------------------------------------------------------------------------------------------------------------


def narrowed(rules: Iterable[Rule], overlay: Overlay) -> tuple[Rule, ...]:
    """Return the rules as an overlay leaves them, in their order; what comes of a rule keeps its id."""
    found: list[Rule] = []
    for rule in rules:
        touched = rule.roles & ROLES if rule.allows and rule.actions & _REACHED else frozenset()
        if not touched:
            found.append(rule)
            continue
        if rule.roles - touched:
            found.append(_written(rule, roles=rule.roles - touched))
        pairs = ((role, act) for role in Role if role in touched for act in Action if act in rule.actions)
        for role, act in pairs:
            found += _narrowed(rule, role, act, overlay)
    return tuple(found)


def shut(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules without any that opens a running engagement to a vendor's people: nobody of them works there.

    What remains is what they may do about themselves, and reading and signing agreements.
    """
    found: list[Rule] = []
    for rule in rules:
        if not rule.allows or not rule.facts & Fact.LIVE or not rule.roles & VENDOR_ROLES:
            found.append(rule)
        elif rule.roles - VENDOR_ROLES:
            found.append(_written(rule, roles=rule.roles - VENDOR_ROLES))
    return tuple(found)


Step = tuple[str, Fact]
"""Up to this sensitivity, with these facts."""


def _narrowed(rule: Rule, role: Role, action: Action, overlay: Overlay) -> Iterator[Rule]:
    """Split a rule about one role and act: labels with the same steps together, a rule for each step."""
    rows = [row for row in overlay.rows if role in row.roles and action in row.reach()]
    groups: dict[tuple[Step, ...], set[str]] = {}
    for label in rule.labels:
        about = [row for row in rows if label in row.labels]
        groups.setdefault(tuple(_steps(rule, about)), set()).add(label)
    for steps, labels in sorted(groups.items(), key=lambda group: sorted(group[1])):
        for ceiling, facts in steps:
            yield _written(
                rule,
                roles=frozenset({role}),
                actions=frozenset({action}),
                labels=frozenset(labels),
                ceiling=ceiling,
                facts=facts,
            )


def _steps(rule: Rule, rows: Sequence[OverlayRow]) -> Iterator[Step]:
    """Yield each sensitivity below which no more is asked; rows hold upwards, so what is asked for only grows."""
    asked: Step | None = None
    for sensitivity in sorted(rule.sensitivities, key=SENSITIVITY_RANK.__getitem__):
        holding = [row.needs for row in rows if SENSITIVITY_RANK[sensitivity] >= row.floor.rank]
        if None in holding:
            break
        facts = rule.facts
        for needs in holding:
            facts |= needs or Fact(0)
        if asked is not None and asked[1] != facts:
            yield asked
        asked = (sensitivity, facts)
    if asked is not None:
        yield asked


def _written(
    rule: Rule,
    *,
    roles: frozenset[Role],
    actions: frozenset[Action] | None = None,
    labels: frozenset[str] | None = None,
    ceiling: str | None = None,
    facts: Fact | None = None,
) -> Rule:
    """Write a rule again for some of what it is about, its cells too: they are what Casbin gets.

    A cell that says the same stays as it was written, so that what no row touches is seen to be untouched.
    """
    actions, labels = actions or rule.actions, labels or rule.labels
    facts = rule.facts if facts is None else facts
    within = rule.sensitivities
    if ceiling is not None:
        within = frozenset(word for word in within if SENSITIVITY_RANK[word] <= SENSITIVITY_RANK[ceiling])
    cells = (
        " ".join(role for role in Role if role in roles),
        " ".join(action for action in Action if action in actions),
        rule.cells[2] if labels == rule.labels else " ".join(label for label in Label if label in labels),
        rule.cells[3] if ceiling is None or within == rule.sensitivities else ceiling,
        rule.cells[4] if facts == rule.facts else " ".join(words_of(facts)),
        rule.cells[5],
    )
    return replace(rule, cells=cells, roles=roles, actions=actions, labels=labels, sensitivities=within, facts=facts)
