"""The policy as an immutable snapshot: loaded once, asked through Casbin, answers remembered.

Rules kept here:

* this is the only module of the service that imports casbin, and Casbin alone says yes or no: what is derived (which
  facts are missing, what a role may ever hold, the conditions that lists are compiled from) is found by asking it;
* a snapshot never changes. A reload builds another and swaps the reference; if it cannot be built the old one stays.
  (Reloading one enforcer under its readers let a departed user in, thousands of times a minute.)
* what Casbin sees is text from our own vocabulary; a name, an id or anything else a user wrote never reaches it;
* an exception, an answer without a rule, an unknown word: refused, with the rule `ERROR`;
* each (role, action) has an enforcer of its own that holds the rules about it, so an answer costs a handful of rules
  (a test compares it with one enforcer that holds all). Answers are remembered by the facts that those rules mention:
  the memory is bounded by the domain, and a repeated answer is two look-ups.

It does not read the database, know a person, or word a refusal (service/scoping/facts.py, answers.py).

Source: policies/README.md; docs/adr/0005-policy.md.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

import casbin
from casbin.model import FunctionMap

from service.errors import PolicyError
from service.scoping.actions import (
    DENYING,
    DOCUMENT_ACTIONS,
    NONE,
    SENSITIVITY_RANK,
    Action,
    Fact,
    Label,
    Role,
    Sensitivity,
)
from service.scoping.answers import ANSWERS_FILE, AnswerTable
from service.scoping.factwords import FACT_WORDS
from service.scoping.rules import ANY, DutyRow, Rule, epoch_of, needs_of, read_bytes, read_duties, read_rules

EPOCH_FILES: Final = ("model.conf", "policy.csv", "duties.csv", ANSWERS_FILE)
MODEL_SHA256: Final = "dc23032a23e049d9a9581fdd615baddb43af68b05b78dbd25c042c6d29800558"
"""The model is code: it changes together with this line, its tests and an ADR, or not at all."""

NO_RULE: Final = "none"
ERROR: Final = "error"
_DENYING: Final = int(DENYING)


class Answer(NamedTuple):
    """What the policy says to one question.

    `missing` is the smallest set of facts that would have to be added for a yes (0 for a yes, and where no facts would
    help); `blocking` are the facts that shut it whatever else is true.
    """

    allowed: bool
    rule: str  # policy.csv:<n> that decided; NO_RULE; ERROR
    missing: int
    blocking: int


class Condition(NamedTuple):
    """One way to a yes: all of `facts`, the duties `needs`, for these (label, sensitivity) pairs."""

    facts: int
    needs: int
    cells: frozenset[tuple[str, str]]


REFUSED_BY_ERROR: Final = Answer(False, ERROR, 0, 0)


# The three functions that the matcher may call ----------------------------------------------------------------------


def covers(cell: str, asked: str) -> bool:
    """Say whether a rule's cell is ``*`` or lists the word that is asked about. Nothing is a pattern.

    Raises:
        ValueError: one of them is empty: an empty policy would otherwise be asked with empty cells and could say yes.
    """
    if not cell or not asked:
        raise ValueError("empty")
    return cell == ANY or asked in cell.split(" ")


def at_most(sensitivity: str, ceiling: str) -> bool:
    """Say whether a sensitivity is within a rule's ceiling; ``-`` (no document) is only within ``-`` and ``*``.

    Raises:
        KeyError: a word that is no sensitivity.
    """
    if ceiling == ANY or NONE in (sensitivity, ceiling):
        return ceiling in (ANY, sensitivity)
    return SENSITIVITY_RANK[sensitivity] <= SENSITIVITY_RANK[ceiling]


def holds(facts: str, needed: str) -> bool:
    """Say whether all needed fact words are among those that are true; ``-`` needs none.

    Raises:
        ValueError: one of them is empty.
    """
    if not facts or not needed:
        raise ValueError("empty")
    return needed == NONE or set(needed.split(" ")) <= set(facts.split(" "))


# Casbin -------------------------------------------------------------------------------------------------------------


def _silent() -> logging.Logger:
    """Return a logger of no hierarchy that says nothing: Casbin logs whole requests, also refused ones."""
    return logging.Logger("muniment.casbin", level=logging.CRITICAL + 1)  # noqa: LOG001  # on purpose outside the tree


class _Bench:
    """One enforcer with the rules about one role and one action. Never changed after it is built."""

    __slots__ = ("_enforcer", "_head", "_lock", "mask")

    def __init__(self, model: str, rules: Iterable[Rule], role: Role, action: Action) -> None:
        about = [rule for rule in rules if role in rule.roles and action in rule.actions]
        self.mask = 0
        for rule in about:
            self.mask |= int(rule.facts)
        self._head = (role.value, action.value)
        self._lock = threading.Lock()  # casbin fills tables of its own while it is asked: two at once make it raise
        self._enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=model))
        self._enforcer.logger = _silent()
        functions = FunctionMap()  # instead of Casbin's own: no regexMatch, no keyMatch, nothing but these
        for function in (covers, at_most, holds):
            functions.add_function(function.__name__, function)
        self._enforcer.fm = functions
        # Casbin names the first deny, or else the last allow, that matched: allows go in backwards, so that the rule
        # named is always the first of the file.
        for rule in [r for r in about if not r.allows] + [r for r in reversed(about) if r.allows]:
            self._enforcer.model.add_policy("p", "p", [rule.id, *rule.cells])

    def ask(self, label: str, sensitivity: str, facts: int) -> tuple[bool, str]:
        """Return Casbin's verdict and the rule it rests on; anything unexpected is a no."""
        try:
            words = " ".join(FACT_WORDS[facts]) or NONE
            with self._lock:
                allowed, rule = self._enforcer.enforce_ex(*self._head, label, sensitivity, words)
        except Exception:  # noqa: BLE001  # whatever went wrong inside, the answer is no
            return False, ERROR
        if allowed is not True:
            return False, str(rule[0]) if rule and rule[-1] == "deny" else NO_RULE
        if not rule or rule[-1] != "allow":  # a yes that no rule gave: enforcement switched off, an empty policy
            return False, ERROR
        return True, str(rule[0])


class Cell:
    """All answers for one (role, action, label, sensitivity), each asked of Casbin once."""

    __slots__ = ("_answers", "_bench", "_label", "_sensitivity", "_ways", "mask", "needs")

    def __init__(self, bench: _Bench, label: str, sensitivity: str, needs: int) -> None:
        self.mask = bench.mask  # the facts that matter here
        self.needs = needs  # duties
        self._bench, self._label, self._sensitivity = bench, label, sensitivity
        self._answers: dict[int, Answer] = {}
        self._ways: tuple[int, ...] | None = None

    def answer(self, facts: int) -> Answer:
        """Return the answer for these facts (a mask of `Fact`)."""
        return self._answers.get(facts & self.mask) or self._ask(facts & self.mask)

    def _ask(self, facts: int) -> Answer:
        allowed, rule = self._bench.ask(self._label, self._sensitivity, facts)
        if rule == ERROR:
            return REFUSED_BY_ERROR  # not remembered: the next one asks again
        answer = Answer(allowed, rule, 0, 0) if allowed else self._refusal(rule, facts)
        self._answers[facts] = answer
        return answer

    def _refusal(self, rule: str, facts: int) -> Answer:
        missing = min(
            (way & ~facts for way in self.ways()), key=lambda lacking: (lacking.bit_count(), lacking), default=0
        )
        return Answer(False, rule, missing, facts & _DENYING if rule != NO_RULE else 0)

    def ways(self) -> tuple[int, ...]:
        """Return the smallest sets of facts that get a yes; none when nothing ever does."""
        if self._ways is None:
            self._ways = tuple(self._find_ways())
        return self._ways

    def _find_ways(self) -> list[int]:
        opening = self.mask & ~_DENYING
        found: list[int] = []
        if not self._bench.ask(self._label, self._sensitivity, opening)[0]:
            return found  # more never denies: what all facts together do not open stays shut
        single = [1 << n for n in range(opening.bit_length()) if opening >> n & 1]
        always = sum(bit for bit in single if not self._bench.ask(self._label, self._sensitivity, opening & ~bit)[0])
        others = [bit for bit in single if not bit & always]  # without the facts in `always` nothing opens
        for size in range(len(others) + 1):
            for chosen in combinations(others, size):
                facts = always | sum(chosen)
                if any(way & facts == way for way in found):
                    continue
                if self._bench.ask(self._label, self._sensitivity, facts)[0]:
                    found.append(facts)
        return found


class _NoCell(Cell):
    """The answer to a question with a word that is not ours (a damaged row): refused, and never remembered."""

    __slots__ = ()

    def __init__(self) -> None:
        self.mask = self.needs = 0
        self._ways = ()

    def answer(self, facts: int) -> Answer:  # noqa: ARG002  # the same for all facts
        return REFUSED_BY_ERROR


# The snapshot -------------------------------------------------------------------------------------------------------


def cells_of(action: Action) -> Iterator[tuple[str, str]]:
    """Yield the (label, sensitivity) pairs that an action can be asked with."""
    if action in DOCUMENT_ACTIONS:
        yield from ((label, sensitivity) for label in Label for sensitivity in Sensitivity)
    else:
        yield NONE, NONE


class Matrix:
    """One version of the policy. `Matrix.load` is the way to get one."""

    __slots__ = (
        "_benches", "_cells", "_conditions", "_model", "_needs", "answers", "base", "epoch", "made", "overlaid", "rules"
    )  # fmt: skip

    def __init__(
        self, epoch: str, model: str, rules: tuple[Rule, ...], duties: Iterable[DutyRow], answers: AnswerTable
    ):
        self.epoch = epoch
        self.rules = rules
        self.answers = answers
        self._model = model
        self._needs: Mapping[tuple[str, str, str], int] = _added_up(duties)
        self._benches: dict[tuple[Role, Action], _Bench] = {}
        self._cells: dict[tuple[str, str, str, str], Cell] = {}
        self._conditions: dict[tuple[str, str], tuple[Condition, ...]] = {}
        self.made: dict[Hashable, Any] = {}  # statements that listing.py compiled from this snapshot
        self.base = self
        self.overlaid: dict[str, Matrix] = {}  # what service/scoping/inforce.py made of it, by overlay

    @classmethod
    def load(cls, folder: Path) -> Matrix:
        """Read the policy files of a folder; PolicyError: one is missing, or `of` raises it."""
        return cls.of([read_bytes(folder, name) for name in EPOCH_FILES])

    @classmethod
    def of(cls, contents: Sequence[bytes]) -> Matrix:
        """Check the policy files, given in the order of `EPOCH_FILES`.

        Raises:
            PolicyError: anything in them is not exactly as policies/README.md says.
        """
        model, policy, duties, answers = contents
        if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
            raise PolicyError("model.conf is not the model that this version was tested with.")
        rules = read_rules(policy)
        return cls(epoch_of(contents), model.decode(), rules, read_duties(duties, rules), AnswerTable.read(answers))

    def with_rules(self, epoch: str, rules: tuple[Rule, ...]) -> Matrix:
        """Return a snapshot of other rules: the same model, duties and answers."""
        other = Matrix(epoch, self._model, rules, (), self.answers)
        other._needs, other.base = self._needs, self
        return other

    def keep(self, text: str, snapshot: Matrix, most: int) -> Matrix:
        """Keep a snapshot that an overlay made of this one, and return it; the oldest of too many goes."""
        self.overlaid = dict([*self.overlaid.items(), (text, snapshot)][-most:])  # readers hold the old one or the new
        return snapshot

    def cell(self, role: str, action: str, label: str, sensitivity: str) -> Cell:
        """Return the answers for these words; words that are not ours get a cell that refuses everything."""
        found = self._cells.get((role, action, label, sensitivity))
        return found if found is not None else self._make_cell(role, action, label, sensitivity)

    def answer(self, role: str, action: str, label: str, sensitivity: str, facts: int) -> Answer:
        """Return the answer for these words and facts (a mask of `Fact`)."""
        return self.cell(role, action, label, sensitivity).answer(facts)

    def needs(self, role: str, action: str, label: str) -> int:
        """Return the mask of duties that must be in force for this role, action and label."""
        return self._needs.get((role, action, label), 0)

    def ceiling_allows(self, role: str, action: str, label: str, sensitivity: str) -> bool:
        """Say whether this role may ever do this: with every duty done, a grant in hand, everything open."""
        return bool(self.cell(role, action, label, sensitivity).ways())

    def role_may(self, role: str, action: str) -> bool:
        """Say whether this role may ever do this with anything at all."""
        return bool(self.alternatives(role, action))

    def alternatives(self, role: str, action: str) -> tuple[Condition, ...]:
        """Return every way to a yes for a role and action: what lists are compiled from.

        A thing is allowed exactly when, for one condition, its (label, sensitivity) is among the cells and all facts
        hold (the fact `duties` being: all of `needs` in force) and nothing denies.
        """
        known = self._conditions.get((role, action))
        if known is None:
            known = self._conditions[role, action] = self._find_conditions(role, action)
        return known

    def _find_conditions(self, role: str, action: str) -> tuple[Condition, ...]:
        grouped: dict[tuple[int, int], set[tuple[str, str]]] = {}
        for label, sensitivity in cells_of(Action(action)):
            cell = self.cell(role, action, label, sensitivity)
            for way in cell.ways():
                needs = cell.needs if way & Fact.DUTIES else 0
                grouped.setdefault((way, needs), set()).add((label, sensitivity))
        return tuple(Condition(way, needs, frozenset(cells)) for (way, needs), cells in sorted(grouped.items()))

    def denials(self, role: str, action: str) -> int:
        """Return the mask of facts each of which alone shuts this action for this role."""
        label, sensitivity = next(cells_of(Action(action)))
        cell = self.cell(role, action, label, sensitivity)
        facts = (1 << n for n in range(_DENYING.bit_length()) if _DENYING >> n & 1)
        return sum(fact for fact in facts if cell.answer(fact | cell.mask & ~_DENYING).blocking)

    def about(self, role: Role, action: Action) -> tuple[object, ...]:
        """Return all that the answers for a role and action follow from: its rules in their order, and its duties."""
        rules = tuple(rule.cells[2:] for rule in self.rules if role in rule.roles and action in rule.actions)
        labels = dict.fromkeys(label for label, _ in cells_of(action))
        return rules, tuple(self.needs(role, action, label) for label in labels)

    def _make_cell(self, role: str, action: str, label: str, sensitivity: str) -> Cell:
        try:
            known = (Role(role), Action(action))
            if (label, sensitivity) not in frozenset(cells_of(known[1])):
                return _NoCell()
        except ValueError:
            return _NoCell()
        if self.base is not self and self.about(*known) == self.base.about(*known):
            return self._cells.setdefault(
                (role, action, label, sensitivity), self.base.cell(*known, label, sensitivity)
            )
        bench = self._benches.get(known)
        if bench is None:
            bench = self._benches[known] = _Bench(self._model, self.rules, *known)
        cell = Cell(bench, label, sensitivity, self.needs(role, action, label))
        return self._cells.setdefault((str(role), str(action), str(label), str(sensitivity)), cell)


def _added_up(duties: Iterable[DutyRow]) -> dict[tuple[str, str, str], int]:
    needs: dict[tuple[str, str, str], int] = {}
    for key, mask in needs_of(duties):
        needs[key] = needs.get(key, 0) | int(mask)
    return needs


class MatrixHolder:
    """The snapshot in force. Readers take `current` once per decision; a reload swaps the reference."""

    __slots__ = ("_folder", "_lock", "current")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.current = Matrix.load(folder)

    def reload(self) -> Matrix:
        """Load the folder again and return what is in force now.

        Raises:
            PolicyError: it cannot be loaded; the snapshot in force stays.
        """
        with self._lock:
            loaded = Matrix.load(self._folder)
            if loaded.epoch != self.current.epoch:
                self.current = loaded
            return self.current
