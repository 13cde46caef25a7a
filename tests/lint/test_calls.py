"""No code from data, no SQL from strings, no middleware that halves the throughput."""

from __future__ import annotations

import pytest

from lint.calls import check_calls
from lint.source import Module


def rules(text: str, path: str = "service/search.py") -> list[str]:
    return [finding.rule for finding in check_calls(Module.parse(path, text))]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "import marshal, os",
        "from starlette.middleware.base import BaseHTTPMiddleware",
        "from starlette.middleware.base import BaseHTTPMiddleware as Base",
    ],
)
def test_banned_imports_are_found(text: str) -> None:
    assert rules(text) == ["banned-import"]


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "exec(code)",
        "import builtins\nbuiltins.eval(x)",
        "compile(x, y, z)",
        "from builtins import exec as run\nrun(x)",
    ],
)
def test_banned_calls_are_found(text: str) -> None:
    assert rules(text) == ["banned-call"]


@pytest.mark.parametrize(
    "text",
    [
        "import sqlalchemy as sa\nsa.text(f'SELECT {x}')",
        "from sqlalchemy import text\ntext('SELECT %s' % x)",
        "from sqlalchemy import text\ntext('SELECT ' + x)",
        "from sqlalchemy import text as t\nt('SELECT {}'.format(x))",
        "from sqlalchemy import text\ntext(' '.join(parts))",
        "connection.exec_driver_sql(f'DROP TABLE {x}')",
        "cursor.execute('SELECT ' + 'a' + x)",
    ],
)
def test_sql_from_strings_is_found(text: str) -> None:
    assert rules(text) == ["sql-from-strings"]


@pytest.mark.parametrize(
    "text",
    [
        "from sqlalchemy import text\ntext('SELECT 1')",
        "from sqlalchemy import text\ntext('SELECT ' + '1')",
        "from sqlalchemy import text\ntext(f'SELECT 1')",
        "cursor.execute(prepared.sql, {'id': x})",
        "cursor.execute(sql.SQL('SELECT {}').format(sql.Identifier(x)))",
        "import re\nre.compile(x)",
        "policy.eval(x)",
        "import pickles",
    ],
)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert rules(text) == []


def test_a_listed_builder_may_put_ddl_together() -> None:
    assert rules("op.execute(f'CREATE TRIGGER {name}')", "migrations/versions/0001_initial.py") == []
