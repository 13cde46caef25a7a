"""Rows of any table, made from its columns: what tests of migrations fill a database with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Table


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
    """A row that refers to the rows of the same number in other tables, and breaks no check."""
    row = {name: _value(table, name, number) for name in table.columns.keys()}  # noqa: SIM118  # a collection, no dict
    if table.name == "firms":
        row["id"] = f"logs_{number}"  # a firm has the id of its log
    row |= {name: f"logs_{number}" for name in row if name == "firm_id"}
    if "starts_at" in row:
        row["ends_at"] = row["starts_at"] + 1
    if "not_before" in row:
        row["not_after"] = row["not_before"] + 1
    return row
