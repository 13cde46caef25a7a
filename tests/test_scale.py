"""Seeded loops do a twentieth in the short run, never nothing, and all in the long one."""

from __future__ import annotations

import pytest

from tests import scale


def test_the_short_run_does_a_twentieth_and_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "LONG", False)
    assert [scale.count(full) for full in (1, 19, 20, 1000)] == [1, 1, 1, 50]


def test_the_long_run_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "LONG", True)
    assert [scale.count(full) for full in (1, 1000)] == [1, 1000]
