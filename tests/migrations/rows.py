"""Three rows in every table, for tests of migrations and of walls: number n belongs to the firm ``logs_n``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Engine, LargeBinary, Table, inspect, select

from service.db.models import metadata

FIRMS: Final = ("logs_0", "logs_1", "logs_2")
_WORDS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "tasks": {"state": "open", "preset": "read"},
    "task_documents": {"direction": "in"},
    "access_requests": {"kind": "access", "state": "open"},
    "standing_shares": {"role": None, "sensitivity": "routine"},
}  # where a table's own check wants words of its own


def _value(table: Table, name: str, number: int) -> Any:
    column = table.columns[name]
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column.table
        return f"{target.name}_{number}"
    if isinstance(column.type, BigInteger):
        return {"owed": 0, "waived": 1, "lasts_s": 1}.get(name, number)  # what a check allows
    if isinstance(column.type, LargeBinary):
        return f"{name}_{number}".encode()
    fixed = {"kind": "firm", "side": "vendor", "status": "running", "state": "confirmed", "withheld": "invisible"}
    return f"{table.name}_{number}" if name == "id" else fixed.get(name, f"{name}_{number}")


def a_row(table: Table, number: int) -> dict[str, Any]:
    """Make the row of a table with a number."""
    row = {name: _value(table, name, number) for name in table.columns.keys()}  # noqa: SIM118  # a collection, no dict
    if table.name == "firms":
        row["id"] = f"logs_{number}"  # a firm has the id of its log
    row |= {name: f"logs_{number}" for name in row if name == "firm_id"}
    if "starts_at" in row:
        row["ends_at"] = row["starts_at"] + 1
    if "not_before" in row:
        row["not_after"] = row["not_before"] + 1
    if "valid_from" in row:
        row["valid_until"] = row["valid_from"] + 1
    if "due_at" in row:
        row["due_at"] = row["not_after"] = row["given_at"] + 1
    return {**row, **_WORDS.get(table.name, {})}


def there(connection: Connection) -> dict[str, set[str]]:
    """Name the tables that a database has at its revision, and their columns."""
    found = inspect(connection)
    return {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}


def fill_as_it_is(connection: Connection, *without: str) -> None:
    """Write one row into every table that a database has at its revision, of the columns that it has."""
    known = there(connection)
    for table in (each for each in metadata.sorted_tables if each.name in known and each.name not in without):
        row = {name: value for name, value in a_row(table, 1).items() if name in known[table.name]}
        connection.execute(table.insert(), row)


def as_it_is(connection: Connection, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """Read every table that a database has at its revision."""
    known = there(connection)
    return {
        table.name: [
            tuple(row)
            for row in connection.execute(select(*(column for column in table.c if column.name in known[table.name])))
        ]
        for table in metadata.sorted_tables
        if table.name in known and table.name not in without
    }


def fill(engine: Engine) -> None:
    """Write three rows into every table that is there, of the columns that it has, as somebody who may."""
    with engine.begin() as connection:
        known = there(connection)
        for table in (each for each in metadata.sorted_tables if each.name in known):
            for number in range(3):
                row = {name: value for name, value in a_row(table, number).items() if name in known[table.name]}
                connection.execute(table.insert(), row)


def content(engine: Engine) -> Mapping[str, list[Any]]:
    """Read all rows of all tables that are there, in the order of their keys."""
    with engine.connect() as connection:
        return {name: sorted(rows, key=repr) for name, rows in as_it_is(connection).items()}
