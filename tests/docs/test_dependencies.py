"""docs/dependencies.md lists exactly what pyproject.toml asks for; the locks hold it, hashed and without addresses."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SECTIONS = {
    "runtime": PROJECT["project"]["dependencies"],
    "demo": PROJECT["project"]["optional-dependencies"]["demo"],
    **PROJECT["dependency-groups"],
}
HEADINGS = {
    "runtime": "## To run (",
    "demo": "## To run the demo (",
    "build": "## To build (",
    "dev": "## To test and check (",
    "bench": "## To measure (",
    "checkov": "## To read terraform (",
}
# Which lock holds which sections.
LOCKS = {
    "runtime": ("runtime",),
    "demo": ("runtime", "demo", "build"),
    "dev": ("runtime", "demo", "build", "dev"),
    "bench": ("runtime", "demo", "build", "dev", "bench"),
    "checkov": ("checkov",),
}
APART = {"checkov"}  # in environments of their own
ROW = re.compile(
    r"^\| `(?P<name>[^`]+)` \| (?P<floor>[\d.]+) \| (?P<licence>[^|]+) \| (?P<use>[^|]+) \| [^|]+ \|$", re.MULTILINE
)
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)", re.MULTILINE)


def declared(section: str) -> dict[str, str]:
    """Name (with extras) -> floor, as pyproject.toml has them."""
    return dict(requirement.split(">=") for requirement in SECTIONS[section])


def listed(section: str) -> dict[str, str]:
    """Name -> floor, as the page's table has them."""
    text = PAGE.split(HEADINGS[section])[1].split("\n## ")[0]
    return {match["name"]: match["floor"] for match in ROW.finditer(text)}


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def bare(name: str) -> str:
    return name.partition("[")[0]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_lists_exactly_what_is_asked_for(section: str) -> None:
    assert listed(section) == declared(section)


def test_every_group_has_a_section() -> None:
    assert set(SECTIONS) == set(HEADINGS)
    assert len(ROW.findall(PAGE)) == sum(len(requirements) for requirements in SECTIONS.values())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_every_direct_dependency_at_its_floor_or_above(name: str) -> None:
    pinned = {match["name"]: match["version"] for match in PIN.finditer(lock(name))}
    for section in LOCKS[name]:
        for package, floor in declared(section).items():
            assert bare(package) in pinned
            assert numbers(pinned[bare(package)]) >= numbers(floor)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_of_a_lock_is_hashed_and_no_address_stands_in_it(name: str) -> None:
    text = lock(name)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|file:|index-url|find-links|@", text)


def test_the_locks_agree_with_each_other() -> None:
    everything = {(match["name"], match["version"]) for match in PIN.finditer(lock("bench"))}
    for name in LOCKS.keys() - APART:
        assert {(match["name"], match["version"]) for match in PIN.finditer(lock(name))} <= everything


def test_only_one_package_brings_casbin() -> None:
    assert set(importlib.metadata.packages_distributions()["casbin"]) == {"pycasbin"}
