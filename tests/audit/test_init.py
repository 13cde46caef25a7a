"""The package's docstring is a program that runs, and the package stands alone."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import audit
from audit import errors
from audit.entry import Entry

PACKAGE = Path(audit.__file__).parent


def test_the_example_runs() -> None:
    text = (audit.__doc__ or "").partition("One whole life of a small log:")[2].partition("From a shell:")[0]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(text)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_example_fails_where_a_check_of_it_fails() -> None:
    text = (audit.__doc__ or "").partition("One whole life of a small log:")[2].partition("From a shell:")[0]
    wrong = textwrap.dedent(text).replace("error.index == 1", "error.index == 2")
    assert subprocess.run([sys.executable, "-c", wrong], check=False, capture_output=True).returncode == 1


def test_the_package_imports_the_standard_library_and_cryptography_only() -> None:
    found = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found.add((node.module or "").partition(".")[0])
    assert found - sys.stdlib_module_names == {"audit", "cryptography"}


def test_the_folder_alone_is_a_verifier(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "audit", "verify", "absent.zip"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.partition(":")[0]) == (2, "UNUSABLE")


def error_classes() -> list[type[errors.AuditError]]:
    found = []
    for each in vars(errors).values():
        if inspect.isclass(each) and each.__module__ == errors.__name__:
            assert issubclass(each, errors.AuditError)
            found.append(each)
    return found


def test_every_error_has_one_root_a_name_and_a_sentence() -> None:
    for each in error_classes():
        assert issubclass(each, errors.AuditError)
        assert each.__name__.endswith("Error")
        assert (each.__doc__ or "").partition("\n")[0].endswith(".")
        assert each.exit_code in {errors.EXIT_BROKEN, errors.EXIT_UNUSABLE}


def test_an_error_keeps_its_evidence() -> None:
    error = errors.LeafError("why", index=3, evidence={"computed": "00"})
    assert (str(error), error.message, error.index, error.evidence) == ("why", "why", 3, {"computed": "00"})


FORMAT = (PACKAGE / "FORMAT.md").read_text()


def test_the_format_names_every_field_of_an_entry() -> None:

    rows = re.findall(r"^\| `([a-z]+)` \|", FORMAT.partition("## 2.")[0], re.MULTILINE)
    assert rows == sorted([*Entry._fields, "v"])


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("entry", ["ENTRY_BYTES", "PAYLOAD_BYTES"]),
        ("checkpoint", ["NOTE_BYTES"]),
        ("tiles", ["TILE_BYTES"]),
        ("archive", ["DIRECTORY_BYTES"]),
        ("reading", ["PROOF_LINE_BYTES", "PAYLOAD_LINE_BYTES", "SMALL_BYTES"]),
    ],
)
def test_the_format_says_every_limit(module: str, names: list[str]) -> None:

    for name in names:
        limit = getattr(importlib.import_module(f"audit.{module}"), name)
        assert f"{limit:,} bytes" in FORMAT or f"{limit:,} bytes of" in FORMAT, name


def test_the_format_lists_every_member_of_a_bundle_in_its_order() -> None:
    table = FORMAT.partition("## 8.")[2].partition("## 9.")[0]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE) == [
        "VERIFY.txt",
        "checkpoint",
        "policy/<epoch>.json",
        "entries.jsonl",
        "leaves",
        "proofs.jsonl",
        "payloads.jsonl",
        "manifest.json",
    ]
