"""What the doctor says of a machine that cannot look at uploads, or not safely."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.doctor import Finding, Severity, examine_probes, probes
from service.render.probes import Probes
from tests.world import a_world


async def test_a_machine_that_confines_its_probes_is_well(tmp_path: Path, migrated_url: str) -> None:
    async with a_world(tmp_path, migrated_url) as world:
        found = await examine_probes(world.services)
    assert [each.code for each in found] in ([], ["probes_unconfined"])  # a machine without a filter says so


async def test_what_is_missing_is_said(tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lacking(_: Probes) -> tuple[str, ...]:
        return ("memory limit", "system call filter")

    async def failing(_: Probes) -> tuple[str, ...]:
        raise OSError("no process left")

    async with a_world(tmp_path, migrated_url) as world:
        monkeypatch.setattr(probes, "missing_limits", lacking)
        (found,) = await examine_probes(world.services)
        assert found == Finding(
            Severity.WARNING,
            "probes_unconfined",
            "This machine cannot fully confine the process that looks at uploads. "
            "Missing: memory limit, system call filter.",
        )
        monkeypatch.setattr(probes, "missing_limits", failing)
        (found,) = await examine_probes(world.services)
        assert (found.severity, found.code) == (Severity.WARNING, "probes_missing")
