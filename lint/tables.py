"""Every limit of our own rules and every exception from them, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_FUNCTION_LINES: Final = 50  # lines, without the docstring
MAX_MODULE_LINES: Final = 400  # lines

# Where our rules look. Sizes are watched where code is changed: a test may be as long as its story, and a migration is
# a list of statements that nobody edits once it has run.
CODE: Final = ("audit", "service", "migrations", "lint", "tests")
SIZED: Final = ("audit", "service", "lint")

# Module path -> why it may be longer than MAX_MODULE_LINES.
LONG_MODULES: Final = {"service/db/models.py": "the schema: tables to be read beside each other, and no logic"}

# Dotted name -> why it may be longer than MAX_FUNCTION_LINES.
LONG_FUNCTIONS: Final[dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Use:
    """Names of ``rooms`` that only the ``allowed`` modules of service/ may use."""

    rule: str
    rooms: tuple[str, ...]
    names: tuple[str, ...]
    allowed: tuple[str, ...]
    advice: str


_SCOPED = ("documents", "grants", "moves", "revisions", "schedules")
_SCOPED_ADVICE = "rows that decide are asked for through service/scoping, so that nobody lists what was not decided"
_DOOR_ADVICE = "contents and names are opened in service/door.py alone, with an id authorised in this request"

SQL_TABLES: Final = Use(
    rule="scoped-tables",
    rooms=("service.db.models", "service.db"),
    names=_SCOPED,
    allowed=(
        "service.db",  # defines them
        "service.scoping",  # decides and lists
        "service.documents",  # writes documents and revisions
        "service.corrections",  # changes what a document is, and ends the grants that it is above
        "service.uploads",  # writes what arrived
        "service.downloads",  # reads the revision of an id that was decided in the same transaction
        "service.receipts",  # lists what the asker himself added
        "service.grants",  # writes grants
        "service.sharing",  # gives and takes many at once, by hand or for a standing share
        "service.holdings",  # tells somebody his own
        "service.moving",  # ends a document here and lets it go on there; reads where it was
        "service.tasks",  # makes and ends grants with a task; reads what a member added for his own
        "service.standbys",  # ends grants that were made with one; tells number and label of what is sealed
        "service.misdirections",  # ends the grants of who says that a paper was not meant for him
        "service.shrinking",  # revokes and narrows several grants at once
        "service.schedules",  # writes schedules
        "service.disposal",  # destroys them
        "service.register",  # tells number and label of what lies in an engagement
        "service.disclosures",  # reads the sealed titles that a reviewer was decided to be told
        "service.rotation",  # rewraps the keys of revisions
        "service.doctor",  # compares rows with events, blobs and keys
    ),
    advice=_SCOPED_ADVICE,
)

USES: Final = (
    SQL_TABLES,
    Use(
        rule="one-door",
        rooms=("service.crypto.streams", "service.crypto"),
        names=("Opener", "RangeOpener", "decrypt", "decrypt_range"),
        allowed=("service.crypto", "service.door"),
        advice=_DOOR_ADVICE,
    ),
    Use(
        rule="one-door",
        rooms=("service.crypto.fields",),
        names=("FieldReader", "open", "open_field"),
        allowed=("service.crypto", "service.door"),
        advice=_DOOR_ADVICE,
    ),
    Use(
        rule="one-door",
        rooms=("service.crypto.wrapping", "service.crypto.keys", "service.crypto"),
        names=("unwrap",),
        allowed=("service.crypto", "service.door"),
        advice=_DOOR_ADVICE,
    ),
)


@dataclass(frozen=True, slots=True)
class Ban:
    """Packages that some rooms of service/ do not import (rooms that may not be there yet, so import-linter cannot)."""

    rule: str
    rooms: tuple[str, ...]
    packages: tuple[str, ...]
    advice: str


_EDGES = ("service.cli", "service.app", "service.api", "service.web", "service.httpdeps")

BANS: Final = (
    Ban(
        rule="edges-speak-no-sql",
        rooms=_EDGES,
        packages=("sqlalchemy", "psycopg", "sqlite3"),
        advice="an edge parses, calls one use case and answers",
    ),
    Ban(
        rule="audit-above-the-ledger",
        rooms=(
            *(room for room in _EDGES if room != "service.cli"),
            "service.scoping",
            "service.crypto",
            "service.blobs",
            "service.config",
            "service.errors",
        ),
        packages=("audit",),
        advice="the log is reached through service/events/ and service/ledger",
    ),
)

_NO_CODE = "data is never code"
_NO_PICKLE = "use JSON or a format of our own: unpickling runs what it reads"

# Whole module, or the name at the end of an import -> advice.
BANNED_IMPORTS: Final = {
    "pickle": _NO_PICKLE,
    "marshal": _NO_PICKLE,
    "shelve": _NO_PICKLE,
    "dill": _NO_PICKLE,
    "cloudpickle": _NO_PICKLE,
    "BaseHTTPMiddleware": "write pure ASGI: this one costs a third of the throughput and buffers bodies",
}

BANNED_CALLS: Final = {"eval": _NO_CODE, "exec": _NO_CODE, "compile": _NO_CODE, "__import__": _NO_CODE}

# Calls whose first argument is SQL.
SQL_CALLS: Final = frozenset({"text", "exec_driver_sql", "execute", "executemany", "executescript"})

# Module -> why SQL may be put together there.
SQL_BUILDERS: Final = {
    "migrations": "DDL takes no bound parameters; what is put in are the migration's own constants",
    "service.db.session": "PRAGMA takes no bound parameters; what is put in are the module's own constants",
}

# Pattern -> advice. Written so that no pattern matches itself.
TRACES: Final = {
    r"(?<![\w.~$}*])/(?:work|home/\w+|Users/\w+|root)/": "a path of one machine: make it relative to the project",
    r"/tmp/[\w.-]*(?:muniment|contract)": "a path of one machine: ask for a temporary folder",  # noqa: S108 -- a pattern
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg": "registries are configured on the machine",
    r"^\s*--(?:extra-)?index-url|^\s*--find-links": "registries are configured on the machine",
}
