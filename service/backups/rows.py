"""Rows as JSON lines, one file a table: read in one snapshot, put back in one transaction, on either database.

The first line of a file names its columns, each further one is a row in their order, firm by firm; bytes are base64.
What is sealed in the rows is sealed in the file.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Column, Executable, LargeBinary, Table, bindparam, insert, select, tuple_

from service.db.auditstore import each_log
from service.db.models import metadata
from service.db.session import Tx
from service.errors import UnsafeError

PAGE: Final = 1000  # rows fetched, written or put back at a time


def tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return list(metadata.sorted_tables)


def dump(tx: Tx, table: Table) -> Iterator[bytes]:
    """Yield the lines of a table."""
    columns = list(table.columns)
    yield _line([column.name for column in columns])
    for page in _pages(tx, table):
        yield b"".join(
            _line([_said(column, value) for column, value in zip(columns, row, strict=True)]) for row in page
        )


def load(tx: Tx, table: Table, lines: Iterable[bytes]) -> int:
    """Put the rows of a table back; return how many they were.

    Raises:
        UnsafeError: the columns are not those of this version.
    """
    columns, count, read = list(table.columns), 0, iter(lines)
    page: list[dict[str, Any]] = []
    firm, statement = _firm(table).name, insert(table)
    if json.loads(next(read, b"null")) != [column.name for column in columns]:
        raise UnsafeError("The rows of this backup are not of this version: restore with the one that made it.")
    for line in read:
        values = json.loads(line)
        row = {column.name: _read(column, value) for column, value in zip(columns, values, strict=True)}
        if len(page) == PAGE or (page and page[-1][firm] != row[firm]):
            _put(tx, statement, page, firm)
            page = []
        page.append(row)
        count += 1
    _put(tx, statement, page, firm)
    return count


def _put(tx: Tx, statement: Executable, page: list[dict[str, Any]], firm: str) -> None:
    """Put rows of one firm."""
    if page:
        tx.turn_to(page[0][firm])
        tx.run_many(statement, page)


def _firm(table: Table) -> Column[Any]:
    """The column that names whose row it is."""
    return next(table.c[name] for name in ("firm_id", "log_id", "id") if name in table.c)


def split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut pieces into lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        raise UnsafeError("A file of rows ends within a line.")


def _pages(tx: Tx, table: Table) -> Iterator[list[Any]]:
    keys = list(table.primary_key.columns)
    first = select(*table.columns).where(_firm(table) == bindparam("firm")).order_by(*keys).limit(PAGE)
    more = first.where(tuple_(*keys) > tuple_(*(bindparam(f"after_{key.name}", type_=key.type) for key in keys)))
    for log in each_log(tx):
        page = tx.all(first, firm=log.id)
        while page:
            yield page
            after = {f"after_{key.name}": getattr(page[-1], key.name) for key in keys}
            page = tx.all(more, firm=log.id, **after)


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _said(column: Column[Any], value: Any) -> Any:
    return b64encode(value).decode() if value is not None and isinstance(column.type, LargeBinary) else value


def _read(column: Column[Any], value: Any) -> Any:
    return b64decode(value) if value is not None and isinstance(column.type, LargeBinary) else value
