"""Faults of the decision code, one small change of source text each, and the suite that must see every one of them.

A fault is put into a copy of the tree in a folder of its own, and the suite runs on that copy in a process of its own:
it is *killed* when a test fails, and has *survived* when all pass. Nothing here changes the tree itself.

``python -m tests.scoping.mutants`` tells for each which test kills it; ``… mutants NAME`` tries one.

Where one survives, the test that is missing is written beside the code that was changed.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = ("service", "audit", "policies", "migrations", "tests", "pyproject.toml")
SUITE: Final = (
    "tests/scoping/test_decide.py",
    "tests/scoping/test_explain.py",
    "tests/scoping/test_authorised.py",
    "tests/scoping/test_matrix.py",
    "tests/test_recipients.py",
    "tests/scoping/test_inspect.py",
    "tests/scoping/test_overlays.py",
    "tests/scoping/test_step_up.py",
    "tests/scoping/test_listing.py",
    "tests/test_door.py",
    "tests/test_acts.py",
    "tests/api/test_grants.py",
    "tests/api/test_moving.py",
    "tests/api/test_hidden.py",
)
"""Quickest first: the first failure ends a run."""
LEFT_OUT: Final = ("postgres", "reloads", "rows_may_exist", "sent_again", "vendor_role_is_ever", "wrong_place")
"""Half of the suite is the same on PostgreSQL; the others are slow and about something else."""
PATIENCE_S: Final = 240
TESTS_FAILED: Final = 1  # pytest's exit codes; 2 and more: it could not even be tried
ALL_PASSED: Final = 0

S, A, D, G, R = ("service/scoping/", "service/acts/", "service/door.py", "service/grants/", "service/recipients.py")


class Mutant(NamedTuple):
    """One fault: in this file, this text, which stands there once, becomes that."""

    name: str
    path: str
    old: str
    new: str


class MutantError(Exception):
    """A mutant cannot be made, or could not be tried: it proves nothing."""


_HIS, _ABLE = (
    "        grant.c.membership_id == MEMBERSHIP,\n",
    "        grant.c.abilities.bitwise_and(ABILITY) == ABILITY,\n",
)
_BEGUN, _KEPT = "        grant.c.not_before <= NOW,\n", "        grant.c.revoked_at > NOW,\n"
_GIVES: Final = f"{_HIS}{_ABLE}{_BEGUN}        grant.c.not_after > NOW,\n{_KEPT}"
"""What makes a grant open, as one text: parts of it stand elsewhere too."""

MUTANTS: Final = (
    # What rows say ---------------------------------------------------------------------------------------------------
    Mutant(
        "a grant opens one second too long", S + "facts.py", _GIVES, _GIVES.replace("_after > NOW", "_after >= NOW")
    ),
    Mutant("a grant opens before it begins", S + "facts.py", _GIVES, _GIVES.replace(_BEGUN, "")),
    Mutant("a revoked grant still opens", S + "facts.py", _GIVES, _GIVES.replace(_KEPT, "")),
    Mutant("any grant carries every ability", S + "facts.py", _GIVES, _GIVES.replace(_ABLE, "")),
    Mutant(
        "one of two abilities is enough",
        S + "facts.py",
        _GIVES,
        _GIVES.replace("(ABILITY) == ABILITY", "(ABILITY) != number(0)"),
    ),
    Mutant("a grant is everybody's", S + "facts.py", _GIVES, _GIVES.replace(_HIS, "")),
    Mutant(
        "a membership lasts one second too long",
        S + "facts.py",
        "return and_(m.c.starts_at <= NOW, m.c.ends_at > NOW)",
        "return and_(m.c.starts_at <= NOW, m.c.ends_at >= NOW)",
    ),
    Mutant(
        "who has left is not shut out",
        S + "facts.py",
        "return or_(m.c.suspended != number(0), m.c.ends_at <= NOW)",
        "return m.c.suspended != number(0)",
    ),
    Mutant(
        "the engagement's end is forgotten",
        S + "facts.py",
        'return and_(e.c.status == word("running"), e.c.starts_at <= NOW, e.c.ends_at > NOW)',
        'return and_(e.c.status == word("running"), e.c.starts_at <= NOW)',
    ),
    Mutant(
        "an engagement that is closing is live",
        S + "facts.py",
        'return and_(e.c.status == word("running"), e.c.starts_at <= NOW, e.c.ends_at > NOW)',
        'return and_(e.c.status != word("disposed"), e.c.starts_at <= NOW, e.c.ends_at > NOW)',
    ),
    Mutant(
        "a wall is ignored in its first second", S + "facts.py", "wall.c.raised_at <= NOW", "wall.c.raised_at < NOW"
    ),
    Mutant(
        "a wall stands before every matter",
        S + "facts.py",
        "return there_is(models.walls.c.matter_id == matter, _stands())",
        "return there_is(_stands())",
    ),
    Mutant(
        "a paper stays one's own one second too long", S + "facts.py", "added_at > OWN_SINCE", "added_at >= OWN_SINCE"
    ),
    Mutant(
        "a confirmed paper is still its adder's own",
        S + "facts.py",
        'd.c.added_by == MEMBERSHIP, d.c.state == word("to_look_at"), ',
        "d.c.added_by == MEMBERSHIP, ",
    ),
    Mutant(
        "what was moved is still there",
        S + "facts.py",
        'd.c.state.in_([word("to_look_at"), word("confirmed")])',
        'd.c.state.in_([word("to_look_at"), word("confirmed"), word("moved")])',
    ),
    Mutant(
        "what was moved leaves no trace",
        S + "facts.py",
        'return or_(is_there(), d.c.state == word("moved"))',
        "return is_there()",
    ),
    Mutant("a title opens the document", S + "decide.py", "if action is Action.TITLE_READ:", "if not action:"),
    Mutant(
        "any disclosure tells a title",
        S + "facts.py",
        "        opening.c.membership_id == MEMBERSHIP,\n",
        "",
    ),
    Mutant("any paper of a disclosure is told", S + "facts.py", "        opening.c.document_id == d.c.id,\n", ""),
    Mutant(
        "a title is told too early", S + "facts.py", "opening.c.not_before <= NOW", "opening.c.not_before <= NOW + 1"
    ),
    Mutant("a title is told too long", S + "facts.py", "opening.c.not_after > NOW", "opening.c.not_after >= NOW"),
    Mutant("an ended disclosure tells", S + "facts.py", "opening.c.ended_at > NOW", "opening.c.ended_at >= NOW"),
    Mutant(
        "a title opens what is no title",
        D,
        '(table, column) == ("documents", "title") and title_of',
        "title_of",
    ),
    Mutant("a lineage opens the document", S + "decide.py", "if action in OPENING_NOTHING:", "if not action:"),
    Mutant("what was moved counts as destroyed", S + "reasons.py", '"moved": State.MOVED', '"moved": State.DISPOSED'),
    Mutant(
        "a lineage tells of ends that one may not see",
        "service/moving/lineage.py",
        "        if not decision.allowed:\n            return\n",
        "",
    ),
    Mutant("grants outlive a move", "service/moving/ending.py", "    end(act, live)\n", ""),
    Mutant(
        "a standing share hands out what was moved here",
        "service/sharing/keeping.py",
        "    ~exists().where(moves.c.to_document_id == documents.c.id),\n",
        "",
    ),
    Mutant(
        "what nobody has looked at can be shared",
        S + "facts.py",
        'return d.c.state == word("confirmed")',
        'return d.c.state != word("taken_back")',
    ),
    Mutant(
        "what nobody has looked at is a coordinator's too",
        S + "facts.py",
        "others = and_(is_shareable(), ~disclaimed())",
        "others = ~disclaimed()",
    ),
    Mutant(
        "what was not meant for a coordinator stays open to him",
        S + "facts.py",
        "others = and_(is_shareable(), ~disclaimed())",
        "others = is_shareable()",
    ),
    Mutant(
        "what one said closes a paper to everybody",
        S + "facts.py",
        "return there_is(said.c.document_id == d.c.id, said.c.person_id == PERSON, said.c.closed_until > NOW)",
        "return there_is(said.c.document_id == d.c.id, said.c.closed_until > NOW)",
    ),
    Mutant(
        "a seat reaches other engagements",
        S + "facts.py",
        "or_(m.c.engagement_id.is_(None), m.c.engagement_id == d.c.engagement_id),",
        "m.c.id == MEMBERSHIP,",
    ),
    Mutant(
        "who left the team is still named",
        S + "facts.py",
        "team.c.person_id == PERSON, team.c.since <= NOW, team.c.until > NOW)",
        "team.c.person_id == PERSON, team.c.since <= NOW)",
    ),
    Mutant(
        "being named goes through a wall",
        S + "facts.py",
        "on_team(part.c.matter_id), ~walled(part.c.matter_id))",
        "on_team(part.c.matter_id))",
    ),
    Mutant(
        "one person is two",
        S + "facts.py",
        "        asked.c.requested_by != PERSON,\n",
        "",
    ),
    Mutant("an ask that was ended still stands", S + "facts.py", "        ask.c.ended_at > NOW,\n", ""),
    Mutant(
        "an ask for one label is for all",
        S + "facts.py",
        "return wanted.where(ask.c.label == LABEL) if for_label else wanted",
        "return wanted",
    ),
    Mutant(
        "a signature counts in every engagement",
        S + "duties.py",
        "return and_(duty.c.engagement_id.in_([engagement, word(ANY)]), duty",
        "return and_(duty.c.engagement_id.is_not(None), duty",
    ),
    Mutant(
        "a duty never runs out",
        S + "duties.py",
        "duty.c.valid_from <= NOW, duty.c.valid_until > NOW)",
        "duty.c.valid_from <= NOW)",
    ),
    Mutant(
        "somebody else's signature counts",
        S + "duties.py",
        "and_(duty.c.subject_id == subject, duty.c.kind.in_",
        "and_(duty.c.subject_id.is_not(None), duty.c.kind.in_",
    ),
    Mutant(
        "what is demanded counts as in force",
        S + "duties.py",
        ".bitwise_and(owed.bitwise_not())",
        ".bitwise_or(owed)",
    ),
    Mutant(
        "a seat in one matter is for the whole house",
        S + "facts.py",
        "return and_(m.c.engagement_id.is_(None), m.c.matter_id.is_(None))",
        "return m.c.engagement_id.is_(None)",
    ),
    Mutant(
        "a seat in one matter reads the log of every other",
        S + "facts.py",
        "reaches = or_(m.c.matter_id.is_(None), m.c.matter_id == matter)",
        "reaches = or_(m.c.matter_id.is_(None), m.c.matter_id.is_not(None))",
    ),
    Mutant(
        "a seat in one matter reads every register",
        S + "facts.py",
        "part.c.engagement_id == e.c.id, part.c.matter_id == m.c.matter_id)",
        "part.c.engagement_id == e.c.id, m.c.matter_id.is_not(None))",
    ),
    Mutant(
        "a walled matter's register is open to its seat",
        S + "facts.py",
        "runs_house(), has_part, ~walled(m.c.matter_id))",
        "runs_house(), has_part)",
    ),
    Mutant(
        "a seat in one matter is told titles of all",
        S + "facts.py",
        "or_(m.c.matter_id.is_(None), m.c.matter_id == d.c.matter_id),",
        "m.c.id == MEMBERSHIP,",
    ),
    Mutant(
        "a matter's team reads what the log says of it",
        S + "decide.py",
        "(Action.AUDIT_READ, Kind.MATTER, True): queries.LOG_OF_MATTER,",
        "(Action.AUDIT_READ, Kind.MATTER, True): queries.MATTER,",
    ),
    Mutant(
        "a walled matter's log is open",
        S + "queries.py",
        "assigned=matter_is_reviewed(_t.c.id),\n        window=window(),\n        walled=walled(_t.c.id),",
        "assigned=matter_is_reviewed(_t.c.id),\n        window=window(),",
    ),
    # Firms apart -----------------------------------------------------------------------------------------------------
    Mutant(
        "another firm's engagement is there",
        S + "queries.py",
        ".where(e.c.id == ENGAGEMENT, e.c.firm_id == FIRM)",
        ".where(e.c.id == ENGAGEMENT)",
    ),
    Mutant(
        "another firm's matter is there",
        S + "queries.py",
        '.where(_t.c.id == bindparam("matter", type_=Text), _t.c.firm_id == FIRM)',
        '.where(_t.c.id == bindparam("matter", type_=Text))',
    ),
    Mutant(
        "another firm's person is there",
        S + "queries.py",
        '.where(_other.c.id == bindparam("other", type_=Text), _other.c.firm_id == FIRM)',
        '.where(_other.c.id == bindparam("other", type_=Text))',
    ),
    Mutant(
        "another firm's document is there",
        S + "queries.py",
        '.where(d.c.id == bindparam("document", type_=Text), d.c.firm_id == FIRM, reaches_document())',
        '.where(d.c.id == bindparam("document", type_=Text), reaches_document())',
    ),
    Mutant(
        "another firm's grant is followed",
        S + "subjects.py",
        'table.c.id == bindparam("id", type_=Text), table.c.firm_id == bindparam("firm", type_=Text)',
        'table.c.id == bindparam("id", type_=Text)',
    ),
    # Deciding --------------------------------------------------------------------------------------------------------
    Mutant(
        "the mask of duties is turned around",
        S + "decide.py",
        "        true &= ~_WINDOW\n    if not cell.needs & ~row.duties:",
        "        true &= ~_WINDOW\n    if cell.needs & ~row.duties:",
    ),
    Mutant(
        "no duty is asked for",
        S + "decide.py",
        "        true &= ~_WINDOW\n    if not cell.needs & ~row.duties:\n        true |= _DUTIES",
        "        true &= ~_WINDOW\n    true |= _DUTIES",
    ),
    Mutant(
        "a token for less is a token for all",
        S + "decide.py",
        "        true |= _NARROWED\n    answer = cell.answer(true)\n",
        "        pass\n    answer = cell.answer(true)\n",
    ),
    Mutant("what is gone opens", S + "decide.py", "if not answer.allowed or not row.there:", "if not answer.allowed:"),
    Mutant("the clock is a second behind", S + "decide.py", "moment.ms // 1000),", "moment.ms // 1000 - 1),"),
    Mutant("one's own has no end", S + "decide.py", "own_since=now - OWN_LIFE_S,", "own_since=0,"),
    Mutant("every act needs the same ability", S + "decide.py", "ability=ABILITY_BITS[action],", "ability=1,"),
    Mutant(
        "a wall before the matter does not count for its part",
        S + "decide.py",
        " | (matter.facts & int(Fact.WALLED))",
        "",
    ),
    # Asking Casbin ---------------------------------------------------------------------------------------------------
    Mutant(
        "an exception is a yes",
        S + "matrix.py",
        "            return False, ERROR\n        if allowed",
        "            return True, 'policy.csv:1'\n        if allowed",
    ),
    Mutant(
        "a yes without a rule is a yes",
        S + "matrix.py",
        '        if not rule or rule[-1] != "allow":',
        '        if rule and rule[-1] != "allow":',
    ),
    Mutant(
        "no rule denies",
        S + "matrix.py",
        "for rule in [r for r in about if not r.allows] + [",
        "for rule in [",
    ),
    Mutant(
        "an answer is remembered without what shuts it",
        S + "matrix.py",
        "return self._answers.get(facts & self.mask) or self._ask(facts & self.mask)",
        "return self._answers.get(facts & self.mask & ~_DENYING) or self._ask(facts & self.mask)",
    ),
    Mutant(
        "a ceiling is as high as its opposite",
        S + "matrix.py",
        "SENSITIVITY_RANK[sensitivity] <= SENSITIVITY_RANK[ceiling]",
        "SENSITIVITY_RANK[sensitivity] >= SENSITIVITY_RANK[ceiling]",
    ),
    Mutant(
        "a ceiling lets nothing touch it",
        S + "matrix.py",
        "SENSITIVITY_RANK[sensitivity] <= SENSITIVITY_RANK[ceiling]",
        "SENSITIVITY_RANK[sensitivity] < SENSITIVITY_RANK[ceiling]",
    ),
    Mutant(
        "one of the facts is enough",
        S + "matrix.py",
        'set(needed.split(" ")) <= set(facts.split(" "))',
        'bool(set(needed.split(" ")) & set(facts.split(" ")))',
    ),
    Mutant("a word within a word covers it", S + "matrix.py", 'asked in cell.split(" ")', "asked in cell"),
    # Listing ---------------------------------------------------------------------------------------------------------
    Mutant("a list ignores walls", S + "statements.py", "(Fact.WALLED, Fact.SUSPENDED)", "(Fact.SUSPENDED,)"),
    Mutant("a list ignores suspension", S + "statements.py", "(Fact.WALLED, Fact.SUSPENDED)", "(Fact.WALLED,)"),
    Mutant("a list shows what is gone", S + "statements.py", "facts.is_there(), *shut", "*shut"),
    Mutant(
        "a list begins with the last one again", S + "statements.py", ".where(key > _AFTER)", ".where(key >= _AFTER)"
    ),
    Mutant(
        "a list goes on forgetting duties",
        S + "statements.py",
        "*(_duties(ways) if Fact.DUTIES in facts_of_all else ())",
        "*()",
    ),
    Mutant(
        "a list asks no matter what it demands",
        S + "statements.py",
        "    if of_matter:\n",
        "    if of_matter < 0:\n",
    ),
    Mutant(
        "what one label needs more is not asked in a list",
        S + "statements.py",
        "every, common = every | one.needs, common & one.needs",
        "every, common = every & one.needs, common & one.needs",
    ),
    Mutant(
        "a list forgets how sensitive things are",
        S + "statements.py",
        "                d.c.sensitivity.in_([facts.word(sensitivity) for sensitivity in sensitivities]),\n",
        "",
    ),
    Mutant(
        "one role's list is another's",
        S + "listing.py",
        "key = (actor.role, action, given, form, shut, actor.stepped_up)",
        "key = (actor.side, action, given, form, shut, actor.stepped_up)",
    ),
    Mutant(
        "who proved that it is he lists for all who have not",
        S + "listing.py",
        "form, shut, actor.stepped_up)",
        "form, shut)",
    ),
    Mutant(
        "every token is stepped up on a document",
        S + "decide.py",
        "row.facts | actor.stepped_up & cell.mask  #",
        "row.facts | 64 & cell.mask  #",
    ),
    Mutant(
        "every token is stepped up elsewhere",
        S + "decide.py",
        "    true |= actor.stepped_up & cell.mask\n    return",
        "    true |= 64 & cell.mask\n    return",
    ),
    Mutant(
        "a list tells what needs another proof",
        S + "statements.py",
        "**({Fact.STEPPED_UP: sql_true()} if stepped_up else {}),",
        "Fact.STEPPED_UP: sql_true(),",
    ),
    Mutant("a list of a place is a list of all", S + "statements.py", ", *(_IN[noun] for noun in given))", ",)"),
    Mutant(
        "several grants list a document several times",
        S + "statements.py",
        ".where(facts.gives(_g), first)",
        ".where(facts.gives(_g))",
    ),
    Mutant(
        "a list is the former team's too",
        S + "statements.py",
        "team.c.since <= NOW, team.c.until > NOW)",
        "team.c.since <= NOW)",
    ),
    Mutant(
        "a token for less lists all",
        S + "listing.py",
        "if not actor.covers(action.resource) and matrix.denials(actor.role, action) & Fact.NARROWED:",
        "if matrix.denials(actor.role, action) < 0:",
    ),
    # Explaining and authorising --------------------------------------------------------------------------------------
    Mutant(
        "an explanation names others' grants",
        S + "explain.py",
        "if grant.membership_id == row.id and grant.",
        "if grant.",
    ),
    Mutant(
        "any document can be added to what was authorised",
        S + "authorised.py",
        "                row_id.startswith((DOCUMENT_PREFIX, TITLE_PREFIX))\n",
        '                row_id.startswith("never")\n',
    ),
    # Acts ------------------------------------------------------------------------------------------------------------
    Mutant(
        "the first decision is kept",
        A + "performing.py",
        "decision = decide(tx, services.matrix.current, moment, actor, action, about)",
        "decision = vars(decided).setdefault(\n"
        "            (actor, action, about), decide(tx, services.matrix.current, moment, actor, action, about)\n"
        "        )",
    ),
    Mutant(
        "a refusal is told and not heeded",
        A + "performing.py",
        "if decision.error is not None:\n            raise Refused",
        "if decision.error is Refused:\n            raise Refused",
    ),
    Mutant(
        "a refusal leaves no entry",
        A + "performing.py",
        "raise Refused(decision.error, (events.access_refused(act.who, decision.error.code),))",
        "raise Refused(decision.error, ())",
    ),
    Mutant(
        "another member's key creates nothing",
        A + "act.py",
        r'f"{self.actor.membership_id}\n{route}\n{key}"',
        r'f"{route}\n{key}"',
    ),
    Mutant(
        "a key answers for another request",
        A + "act.py",
        "if row.request_index != request_index:",
        "if not request_index:",
    ),
    Mutant(
        "any version may be changed",
        A + "act.py",
        "if self.caller.if_match != etag(row_id, version):",
        "if not self.caller.if_match:",
    ),
    # The door --------------------------------------------------------------------------------------------------------
    Mutant(
        "every name opens", D, "        if row_id not in self._authorised and not of_title:", "        if not row_id:"
    ),
    Mutant("every payload opens", D, "        if holder.id not in self._authorised:", "        if not holder.id:"),
    Mutant(
        "every content opens",
        D,
        "    if revision.document_id not in authorised:",
        "    if not revision.document_id:",
    ),
    Mutant("every piece opens", D, "    if piece.upload_id not in authorised:", "    if not piece.upload_id:"),
    # Sharing ---------------------------------------------------------------------------------------------------------
    Mutant(
        "unconfirmed papers are shared",
        G + "ceilings.py",
        "    if document.state != CONFIRMED:",
        "    if not document.state:",
    ),
    Mutant(
        "a ceiling is asked for viewing only",
        G + "ceilings.py",
        "if ability in abilities and not any(",
        "if ability is Ability.VIEW and not any(",
    ),
    Mutant(
        "a revoke bites a second later",
        G + "ending.py",
        '"end": now} for grant_id',
        '"end": now + 1} for grant_id',
    ),
    Mutant(
        "a grant ends without its entry",
        G + "ending.py",
        "    for grant_id, named in subjects.items():",
        "    for grant_id, named in ():",
    ),
    Mutant(
        "the card tells of revoked grants",
        "service/holdings.py",
        '        grants.c.revoked_at > bindparam("now"),\n    )\n    .order_by',
        "    )\n    .order_by",
    ),
    Mutant(
        "a member of another engagement is handed things",
        R,
        '        memberships.c.engagement_id == bindparam("engagement"),\n',
        "",
    ),
    Mutant(
        "an attorney is handed things",
        R,
        "        or_(memberships.c.side == Side.VENDOR.value, memberships.c.role == Role.COORDINATOR.value),\n",
        "",
    ),
    Mutant("who left in this second is handed things", R, "if row.ends_at <= now:", "if row.ends_at < now:"),
    Mutant(
        "walls are not looked for",
        R,
        '    walls.c.person_id == bindparam("person"),\n',
        '    walls.c.person_id == "",\n',
    ),
    Mutant("a lifted wall still stands", R, '    walls.c.lifted_at > bindparam("now"),\n', ""),
    Mutant(
        "the later of two ends counts",
        R,
        "closes_at=min(row.ends_at, row.engagement_ends_at)",
        "closes_at=max(row.ends_at, row.engagement_ends_at)",
    ),
    Mutant(
        "what is handed over may outlast the engagement", R, "if not_after > recipient.closes_at:", "if not_after < 0:"
    ),
    # Overlays --------------------------------------------------------------------------------------------------------
    Mutant(
        "a decision forgets the overlay",
        S + "decide.py",
        "if not firm and row.overlay:",
        "if not row.id and row.overlay:",
    ),
    Mutant(
        "an act on a part or engagement forgets the overlay",
        S + "decide.py",
        "    matrix = of_row(tx, matrix, actor, row)\n    answer, true",
        "    answer, true",
    ),
    Mutant(
        "a refusal forgets the overlay",
        S + "decide.py",
        "    matrix = of_row(tx, matrix, actor, row)\n    state",
        "    state",
    ),
    Mutant(
        "a list forgets the overlay",
        S + "listing.py",
        "    matrix = of_actor(tx, matrix, actor)\n    statement = _made(matrix, actor, action, where, form",
        "    statement = _made(matrix, actor, action, where, form",
    ),
    Mutant(
        "a count forgets the overlay",
        S + "listing.py",
        "    matrix = of_actor(tx, matrix, actor)\n    statement = _made(matrix, actor, action, where, Form.COUNTED",
        "    statement = _made(matrix, actor, action, where, Form.COUNTED",
    ),
    Mutant(
        "what another sees forgets his overlay",
        S + "together.py",
        "_Both(of_actor(tx, matrix, actor), of_actor(tx, matrix, asker))",
        "_Both(matrix, of_actor(tx, matrix, asker))",
    ),
    Mutant(
        "an overlay that cannot be read is none",
        S + "inforce.py",
        "        rules = shut(base.rules)",
        "        rules = base.rules",
    ),
    Mutant(
        "an overlay is believed without its proof",
        S + "inforce.py",
        "if any(change.gained for change in changes(base, snapshot)):",
        "if not snapshot.rules:",
    ),
    Mutant("an overlay starts above its floor", S + "overlays.py", ">= row.floor.rank]", "> row.floor.rank]"),
    Mutant(
        "never means nothing more",
        S + "overlays.py",
        "        if None in holding:\n            break\n",
        "",
    ),
    Mutant(
        "whoever passed a paper on is told what lies hidden in it",
        S + "decide.py",
        "(queries.DOCUMENT_TO_INSPECT, ",
        "(queries.DOCUMENT_FOR_VENDOR, ",
    ),
    Mutant(
        "what may be a client's is a draft",
        S + "facts.py",
        "return and_(own(), lasting, ~there_is(*wanted, ask.c.task_id.is_(None)))",
        "return and_(own(), lasting)",
    ),
    Mutant(
        "a draft outlives its task",
        S + "facts.py",
        "ask.c.not_after > NOW, ask.c.ended_at > NOW)",
        "ask.c.not_after > NOW)",
    ),
    Mutant(
        "what was there before the task is a draft",
        S + "facts.py",
        "        ask.c.not_before <= d.c.added_at,\n",
        "",
    ),
    Mutant(
        "a task makes papers of any kind drafts",
        S + "facts.py",
        "        ask.c.label == d.c.label,\n",
        "",
    ),
    Mutant(
        "a draft stays one after its 72 hours",
        S + "facts.py",
        "return and_(own(), lasting, ~there_is",
        "return and_(d.c.added_by == MEMBERSHIP, lasting, ~there_is",
    ),
    Mutant(
        "who sees a card is told all of it",
        "service/documents.py",
        "act.may(Action.DOCUMENT_INSPECT, subject)",
        "act.may(Action.DOCUMENT_VIEW, subject)",
    ),
    Mutant(
        "who may not look may carry away",
        S + "overlays.py",
        "        return self.actions | deeper | inspected | told | (",
        "        return self.actions | inspected | told | (",
    ),
    Mutant(
        "who may never look may ask",
        S + "overlays.py",
        "(ASKING_ACTIONS if unseen else frozenset())",
        "frozenset()",
    ),
    Mutant(
        "a grant forgets the engagement's overlay",
        G + "ceilings.py",
        "of_engagement(act.tx, act.services.matrix.current, document.engagement_id)",
        "act.services.matrix.current",
    ),
)


class Trial(NamedTuple):
    """What came of a run."""

    code: int
    output: str

    @property
    def killer(self) -> str:
        """The test that failed."""
        lines = (line for line in self.output.splitlines() if line.startswith("FAILED "))
        return next(lines, "FAILED ?").removeprefix("FAILED ").partition(" - ")[0]


def copied(folder: Path) -> Path:
    """Copy the tree into a folder; returns it."""
    folder.mkdir(exist_ok=True)
    for name in PARTS:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(place, folder / name)
    return folder


def mutated(source: str, mutant: Mutant) -> str:
    """Return a source with the fault in it.

    Raises:
        MutantError: what it changes does not stand there, or not once, or what comes of it is no Python.
    """
    found = source.count(mutant.old)
    if found != 1:
        raise MutantError(
            f"The mutant {mutant.name!r} changes {mutant.old!r}, which stands {found} times in {mutant.path}: "
            "say in tests/scoping/mutants.py what it is to change now."
        )
    changed = source.replace(mutant.old, mutant.new)
    try:
        ast.parse(changed)
    except SyntaxError as error:
        raise MutantError(f"The mutant {mutant.name!r} is no Python: {error}") from error
    return changed


def put_in(folder: Path, mutant: Mutant) -> None:
    """Put a fault into a copy of the tree.

    Raises:
        MutantError: see `mutated`.
    """
    path = folder / mutant.path
    path.write_text(mutated(path.read_text(encoding="utf-8"), mutant), encoding="utf-8")


def tried(folder: Path) -> Trial:
    """Run the suite on a copy of the tree, in a process of its own.

    Raises:
        MutantError: it could not be run, or did not end in time: that is neither killed nor survived.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command += [
        "-p",
        "tests.scoping.unshrunk",
        "--hypothesis-seed=0",
        "-k",
        " and ".join(f"not {word}" for word in LEFT_OUT),
        *SUITE,
    ]
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    # Whether Python's own memory of a module is fresh is told by whole seconds: a fault put in at once could be missed.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        run = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=folder, env=environment, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise MutantError(f"The suite did not end within {PATIENCE_S} s.") from None
    if run.returncode not in {ALL_PASSED, TESTS_FAILED}:
        raise MutantError(f"pytest ended with {run.returncode}:\n{run.stdout[-3000:]}{run.stderr[-1000:]}")
    return Trial(run.returncode, run.stdout)


def try_mutant(mutant: Mutant | None) -> Trial:
    """Run the suite on a copy with this fault in it, or with none."""
    with tempfile.TemporaryDirectory(prefix="muniment-mutant-") as name:
        folder = copied(Path(name))
        if mutant is not None:
            put_in(folder, mutant)
        return tried(folder)


def main(names: Iterable[str]) -> None:
    """Tell of each fault which test kills it."""
    wanted = set(names)
    for mutant in MUTANTS:
        if not wanted or mutant.name in wanted:
            trial = try_mutant(mutant)
            verdict = f"killed by {trial.killer}" if trial.code == TESTS_FAILED else "SURVIVED"
            sys.stdout.write(f"{mutant.name}: {verdict}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
