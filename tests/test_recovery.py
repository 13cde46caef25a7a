"""After a crash: every intent that was left open gets the outcome unknown, once, and living ones are left alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from service import events, recovery, wiring
from service.config import Settings
from service.db.ids import new_id
from service.errors import UnsafeError
from service.ledger import Ledger, Outcome
from service.services import Services
from tests.logs import check_logs, entries_of
from tests.world import World, a_world


def _announce(ledger: Ledger, firm_id: str, engagement: str | None = None) -> int:
    """Announce a body, as a process does that dies before its outcome."""
    subjects = {"engagement": engagement} if engagement else {}
    draft = events.document_opening(events.system("test", subjects), "rev_" + "0" * 32, bytes(56))
    return ledger.run(firm_id, lambda _tx, _moment: Outcome(None, (draft,))).indexes[0]


def _other_process(world: World) -> Ledger:
    """A ledger under another name, as of a process that has died."""
    dead = Ledger(world.services.database, world.clock, new_id("req", 5, bytes))
    dead.start()
    return dead


async def test_what_a_dead_process_announced_is_closed_as_unknown(tmp_path: Path, migrated_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_url) as world:
        dead, engagement = _other_process(world), "eng_" + "1" * 32
        opened = [_announce(dead, world.firm_id), _announce(dead, world.firm_id, engagement)]
        dead.stop()
        mine = _announce(world.services.ledger, world.firm_id)
        me = world.services.ledger._instance
        assert recovery.close_intents(world.services, me) == 2
        closed = entries_of(world.services.database, world.firm_id, "intent.abandoned")
        assert [(e.outcome, (e.data or {})["of"]) for e in closed] == [("unknown", index) for index in opened]
        assert (closed[1].subjects or {})["engagement"] == engagement  # it stands in that engagement's chain too
        assert mine not in opened
        assert recovery.close_intents(world.services, me) == 0  # once
        check_logs(world.services.database)


async def test_a_server_closes_them_at_its_start_and_a_command_beside_it_does_not(
    tmp_path: Path, migrated_url: str
) -> None:
    home = tmp_path / "var"
    async with a_world(home, migrated_url) as world:
        dead = _other_process(world)
        _announce(dead, world.firm_id)
        dead.stop()
        settings = world.services.settings
        with wiring.open_installation(settings, clock=world.clock):
            assert entries_of(world.services.database, world.firm_id, "intent.abandoned") == []
        firm_id, clock = world.firm_id, world.clock
    with wiring.open_installation(settings, serving=True, clock=clock) as services:
        assert len(entries_of(services.database, firm_id, "intent.abandoned")) == 1


def test_one_folder_has_one_server(tmp_path: Path, migrated_url: str) -> None:
    settings = Settings(home=tmp_path / "var", database_url=migrated_url)
    wiring.prepare(settings)
    with wiring.open_installation(settings, serving=True):
        with pytest.raises(UnsafeError, match="running on this folder already"), _serving(settings):
            pass
        with wiring.open_installation(settings):
            pass  # a command beside it may run
    with wiring.open_installation(settings, serving=True):
        pass


def _serving(settings: Settings) -> AbstractContextManager[Services]:
    return wiring.open_installation(settings, serving=True)
