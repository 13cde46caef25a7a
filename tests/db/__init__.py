"""Tests of connections, ids, tables and revisions."""
