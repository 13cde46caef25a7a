"""The words: stable, complete, in order."""

from __future__ import annotations

import doctest
import re

import pytest

from service.scoping import actions
from service.scoping.abilities import ABILITY_BITS
from service.scoping.actions import (
    DENYING,
    FIRM_ROLES,
    MONOTONE,
    VENDOR_ROLES,
    Ability,
    Action,
    Duty,
    Fact,
    Role,
    Sensitivity,
    Side,
    side_of,
)
from service.scoping.factwords import FACT_WORDS


def test_docstring_examples_are_true() -> None:
    outcome = doctest.testmod(actions)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_actions_are_alphabetised_and_of_one_grammar() -> None:
    assert list(Action) == sorted(Action)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*:[a-z_]+", action) for action in Action)
    assert {action.name for action in Action} == {action.replace(":", "_").upper() for action in Action}


def test_every_role_has_exactly_one_side() -> None:
    assert set(Role) == FIRM_ROLES | VENDOR_ROLES
    assert not FIRM_ROLES & VENDOR_ROLES
    assert {side_of(role) for role in FIRM_ROLES} == {Side.FIRM}
    assert {side_of(role) for role in VENDOR_ROLES} == {Side.VENDOR}
    with pytest.raises(ValueError, match="janitor"):
        side_of("janitor")


def test_bits_are_where_rows_have_them() -> None:
    """Changing one of these changes what is stored: a migration, not an edit."""
    assert [int(bit) for bit in Duty] == [1 << n for n in range(10)]
    assert [int(bit) for bit in Ability] == [1, 2, 4, 8]
    assert [int(bit) for bit in Fact] == [1 << n for n in range(16)]
    assert (Ability.VIEW, Ability.TEXT, Ability.DOWNLOAD, Ability.REVISE) == (1, 2, 4, 8)
    assert (Duty.NDA, Duty.UNDERTAKING) == (1, 512)


def test_every_fact_either_opens_or_shuts() -> None:
    assert Fact(0) == DENYING & MONOTONE
    assert Fact(sum(Fact)) == DENYING | MONOTONE


def test_fact_words_are_sorted_and_complete() -> None:
    assert FACT_WORDS[0] == ()
    assert FACT_WORDS[Fact.WINDOW | Fact.LIVE] == ("live", "window")
    every = {FACT_WORDS[mask] for mask in range(1 << len(Fact))}
    assert len(every) == 1 << len(Fact)


def test_sensitivities_are_ordered() -> None:
    ranks = [word.rank for word in Sensitivity]
    assert ranks == sorted(ranks)
    assert Sensitivity.ATTORNEY_ONLY.rank > Sensitivity.PRIVILEGED.rank > Sensitivity.CONFIDENTIAL.rank


def test_whatever_a_grant_is_used_for_it_must_let_view() -> None:
    assert all(bits & Ability.VIEW for bits in ABILITY_BITS.values())
    assert ABILITY_BITS[Action.DOCUMENT_DOWNLOAD] == Ability.VIEW | Ability.DOWNLOAD
