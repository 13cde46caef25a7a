"""The policy files read and checked, before anything is built from them.

Rules kept here:

* whoever reads a file gets every row of it or a `PolicyError` that names file and line: never a part;
* a cell is ``*`` (any), ``-`` (none) or words of our vocabulary separated by one space; nothing is a pattern, nothing
  is trimmed, nothing is guessed: ``DENY``, `` allow`` and an empty cell are errors;
* allow rules may name only facts that open, deny rules only facts that shut, so that more of an opening fact never
  takes anything away (the policy is monotone by its syntax; tests prove it over the whole domain);
* what no policy of ours may ever say is refused here: a document rule for owner or reviewer (who may be told titles
  that an attorney disclosed to him), `attorney_only` or a
  missing condition for a vendor role, asking unseen for what is above confidential or could never be granted, a content
  that anybody but an attorney replaces although it was confirmed, a deny that does not reach everybody.

It does not decide anything: service/scoping/matrix.py asks Casbin.

Source: policies/README.md; docs/adr/0005-policy.md.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from service.errors import PolicyError
from service.scoping.actions import (
    ASKING_ACTIONS,
    DENYING,
    DOCUMENT_ACTIONS,
    NONE,
    VENDOR_ROLES,
    Action,
    Duty,
    Fact,
    Label,
    Role,
    Sensitivity,
)

W = TypeVar("W", bound=StrEnum)
F = TypeVar("F", bound=IntFlag)

ANY: Final = "*"
MAX_FILE_BYTES: Final = 1 << 20
POLICY_COLUMNS: Final = ("role", "action", "label", "sensitivity", "facts", "effect")
DUTIES_COLUMNS: Final = ("role", "action", "label", "duties")

NO_DOCUMENT_ROLES: Final = frozenset({Role.OWNER, Role.REVIEWER, Role.VENDOR_MANAGER})
STILL_ASKED_WHEN_SUSPENDED: Final = frozenset({Action.ME_READ})

_VENDOR_NEEDS: Final = Fact.LIVE | Fact.DUTIES | Fact.WINDOW
_NEEDS_ONE_OF: Final = Fact.ASSIGNED | Fact.OWN | Fact.ASKED | Fact.KNOWN | Fact.BREAK_GLASS | Fact.DISCLOSED
_TITLES_NEED: Final = Fact.DISCLOSED | Fact.WINDOW
_SEEN_BY_ASKING: Final = frozenset({Sensitivity.ROUTINE, Sensitivity.CONFIDENTIAL})


class Row(NamedTuple):
    """One row of a policy file with where it stands."""

    where: str  # file name and line, for messages
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One checked rule of policy.csv; `cells` is what Casbin gets."""

    id: str  # policy.csv:<n>, n counts rules from 1
    where: str
    cells: tuple[str, ...]
    roles: frozenset[Role]
    actions: frozenset[Action]
    labels: frozenset[str]
    sensitivities: frozenset[str]
    facts: Fact
    allows: bool


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One checked row of duties.csv."""

    roles: frozenset[Role]
    actions: frozenset[Action]
    labels: frozenset[str]
    duties: Duty


def epoch_of(contents: Iterable[bytes]) -> str:
    """Return the policy epoch: hex SHA-256 over each file as 8 bytes of big-endian length and its bytes.

    Source: policies/README.md; audit/FORMAT.md computes the same.
    """
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def read_bytes(folder: Path, name: str) -> bytes:
    """Return a policy file's bytes.

    Raises:
        PolicyError: it is not there, cannot be read, or is larger than 1 MiB.
    """
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise PolicyError(f"policies/{name} cannot be read.") from error
    if len(data) > MAX_FILE_BYTES:
        raise PolicyError(f"policies/{name} is larger than 1 MiB.")
    return data


def read_rows(name: str, data: bytes, columns: tuple[str, ...]) -> list[Row]:
    """Return the rows of a CSV file below its header line; ``#`` lines and empty lines are left out.

    Raises:
        PolicyError: not plain printable UTF-8 (a byte order mark is not), no header, no row, a wrong number of
            columns, an empty cell, or a space at the edge of a cell.
    """
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{name} is not UTF-8.") from error
    rows = [_row(f"{name}, line {n}", line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not rows or rows[0].cells != columns:
        raise PolicyError(f"{name} does not begin with the columns {', '.join(columns)}.")
    if len(rows) == 1:
        raise PolicyError(f"{name} holds no rows.")
    for row in rows:
        _check_cells(row, len(columns))
    return rows[1:]


def _row(where: str, line: str) -> Row:
    if not line.isprintable():  # control characters, direction marks, byte order mark, carriage return
        raise PolicyError(f"{where}: characters that cannot be seen.")
    try:
        cells = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise PolicyError(f"{where}: quotes that do not match.") from error
    return Row(where, tuple(cells))


def _check_cells(row: Row, width: int) -> None:
    if len(row.cells) != width:
        raise PolicyError(f"{row.where}: {len(row.cells)} columns instead of {width}.")
    if any(not cell or cell != cell.strip() for cell in row.cells):
        raise PolicyError(f"{row.where}: an empty cell, or a space at the edge of one.")


def one_of(row: Row, column: str, cell: str, known: type[W]) -> W:
    """Return the one word of a cell.

    Raises:
        PolicyError: the word is unknown.
    """
    try:
        return known(cell)
    except ValueError as error:
        raise PolicyError(f"{row.where}: {column} holds the unknown word {cell[:40]!r}.") from error


def words(row: Row, column: str, cell: str, known: type[W]) -> frozenset[W]:
    """Return the words of a cell: ``*`` is every word of the vocabulary.

    Raises:
        PolicyError: an unknown word, or the same word twice.
    """
    if cell == ANY:
        return frozenset(known)
    parts = [one_of(row, column, part, known) for part in cell.split(" ")]
    if len(set(parts)) != len(parts):
        raise PolicyError(f"{row.where}: a word stands twice in {column}.")
    return frozenset(parts)


def bits(row: Row, column: str, cell: str, known: type[F]) -> F:
    """Return the mask of a cell of fact or duty words; ``-`` is none.

    Raises:
        PolicyError: an unknown word, or the same word twice.
    """
    mask = known(0)
    for part in [] if cell == NONE else cell.split(" "):
        bit = known.__members__.get(part.upper()) if part == part.lower() else None
        if bit is None or bit in mask:
            raise PolicyError(f"{row.where}: {column} holds an unknown or repeated word {part[:40]!r}.")
        mask |= bit
    return mask


# policy.csv -----------------------------------------------------------------------------------------------------------


def read_rules(data: bytes) -> tuple[Rule, ...]:
    """Return the checked rules of policy.csv, in file order.

    Raises:
        PolicyError: see the module's rules.
    """
    rules: list[Rule] = []
    seen: dict[tuple[object, ...], Rule] = {}
    for number, row in enumerate(read_rows("policy.csv", data, POLICY_COLUMNS), 1):
        rule = _rule(number, row)
        meaning = (rule.roles, rule.actions, rule.labels, rule.sensitivities, rule.facts)
        if meaning in seen:
            raise PolicyError(f"{rule.where}: the same as {seen[meaning].where}.")
        seen[meaning] = rule
        rules.append(rule)
    _check_denies(rules)
    _check_reach(rules)
    return tuple(rules)


def _rule(number: int, row: Row) -> Rule:
    role, action, label, sensitivity, facts, effect = row.cells
    if effect not in ("allow", "deny"):
        raise PolicyError(f"{row.where}: effect is neither allow nor deny.")
    rule = Rule(
        id=f"policy.csv:{number}",
        where=row.where,
        cells=row.cells,
        roles=words(row, "role", role, Role),
        actions=words(row, "action", action, Action),
        labels=frozenset({NONE}) if label == NONE else frozenset(words(row, "label", label, Label)),
        sensitivities=_up_to(row, sensitivity),
        facts=bits(row, "facts", facts, Fact),
        allows=effect == "allow",
    )
    if rule.allows:
        _check_allow(rule)
    elif rule.facts & ~DENYING or not rule.facts or (label, sensitivity) != (ANY, ANY):
        raise PolicyError(f"{row.where}: a deny names walled, suspended or narrowed, and every label and sensitivity.")
    return rule


def _up_to(row: Row, ceiling: str) -> frozenset[str]:
    """Return the sensitivities that a ceiling lets through: ``-`` is for acts without a document."""
    if ceiling == NONE:
        return frozenset({NONE})
    top = Sensitivity.ATTORNEY_ONLY if ceiling == ANY else one_of(row, "sensitivity", ceiling, Sensitivity)
    return frozenset(word for word in Sensitivity if word.rank <= top.rank)


def _check_allow(rule: Rule) -> None:
    """Refuse what no policy may say, whoever wrote it."""
    on_documents = rule.actions & DOCUMENT_ACTIONS
    if rule.cells[1] == ANY:
        raise PolicyError(f"{rule.where}: an allow names its actions.")
    if rule.facts & Fact.BREAK_GLASS and rule.roles - {Role.ATTORNEY}:
        raise PolicyError(f"{rule.where}: break_glass is for attorneys.")
    if rule.facts & DENYING:
        raise PolicyError(f"{rule.where}: an allow may not ask for walled, suspended or narrowed.")
    if on_documents and on_documents != rule.actions:
        raise PolicyError(f"{rule.where}: acts on documents and other acts need rows of their own.")
    if bool(on_documents) != (NONE not in rule.labels) or bool(on_documents) != (NONE not in rule.sensitivities):
        raise PolicyError(f"{rule.where}: label and sensitivity are for acts on documents, and all of those.")
    if on_documents:
        _check_document_rule(rule)


def _check_document_rule(rule: Rule) -> None:
    if rule.actions & {Action.TITLE_READ} or rule.facts & Fact.DISCLOSED:
        _check_titles(rule)
    elif rule.roles & NO_DOCUMENT_ROLES:
        raise PolicyError(f"{rule.where}: owner, reviewer and vendor manager have no acts on documents.")
    if not rule.facts & _NEEDS_ONE_OF:
        raise PolicyError(f"{rule.where}: a document rule asks for assigned, own, asked, known or break_glass.")
    _check_known(rule)
    if Action.DOCUMENT_REVISE in rule.actions and rule.roles - {Role.ATTORNEY} and not rule.facts & Fact.OWN:
        raise PolicyError(f"{rule.where}: what was confirmed is replaced by attorneys; all others ask for own.")
    if not rule.roles & VENDOR_ROLES:
        return
    if Sensitivity.ATTORNEY_ONLY in rule.sensitivities:
        raise PolicyError(f"{rule.where}: attorney_only never reaches a vendor.")
    if Action.DOCUMENT_INSPECT in rule.actions and not rule.facts & Fact.OWN:
        raise PolicyError(f"{rule.where}: what lies hidden in a paper is told to vendors of their own drafts alone.")
    if rule.facts & _VENDOR_NEEDS != _VENDOR_NEEDS:
        raise PolicyError(f"{rule.where}: a vendor's document rule asks for live, duties and window.")


def _check_titles(rule: Rule) -> None:
    """A title alone is told to reviewers, where an attorney opened it to them; that opens nothing else to anybody."""
    if rule.actions != {Action.TITLE_READ} or rule.roles != {Role.REVIEWER}:
        raise PolicyError(f"{rule.where}: title:read and disclosed are for each other and for reviewers alone.")
    if rule.facts & _TITLES_NEED != _TITLES_NEED:
        raise PolicyError(f"{rule.where}: title:read asks for disclosed and window.")


def _check_known(rule: Rule) -> None:
    """What is withheld is only ever asked for, and not even that when it is privileged."""
    if Fact.KNOWN in rule.facts and not (rule.actions <= ASKING_ACTIONS and rule.sensitivities <= _SEEN_BY_ASKING):
        raise PolicyError(f"{rule.where}: known is for asking, up to confidential.")
    if Action.WITHHELD_LIST in rule.actions and Fact.KNOWN not in rule.facts:
        raise PolicyError(f"{rule.where}: what is withheld is listed where it is known.")


def _check_reach(rules: Iterable[Rule]) -> None:
    """Refuse to let a role know of what no grant could ever let it see."""
    seen: set[tuple[str, str, str]] = set()
    known: dict[tuple[str, str, str], Rule] = {}
    for rule in rules:
        cells = set(product(rule.roles, rule.labels, rule.sensitivities)) if rule.allows else set()
        if Action.DOCUMENT_VIEW in rule.actions and Fact.ASSIGNED in rule.facts:
            seen |= cells
        if Fact.KNOWN in rule.facts:
            known |= dict.fromkeys(cells, rule)
    for cell, rule in known.items():
        if cell not in seen:
            raise PolicyError(f"{rule.where}: {cell[0]} may never see {cell[1]} that is {cell[2]}, so not ask for it.")


def _check_denies(rules: Iterable[Rule]) -> None:
    """Refuse a policy in which a wall, a suspension or a narrow token does not reach everybody and every act."""
    for fact in DENYING:
        reached = {
            (role, action)
            for rule in rules
            if not rule.allows and rule.facts == fact
            for role in rule.roles
            for action in rule.actions
        }
        spared = STILL_ASKED_WHEN_SUSPENDED if fact is Fact.SUSPENDED else frozenset()
        for action in Action:
            if action not in spared and not all((role, action) in reached for role in Role):
                raise PolicyError(f"policy.csv: no deny for {str(fact.name).lower()} reaches everybody's {action}.")


# duties.csv -----------------------------------------------------------------------------------------------------------


def read_duties(data: bytes, rules: Iterable[Rule]) -> tuple[DutyRow, ...]:
    """Return the checked rows of duties.csv.

    Raises:
        PolicyError: see the module's rules; or a vendor's document rule of ``rules`` for which no NDA is needed.
    """
    rows = tuple(_duty_row(row) for row in read_rows("duties.csv", data, DUTIES_COLUMNS))
    bound = {
        (role, action, label)
        for row in rows
        if Duty.NDA in row.duties
        for role in row.roles
        for action in row.actions
        for label in row.labels
    }
    for rule in rules:
        if rule.allows and rule.actions <= DOCUMENT_ACTIONS:
            for role in rule.roles & VENDOR_ROLES:
                if any((role, action, label) not in bound for action in rule.actions for label in rule.labels):
                    raise PolicyError(f"duties.csv: no row asks an NDA of {role} for what {rule.id} allows.")
    return rows


def _duty_row(row: Row) -> DutyRow:
    role, action, label, duties = row.cells
    mask = bits(row, "duties", duties, Duty)
    if not mask:
        raise PolicyError(f"{row.where}: a row names at least one duty.")
    labels = frozenset({NONE}) if label == NONE else frozenset[str](words(row, "label", label, Label))
    return DutyRow(words(row, "role", role, Role), words(row, "action", action, Action), labels, mask)


def needs_of(rows: Iterable[DutyRow]) -> Iterator[tuple[tuple[Role, Action, str], Duty]]:
    """Yield ((role, action, label), duties) of every row; what stands twice is meant to be added up."""
    for row in rows:
        for role in row.roles:
            for action in row.actions:
                for label in row.labels:
                    yield (role, action, label), row.duties
