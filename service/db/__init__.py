"""Rows: tables, connections, ids and the SQL side of the audit log. Nothing here decides or commits for others."""
