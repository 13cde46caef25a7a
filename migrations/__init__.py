"""Alembic revisions, for SQLite and PostgreSQL alike."""
