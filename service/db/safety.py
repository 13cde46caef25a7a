"""What a PostgreSQL must be before Muniment rests its promises on it; a start on anything less is refused.

Rules kept here:

* what was answered "done" must survive a crash: ``fsync``, ``full_page_writes`` and ``synchronous_commit`` are on;
* the service's role must not get past the walls: no superuser, no BYPASSRLS, not the owner of the tables nor a member
  of it, and each table forces row-level security with the policies of the migrations and no others;
* nothing crosses a network in the clear or to an impostor: ``sslmode=verify-full`` unless every host is this machine.

Each refusal says what to change. There is no setting that switches a check off.

Source: PostgreSQL 15 documentation, 20.5 (WAL), 34.19 (SSL), 5.8 (row security); docs/adr/0015-row-level-security.md.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import URL

from service.errors import UnsafeError

OLDEST: Final = 150_000  # server_version_num of PostgreSQL 15
_MORE: Final = "See docs/operations.md, On PostgreSQL."
_HOSTS: Final = ("host", "hostaddr")

SERVER: Final = """
SELECT current_setting('server_version_num')::bigint, current_setting('fsync'), current_setting('full_page_writes'),
       current_setting('synchronous_commit'), current_setting('server_encoding'),
       rolsuper, rolbypassrls, current_setting('row_security')
  FROM pg_roles WHERE rolname = current_user"""
TABLES: Final = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, pg_has_role(current_user, c.relowner, 'MEMBER'),
       ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY polname)
  FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"""
POLICIES: Final = ("firm", "owner")
MORE_POLICIES: Final[Mapping[str, tuple[str, ...]]] = {"logs": ("firm", "list", "owner")}


class Asked(Protocol):
    """A connection's cursor, as far as it is needed here."""

    def execute(self, sql: Any, /) -> Any:
        """Run a query."""

    def fetchall(self) -> list[Any]:
        """Return its rows."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the server says of itself and of the role that asks."""

    version: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    encoding: str
    is_superuser: bool
    bypasses: bool
    row_security: str


@dataclass(frozen=True, slots=True)
class TableWall:
    """How one table is walled in."""

    name: str
    forced: bool
    is_owned: bool  # by the role that asks, or by one that it is a member of
    policies: Sequence[str]


def require_safe(cursor: Asked, tables: Sequence[str]) -> None:
    """Ask a server, and refuse it unless it is safe.

    Args:
        tables: every table that holds a firm's rows.

    Raises:
        UnsafeError: it is not; the sentence says what to change.
    """
    cursor.execute(SERVER)
    server = Server(*cursor.fetchall()[0])
    cursor.execute(TABLES)
    walls = {row[0]: TableWall(*row) for row in cursor.fetchall()}
    for sentence in (*faults_of_server(server), *faults_of_walls(walls, tables)):
        raise UnsafeError(f"{sentence} {_MORE}")


def faults_of_server(server: Server) -> Iterator[str]:
    """Say what is wrong with a server and with the role that asked, the gravest first."""
    if server.version < OLDEST:
        yield "PostgreSQL 15 or later is needed: upgrade the server."
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if getattr(server, name) == "off":
            yield f"PostgreSQL runs with {name} off, so a crash could lose what was answered: switch it on."
    if server.encoding != "UTF8":
        yield "The database is not encoded in UTF8: make one that is."
    if server.is_superuser or server.bypasses:
        yield "The service's database role gets past row-level security: ALTER ROLE it NOSUPERUSER NOBYPASSRLS."
    if server.row_security != "on":
        yield "row_security is off for the service's database role: switch it on."


def faults_of_walls(walls: Mapping[str, TableWall], tables: Sequence[str]) -> Iterator[str]:
    """Say what is wrong with the walls around the tables."""
    if any(wall.is_owned for wall in walls.values()):
        yield "The service's database role owns the tables: have another role own and migrate them."
    open_ones = [
        name
        for name in tables
        if name not in walls
        or not walls[name].forced
        or tuple(walls[name].policies) != MORE_POLICIES.get(name, POLICIES)
    ]
    if open_ones:
        yield f"Row-level security is not as the migrations left it on {', '.join(open_ones)}: put it back."


def require_verified(url: URL) -> None:
    """Refuse a URL that leaves this machine without verified TLS; asked before the first byte is sent.

    Raises:
        UnsafeError: it does, or it does not say where the server is.
    """
    if "service" in url.query:
        raise UnsafeError("MUNIMENT_DATABASE_URL must name the server itself, not a service file.")
    hosts = list(_hosts(url))
    if not hosts:
        raise UnsafeError("MUNIMENT_DATABASE_URL must name a host, or a socket's folder as ?host=/folder.")
    if not all(_is_here(host) for host in hosts) and url.query.get("sslmode") != "verify-full":
        raise UnsafeError(
            "The database lies across a network: add sslmode=verify-full&sslrootcert=… to MUNIMENT_DATABASE_URL."
        )


def _hosts(url: URL) -> Iterator[str]:
    """Every place that the driver might connect to; the query's words win over the URL's own in libpq."""
    given = [url.host, *(url.query.get(name) for name in _HOSTS)]
    for value in given:
        for text in (value,) if isinstance(value, str) else value or ():
            yield from text.split(",")


def _is_here(host: str) -> bool:
    """Say whether a host is this machine: a Unix socket's folder, or a loopback address."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
