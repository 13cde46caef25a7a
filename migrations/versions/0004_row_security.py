"""Roles and row-level security (PostgreSQL; on SQLite there is nothing to do).

Three groups of rights, one for each kind of work; a login role is a member of those whose work it does:

* ``muniment_app`` serves: it changes what a firm's world is made of, and appends to the log;
* ``muniment_disposer`` destroys: it moves a disposal on, forgets and rotates keys, and issues certificates;
* ``muniment_signer`` signs: it keeps the signer's memory and adds checkpoints.

None may change or delete what is written once, nor TRUNCATE anything. They are made here where they are not there and
whoever migrates may make roles; they belong to the whole cluster, so that several databases share them and going down
leaves them.

Every table shows the rows of one firm, the one that ``muniment.firm`` names, to everybody, its owner included; without
it none. Two exceptions, both asked for with ``muniment.firm = '*'``: the owner sees all (migrations with data,
backups), and the three groups may read the list of logs.

Takes a short exclusive lock on each table. Source: docs/adr/0015-row-level-security.md.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP, DISPOSER, SIGNER = GROUPS = ("muniment_app", "muniment_disposer", "muniment_signer")

# Table -> the column that names its firm; a firm's log has the firm's id.
FIRM_COLUMNS = {
    **dict.fromkeys(("logs", "firms"), "id"),
    **dict.fromkeys(
        ("log_entries", "log_tiles", "log_checkpoints", "log_signers", "log_chains", "log_intents"), "log_id"
    ),
    **dict.fromkeys(
        (
            *("vendors", "people", "matters", "matter_team", "engagements", "parts", "memberships", "tokens"),
            *("agreements", "agreement_versions", "signatures", "duties"),
            *("documents", "revisions", "grants", "asks", "walls", "holds"),
            *("uploads", "upload_pieces", "disposals", "certificates", "idempotency"),
        ),
        "firm_id",
    ),
}
SIGNED = ("log_checkpoints", "log_signers")
APPENDING = {  # what the ledger needs for whatever it records
    "SELECT": ("logs", "log_entries", "log_tiles", "log_chains", "log_intents"),
    "INSERT": ("log_entries", "log_tiles", "log_chains", "log_intents"),
    "UPDATE": ("logs (size, time_ms)", "log_chains (length, last_leaf)"),
    "DELETE": ("log_intents",),
}
ON_THEIR_WAY = ("uploads", "upload_pieces")  # rows that end
RIGHTS = {
    APP: {
        "SELECT": tuple(FIRM_COLUMNS),
        "INSERT": tuple(table for table in FIRM_COLUMNS if table not in (*SIGNED, "certificates")),
        "UPDATE": (
            *APPENDING["UPDATE"],
            *("matters", "matter_team", "engagements", "memberships", "tokens", "agreements", "duties"),
            *("documents", "revisions", "grants", "asks", "walls", "holds", "disposals", "uploads"),
        ),
        "DELETE": (*APPENDING["DELETE"], *ON_THEIR_WAY),
    },
    DISPOSER: {
        "SELECT": tuple(FIRM_COLUMNS),
        "INSERT": (*APPENDING["INSERT"], "certificates"),
        "UPDATE": (
            *APPENDING["UPDATE"],
            *("disposals (state, evidence, version)", "engagements (status, version)"),
            *("documents (state, version)", "revisions (wrapped_key)", "upload_pieces (wrapped_key)"),
            # Rotation: other keys in the place of the old ones. A restored log goes on under another origin.
            *(f"{table} (key_id, field_key)" for table in ("firms", "people", "engagements", "parts")),
            "logs (key_id, signing_key, origin, verifier_key)",
        ),
        "DELETE": (*APPENDING["DELETE"], *ON_THEIR_WAY),
    },
    SIGNER: {
        "SELECT": ("logs", "log_entries", "log_tiles", *SIGNED),
        "INSERT": SIGNED,
        # Of the head only because whoever locks a row must be allowed to change it.
        "UPDATE": ("log_signers (size, time_ms, frontier)", "logs (size, time_ms)"),
    },
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Make the groups, give them their rights, and show each firm its own rows only."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for group in GROUPS:
        _make(group)
        op.execute(f"GRANT SELECT ON alembic_version TO {group}")
        for verb, tables in RIGHTS[group].items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    for table, column in FIRM_COLUMNS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING ({column} = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")
    op.execute(f"CREATE POLICY list ON logs FOR SELECT TO {', '.join(GROUPS)} USING ({_FIRM} = '*')")


def _make(group: str) -> None:
    """Make a group of the cluster; another database's migration may be doing the same at this moment."""
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{group}') THEN CREATE ROLE {group} NOLOGIN; "
        "END IF; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def downgrade() -> None:
    """Take policies and rights away; the groups stay, for other databases use them, and may ask for the revision."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP POLICY list ON logs")
    for table in FIRM_COLUMNS:
        op.execute(f"DROP POLICY owner ON {table}")
        op.execute(f"DROP POLICY firm ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in FIRM_COLUMNS:
        op.execute(f"REVOKE ALL ON {table} FROM {', '.join(GROUPS)}")
