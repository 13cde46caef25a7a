"""Three rows in every table, for tests of migrations and of walls: number n belongs to the firm ``logs_n``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Engine, LargeBinary, Table, inspect

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
    fixed = {"kind": "firm", "side": "vendor", "status": "running", "state": "confirmed"}
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
    return row


def tables_of(engine: Engine) -> list[Table]:
    """The tables that are there at the revision that the database is at, those that others refer to first."""
    there = set(inspect(engine).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in there]


def fill(engine: Engine) -> None:
    """Write three rows into every table, as somebody who may."""
    with engine.begin() as connection:
        for table in tables_of(engine):
            for number in range(3):
                connection.execute(table.insert(), a_row(table, number))


def content(engine: Engine) -> Mapping[str, list[Any]]:
    """Read all rows of all tables, in the order of their keys."""
    tables = tables_of(engine)
    with engine.connect() as connection:
        return {t.name: [tuple(r) for r in connection.execute(t.select().order_by(*t.primary_key))] for t in tables}
