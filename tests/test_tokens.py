"""The text of a token: what passes for one, and that it is shown nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import tokens
from service.errors import BadInputError, NotFoundError, UnauthenticatedError
from tests.logs import entries_of
from tests.world import DAY_S, Person, World, a_world

firms = st.binary(min_size=16, max_size=16).map(lambda raw: f"frm_{raw.hex()}")
secrets = st.binary(min_size=32, max_size=32)


@given(firms, secrets)
def test_a_token_that_was_drawn_parses_to_its_firm_and_hash(firm_id: str, secret: bytes) -> None:
    new = tokens.draw("tok_1", firm_id, secret)
    assert len(new.text) == tokens.TOKEN_CHARACTERS
    assert tokens.parse(new.text) == tokens.Credential(firm_id, new.secret_hash)
    assert new.secret_hash == hashlib.sha256(bytes.fromhex(firm_id[4:]) + secret).digest()


@given(firms, firms, secrets)
def test_the_firm_is_part_of_what_is_hashed(one: str, other: str, secret: bytes) -> None:
    hashes = {tokens.draw("tok_1", firm_id, secret).secret_hash for firm_id in (one, other)}
    assert len(hashes) == len({one, other})


@given(firms, secrets)
def test_neither_text_nor_secret_is_in_its_repr(firm_id: str, secret: bytes) -> None:
    new = tokens.draw("tok_1", firm_id, secret)
    shown = repr(new)
    assert not any(each in shown for each in (new.text[4:], new.secret_hash.hex(), repr(new.secret_hash)))


@given(st.one_of(st.text(max_size=80), st.text(min_size=64, max_size=64).map(lambda text: "mun_" + text)))
def test_anything_else_is_no_token(text: str) -> None:
    try:
        credential = tokens.parse(text)
    except UnauthenticatedError:
        return
    assert text.isascii()  # hypothesis found 64 characters of base64url: a claim, to be looked up
    assert len(credential.firm_id) == 36


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mun_",
        "mun_" + "A" * 63,
        "mun_" + "A" * 65,
        "MUN_" + "A" * 64,
        "mun-" + "A" * 64,
        "mun_" + "A" * 63 + "=",
        "mun_" + "A" * 63 + "+",
        "mun_" + "A" * 63 + "\n",
        "mun_" + "\uff21" * 64,
        " mun_" + "A" * 63,
    ],
)
def test_what_has_not_the_form_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.parse(text)


# The operator at the machine ------------------------------------------------------------------------------------------


@pytest.fixture
async def world(tmp_path: Path, migrated_url: str) -> AsyncIterator[World]:
    """An installation with one firm."""
    async with a_world(tmp_path / "var", migrated_url) as made:
        yield made


async def test_a_token_that_the_operator_makes_acts_in_that_membership_and_is_on_record(world: World) -> None:
    new = await tokens.issue(world.services, world.owner.membership_id, "me  firm me", 60)
    seat = Person(world.http, world.owner.person_id, world.owner.membership_id, new.text)
    assert (await seat.get("/me"))["token"]["scopes"] == ["firm", "me"]
    entry = entries_of(world.services.database, world.firm_id, "token.created")[-1]
    assert (entry.actor, (entry.subjects or {})["token"]) == ({"system": "cli"}, new.token_id)
    assert new.token_id in [each.id for each in tokens.issued(world.services)]
    world.sleep(60)
    await seat.get("/me", status=401)


async def test_what_the_operator_may_not_make_is_refused(world: World) -> None:
    before = tokens.issued(world.services)
    for scopes, ttl_s in (("", 60), ("nothing", 60), ("me nothing", 60), ("*", 0), ("*", -1)):
        with pytest.raises(BadInputError):
            await tokens.issue(world.services, world.owner.membership_id, scopes, ttl_s)
    for membership_id in ("mem_" + "0" * 32, "x"):
        with pytest.raises(NotFoundError):
            await tokens.issue(world.services, membership_id, "*", 60)
    engagement = await world.engagement()
    seat = await engagement.member()
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    with pytest.raises(NotFoundError):
        await tokens.issue(world.services, seat.membership_id, "*", 60)
    assert len(tokens.issued(world.services)) == len(before) + 2  # the attorney's and the member's


async def test_withdrawing_ends_what_was_made_with_a_token(world: World) -> None:
    new = await tokens.issue(world.services, world.owner.membership_id, "*", 2 * DAY_S)
    seat = Person(world.http, world.owner.person_id, world.owner.membership_id, new.text)
    made = await seat.post("/tokens", {"scopes": ["me"], "days": 1})
    await tokens.withdraw(world.services, new.token_id)
    await Person(world.http, world.owner.person_id, world.owner.membership_id, made["token"]).get("/me", status=401)
    await world.owner.get("/me")


async def test_withdrawing_ends_a_token_at_once_and_twice_is_once(world: World) -> None:
    new = await tokens.issue(world.services, world.owner.membership_id, "*", 60)
    for _ in range(2):
        await tokens.withdraw(world.services, new.token_id)
    seat = Person(world.http, world.owner.person_id, world.owner.membership_id, new.text)
    await seat.get("/me", status=401)
    assert len(entries_of(world.services.database, world.firm_id, "token.revoked")) == 1
    with pytest.raises(NotFoundError):
        await tokens.withdraw(world.services, "tok_" + "0" * 32)
