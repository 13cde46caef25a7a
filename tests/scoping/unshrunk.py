"""A plugin for runs that only want to know whether a test fails: no counterexample is made smaller, none is kept."""

from __future__ import annotations

import hypothesis
import pytest

EXAMPLES = 50


@pytest.hookimpl(trylast=True)  # after tests/conftest.py has chosen
def pytest_configure() -> None:
    """Choose again."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "unshrunk", max_examples=EXAMPLES, deadline=None, phases=phases, database=None, report_multiple_bugs=False
    )
    hypothesis.settings.load_profile("unshrunk")
