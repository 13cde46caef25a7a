"""Tables of documents and the openers of contents have only the doors that are listed."""

from __future__ import annotations

import pytest

from lint.names import check_names
from lint.source import Module

READS_DOCUMENTS = [
    "from service.db.models import documents",
    "from service.db.models import firms, grants as g",
    "from service.db.models import *",
    "from service.db import models\nquery = models.revisions",
    "import service.db.models\nquery = service.db.models.documents",
    "import service.db.models as tables\nquery = tables.grants",
    "from service.db import grants",
    "QUERY = 'SELECT id FROM documents WHERE id = :id'",
    "QUERY = 'select id from matters join grants on 1 = 1'",
    "QUERY = 'UPDATE grants SET until = 0'",
    "QUERY = 'DELETE FROM \"revisions\"'",
    "def f():\n    '''Docstring.'''\n    return 'insert into documents values (1)'",
]
OPENS = [
    "from service.crypto.streams import decrypt",
    "from service.crypto.streams import Opener as Reader",
    "from service.crypto import streams\nfor piece in streams.decrypt_range(): pass",
    "import service.crypto.streams\nservice.crypto.streams.decrypt()",
    "from service.crypto.fields import open as read_name",
    "from service.crypto import fields\nname = fields.open()",
    "from service.crypto.wrapping import unwrap",
    "from service.crypto import wrapping\nkey = wrapping.unwrap()",
]


def rules(path: str, text: str) -> set[str]:
    return {finding.rule for finding in check_names(Module.parse(path, text))}


@pytest.mark.parametrize("text", READS_DOCUMENTS)
def test_documents_are_not_read_outside_the_listed_rooms(text: str) -> None:
    assert rules("service/search.py", text) == {"scoped-tables"}


@pytest.mark.parametrize("text", READS_DOCUMENTS)
@pytest.mark.parametrize("path", ["service/scoping/listing.py", "service/db/models.py", "service/documents.py"])
def test_listed_rooms_may_read_them(path: str, text: str) -> None:
    assert rules(path, text) == set()


@pytest.mark.parametrize("text", OPENS)
@pytest.mark.parametrize("path", ["service/documents.py", "service/api/documents.py", "service/doors.py"])
def test_contents_and_names_are_not_opened_beside_the_door(path: str, text: str) -> None:
    assert rules(path, text) == {"one-door"}


@pytest.mark.parametrize("text", OPENS)
@pytest.mark.parametrize("path", ["service/door.py", "service/crypto/keys.py", "tests/crypto/test_streams.py"])
def test_the_door_opens_them(path: str, text: str) -> None:
    assert rules(path, text) == set()


@pytest.mark.parametrize("text", ["import sqlalchemy as sa", "from sqlalchemy.sql import text", "import os, sqlite3"])
def test_edges_speak_no_sql(text: str) -> None:
    for path in ("service/api/documents.py", "service/cli/main.py", "service/httpdeps.py", "service/app.py"):
        assert rules(path, text) == {"edges-speak-no-sql"}
    assert rules("service/documents.py", text) == set()


@pytest.mark.parametrize(
    "text", ["import audit.merkle", "from audit import checkpoint", "from audit.entry import Entry"]
)
def test_audit_is_reached_through_the_ledger(text: str) -> None:
    for path in (
        "service/api/audit.py",
        "service/scoping/decide.py",
        "service/crypto/keys.py",
        "service/blobs/local.py",
    ):
        assert rules(path, text) == {"audit-above-the-ledger"}
    for path in (
        "service/ledger/writer.py",
        "service/checkpoints.py",
        "service/cli/audit.py",
        "service/db/auditstore.py",
    ):
        assert rules(path, text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "from service.db.models import firms, matters",
        "from service.crypto.streams import Sealer, encrypt",
        "from service.crypto.fields import seal",
        "import os\nhandle = os.open('x', 0)",
        "def documents(): return open('x')",
        "documents = state.documents",
        "'''Select what you like from documents.'''",
        "MESSAGE = 'You may update grants of your own matters.'",
    ],
)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert rules("service/search.py", text) == set()


def test_a_finding_says_where_and_what_to_do_instead() -> None:
    (finding,) = check_names(Module.parse("service/search.py", "\nfrom service.db.models import grants\n"))
    assert str(finding).startswith("service/search.py:2: scoped-tables: service.db.models.grants: ")
    assert "service/scoping" in str(finding)
