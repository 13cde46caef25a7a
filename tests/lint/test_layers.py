"""The contracts of pyproject.toml refuse what they are there to refuse: a small tree, one wrong import each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [
    "audit/__init__.py",
    "service/__init__.py",
    "service/errors.py",
    "service/config.py",
    "service/crypto/__init__.py",
    "service/blobs/__init__.py",
    "service/db/__init__.py",
    "service/scoping/__init__.py",
    "service/ledger.py",
    "service/grants.py",
    "service/cli/__init__.py",
]
RIGHT = {
    "service/crypto/streams.py": "import cryptography.fernet",
    "service/scoping/matrix.py": "import casbin",
    "service/documents.py": "import service.grants, service.scoping.matrix, service.crypto.streams, audit.merkle",
    "service/httpdeps.py": "import fastapi, service.documents",
    "service/api/__init__.py": "import starlette.types, service.httpdeps",
    "service/cli/main.py": "import typer, httpx2, service.api, audit.merkle",
    "audit/merkle.py": "import hashlib, cryptography.hazmat",
}
FLOORS = "Each floor imports only floors below it"
ALONE = "audit/ runs on an auditor's laptop"
WRONG = {
    "upwards": ("service/db/__init__.py", "import service.documents", FLOORS),
    "across": ("service/crypto/__init__.py", "import service.blobs", FLOORS),
    "up to the cli": ("service/api/__init__.py", "import service.cli.main", FLOORS),
    "a module on no floor": ("service/utils.py", "", FLOORS),
    "cryptography outside": ("service/documents.py", "import cryptography.fernet", "Only service/crypto/ imports"),
    "casbin beside the matrix": ("service/scoping/__init__.py", "import casbin", "Only service/scoping/matrix.py"),
    "casbin in a use case": ("service/documents.py", "import casbin", "Only service/scoping/matrix.py"),
    "web below the edges": ("service/documents.py", "from fastapi import Request", "Use cases and below know nothing"),
    "service in audit": ("audit/merkle.py", "import service.errors", ALONE),
    "sqlalchemy in audit": ("audit/merkle.py", "import sqlalchemy", ALONE),
}


def plant(folder: Path, changes: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Make the tree with these modules' texts and let import-linter judge it."""
    for name in {*MODULES, *changes}:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changes.get(name, "") + "\n", encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_tree_that_keeps_the_contracts_passes(tmp_path: Path) -> None:
    judged = plant(tmp_path, RIGHT)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "0 broken" in judged.stdout


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_import_is_refused(name: str, tmp_path: Path) -> None:
    path, text, contract = WRONG[name]
    judged = plant(tmp_path, {**RIGHT, path: text})
    assert judged.returncode == 1, judged.stdout + judged.stderr
    broken = [line for line in judged.stdout.splitlines() if " BROKEN" in line]
    assert len(broken) == 1, judged.stdout
    assert broken[0].startswith(contract)
