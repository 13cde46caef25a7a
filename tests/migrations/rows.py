"""Three rows in every table, for tests of migrations and of walls: number n belongs to the firm ``logs_n``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Engine, LargeBinary, Table, inspect, select

from service.db.models import metadata

FIRMS: Final = ("logs_0", "logs_1", "logs_2")


def _value(table: Table, name: str, number: int) -> Any:
    column = table.columns[name]
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column.table
        return f"{target.name}_{number}"
    if isinstance(column.type, BigInteger):
        return number
    if isinstance(column.type, LargeBinary):
        return f"{name}_{number}".encode()
    fixed = {"kind": "firm", "side": "vendor", "status": "running", "state": "confirmed", "withheld": "invisible"}
    if table.name == "access_requests":
        fixed |= {"kind": "access", "state": "open"}
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
    return row


def there(connection: Connection) -> Mapping[str, list[Any]]:
    """The columns of today's tables that a database has, parents first: at an older revision not all."""
    looked, found = inspect(connection), {}
    names = set(looked.get_table_names())
    for table in metadata.sorted_tables:
        if table.name in names:
            columns = {column["name"] for column in looked.get_columns(table.name)}
            found[table.name] = [column for column in table.columns if column.name in columns]
    return found


def older_row(connection: Connection, table: Table, number: int) -> dict[str, Any]:
    """Make a row of a table as the database has it."""
    columns = {column.name for column in there(connection)[table.name]}
    return {name: value for name, value in a_row(table, number).items() if name in columns}


def fill(engine: Engine) -> None:
    """Write three rows into every table, as somebody who may."""
    with engine.begin() as connection:
        tables = [metadata.tables[name] for name in there(connection)]
        for table in tables:
            for number in range(3):
                connection.execute(table.insert(), older_row(connection, table, number))


def content(engine: Engine) -> Mapping[str, list[Any]]:
    """Read all rows of all tables, in the order of their keys."""
    with engine.connect() as connection:
        return {
            name: [tuple(r) for r in connection.execute(select(*columns).order_by(*metadata.tables[name].primary_key))]
            for name, columns in there(connection).items()
        }
