"""Acts: decided, changed and recorded together; keys made outside of the transaction and never left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service import acts, doctor, tokens
from service.acts import Act, Caller, NewKeys, etag, perform
from service.errors import (
    BadStateError,
    KeyPlaceError,
    LedgerUnavailableError,
    NotFoundError,
    NotInitialisedError,
    UnauthenticatedError,
)
from service.ledger import fate
from service.scoping.actions import Action
from service.scoping.decide import Subject
from tests.api.places import Fakes, fake_stores, faulty, rows
from tests.logs import check_logs, entries_of
from tests.world import World, a_world


@pytest.fixture
async def shaky(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, Fakes]]:
    """An installation whose key place and database fail when told to; it does not wait long for the latter."""
    monkeypatch.setattr(fate, "PAUSES_S", (0.0, 0.01))
    with fake_stores() as fakes:
        async with a_world(tmp_path / "var", migrated_url) as world:
            yield world, fakes


def _caller(world: World, text: str | None = None) -> Caller:
    return Caller(tokens.parse(text or world.owner.token), "req_" + "0" * 32)


async def _read(world: World, change: object = None) -> object:
    def plain(act: Act) -> str:
        return act.actor.role

    done = await perform(world.services, _caller(world), Action.FIRM_READ, Subject(), change or plain)  # type: ignore[arg-type]
    return done.result


async def test_an_act_without_an_entry_of_its_own_is_recorded_as_a_read(shaky: tuple[World, Fakes]) -> None:
    world, _ = shaky
    assert await _read(world) == "owner"
    entry = entries_of(world.services.database, world.firm_id)[-1]
    assert (entry.type, entry.action, entry.outcome) == ("access.allowed", "firm:read", "allowed")
    assert entry.actor["membership"] == world.owner.membership_id
    assert (entry.rule or "").startswith("policy.csv:")
    assert len(entry.policy or "") == 64


async def test_a_refusal_and_a_failure_are_told_apart_in_the_log_and_leave_nothing_else(
    shaky: tuple[World, Fakes],
) -> None:
    world, _ = shaky
    before = rows(world.services.database)

    def failing(act: Act) -> None:
        act.tx.run(
            acts.act._REMEMBER, key_index=b"k", firm_id=act.firm_id, request_index=b"r", resource_id="x", created_at=1
        )
        raise BadStateError("canary")

    def missing(_act: Act) -> None:
        raise NotFoundError

    with pytest.raises(BadStateError):
        await _read(world, failing)
    with pytest.raises(NotFoundError):
        await _read(world, missing)
    refused = await world.owner.ask("POST", "/audit/exports", json={})
    assert refused.status_code == 403
    last = entries_of(world.services.database, world.firm_id)[-3:]
    assert [(e.type, e.outcome, (e.data or {})["code"]) for e in last] == [
        ("access.failed", "failed", "bad_state"),
        ("access.refused", "refused", "not_found"),
        ("access.refused", "refused", "forbidden"),
    ]
    assert "canary" not in str(last)
    assert rows(world.services.database) == before


async def test_a_caller_without_a_valid_token_leaves_no_trace_in_any_firms_log(shaky: tuple[World, Fakes]) -> None:
    world, _ = shaky
    before = rows(world.services.database, log=True)
    for text in ("mun_" + "A" * 64, world.owner.token[:-4] + "AAAA"):
        with pytest.raises(UnauthenticatedError):
            await perform(world.services, _caller(world, text), Action.FIRM_READ, Subject(), lambda _act: None)
    assert rows(world.services.database, log=True) == before


async def test_keys_that_are_not_open_are_opened_outside_and_the_job_runs_again(shaky: tuple[World, Fakes]) -> None:
    world, fakes = shaky
    for key_id in world.services.keys.all_ids():
        world.services.keys.forget(key_id)
    engagement = await world.engagement()  # seals under firm, engagement, part and person
    assert engagement.id
    for key_id in world.services.keys.all_ids():
        world.services.keys.forget(key_id)
    fakes.places["keys"].faults.plan("get", KeyPlaceError)
    refused = await world.owner.ask("POST", "/people", json={"email": "n@firm.example", "name": "N"})
    assert (refused.status_code, refused.json()["code"]) == (503, "key_place_unavailable")
    await world.owner.post("/people", {"email": "n@firm.example", "name": "N"})


async def test_a_key_that_is_forgotten_as_fast_as_it_is_opened_is_told(
    shaky: tuple[World, Fakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = shaky
    monkeypatch.setattr(type(world.services.keys), "peek", lambda _self, _key_id: None)
    with pytest.raises(NotInitialisedError, match="MUNIMENT_KEY_CACHE_S"):
        await _read(world, lambda act: act.field_key(act.firm()))


async def test_a_key_made_for_an_act_that_fails_is_destroyed(shaky: tuple[World, Fakes]) -> None:
    world, fakes = shaky
    before = set(fakes.places["keys"].objects)

    def failing(act: Act) -> None:
        act.new_holder("per_" + "0" * 32, "person", act.firm().key_id)
        assert len(fakes.places["keys"].objects) == len(before) + 1  # it was there before anything was sealed with it
        raise BadStateError

    with pytest.raises(BadStateError):
        await _read(world, failing)
    assert set(fakes.places["keys"].objects) == before


@pytest.mark.parametrize("stored", [False, True])
async def test_a_key_whose_rows_may_exist_is_kept_and_named_by_the_doctor_if_they_do_not(
    shaky: tuple[World, Fakes], *, stored: bool
) -> None:
    world, fakes = shaky
    before = set(fakes.places["keys"].objects)
    faulty(world).fail_commit(after=2, stored=stored)  # twice the job steps back: to have a key made, and opened
    faulty(world).faults.plan("connect", faulty(world).error, times=len(fate.PAUSES_S))
    refused = await world.owner.ask("POST", "/people", json={"email": "n@firm.example", "name": "N"})
    assert (refused.status_code, refused.json()["code"]) == (503, "outcome_unknown")
    assert refused.headers["retry-after"]
    [made] = set(fakes.places["keys"].objects) - before
    found = [(each.code, each.ids) for each in await doctor.examine(world.services, grace_s=0)]
    assert found == ([] if stored else [("key_without_owner", (made,))])


@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize("stored", [False, True])
async def test_what_is_sent_again_after_a_lost_answer_is_done_once(
    shaky: tuple[World, Fakes], *, stored: bool, is_away: bool
) -> None:
    """The reply to COMMIT is lost; the database is away for a while, or there again at once."""
    world, _ = shaky
    await world.owner.post("/vendors", {"name": "Northwind"})  # opens the keys: the next act commits once
    before = len(rows(world.services.database)["vendors"])
    faulty(world).fail_commit(stored=stored)
    if is_away:
        faulty(world).faults.plan("connect", faulty(world).error, times=len(fate.PAUSES_S))
    headers = {"idempotency-key": "the same"}
    first = await world.owner.ask("POST", "/vendors", json={"name": "Southwind"}, headers=headers)
    told = {(True, False): 201, (False, False): 503, (True, True): 503, (False, True): 503}
    assert first.status_code == told[stored, is_away]
    if first.status_code == 503:
        assert first.json()["code"] == ("outcome_unknown" if is_away else "ledger_unavailable")
    again = await world.owner.post("/vendors", {"name": "Southwind"}, headers=headers)
    assert (await world.owner.post("/vendors", {"name": "Southwind"}, headers=headers))["id"] == again["id"]
    assert first.status_code == 503 or first.json()["id"] == again["id"]
    assert len(rows(world.services.database)["vendors"]) == before + 1
    added = [entry for entry in check_logs(world.services.database)[world.firm_id] if entry.type == "vendor.added"]
    assert len(added) == before + 1


async def test_a_key_that_somebody_else_sent_means_nothing(shaky: tuple[World, Fakes]) -> None:
    """Or whoever guesses it would be handed what another made, or kept from making his own."""
    world, _ = shaky
    attorney, headers = await world.attorney(), {"idempotency-key": "the same"}
    first = await world.owner.post("/vendors", {"name": "Northwind"}, headers=headers)
    same = await attorney.post("/vendors", {"name": "Northwind"}, headers=headers)
    assert same["id"] != first["id"]
    assert (await attorney.post("/vendors", {"name": "Northwind"}, headers=headers))["id"] == same["id"]


async def test_a_key_place_that_fails_while_a_key_is_made_leaves_no_person_and_no_key(
    shaky: tuple[World, Fakes],
) -> None:
    world, fakes = shaky
    for stored in (False, True):
        before, keys = rows(world.services.database), set(fakes.places["keys"].objects)
        fakes.places["keys"].faults.plan("put", KeyPlaceError, stored=stored)
        refused = await world.owner.ask("POST", "/people", json={"email": "n@firm.example", "name": "N"})
        assert (refused.status_code, refused.json()["code"]) == (503, "key_place_unavailable")
        assert rows(world.services.database) == before
        assert set(fakes.places["keys"].objects) == keys


async def test_when_nothing_can_be_written_the_act_did_not_happen(shaky: tuple[World, Fakes]) -> None:
    world, _ = shaky
    before = rows(world.services.database, log=True)
    faulty(world).fail_commit()
    with pytest.raises(LedgerUnavailableError):
        await _read(world)
    assert rows(world.services.database, log=True) == before


def test_an_etag_is_strong_and_names_row_and_version() -> None:
    assert etag("doc_1", 7) == '"doc_1-7"'


def test_new_keys_are_handed_out_in_the_order_they_were_made() -> None:
    keys = NewKeys(made=["key_1", "key_2"], parents=[None, None])
    assert [keys.next("person", None), keys.next("person", None)] == ["key_1", "key_2"]
    with pytest.raises(acts.KeyWantedError) as wanted:
        keys.next("part", "key_9")
    assert (wanted.value.kind, wanted.value.parent) == ("part", "key_9")


def test_a_new_key_under_a_parent_that_was_rotated_since_is_not_handed_out() -> None:
    keys = NewKeys(made=["key_1", "key_2", "key_3"], parents=[None, "key_8", "key_8"])
    assert keys.next("firm", None) == "key_1"
    with pytest.raises(acts.KeyWantedError) as wanted:
        keys.next("part", "key_9")
    assert wanted.value.parent == "key_9"
    assert keys.unused() == ["key_2", "key_3"]
