"""Fixtures: ``terraform`` (a copy to run commands in), ``mocked`` (the runs of its own tests, with what they made)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.terraform.programs import Terraform, TerraformMissingError, prepare


@dataclass(frozen=True, slots=True)
class Mocked:
    """What ``terraform test`` said: its exit, its sentences, and after each run of it every resource by its address."""

    exit_code: int
    said: str
    runs: dict[str, dict[str, dict[str, Any]]] = field(repr=False)


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """A copy that is only read: commands that leave something behind take one of their own."""
    return prepared(tmp_path_factory)


def prepared(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """A copy of the test's own; skips the test where terraform is missing."""
    try:
        return prepare(tmp_path_factory.mktemp("terraform"))
    except TerraformMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def mocked(terraform: Terraform) -> Mocked:
    """The runs of terraform/tests/ against a provider that only pretends; policies are rendered as for AWS."""
    done = terraform.run("test", "-json", "-verbose", check=False)
    return _read(done)


def _read(done: subprocess.CompletedProcess[str]) -> Mocked:
    said, runs = [], {}
    for line in done.stdout.splitlines():
        message = json.loads(line) if len(line) < 100_000 or '"type":"test_state"' in line else {}
        if message.get("type") == "test_state":
            resources = message["test_state"]["root_module"]["resources"]
            runs[message["@testrun"]] = {resource["address"]: resource["values"] for resource in resources}
        elif message:
            said.append(message["@message"])
            said += [message["diagnostic"]["summary"]] if "diagnostic" in message else []
    return Mocked(done.returncode, "\n".join([*said, done.stderr]), runs)
