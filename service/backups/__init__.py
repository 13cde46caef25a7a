"""Backup and restore: rows, blobs and keys in three folders apart; and what a restored copy must do before it serves.

`backup` copies a living installation, `restore` puts a copy into an empty one, and `reconcile` brings rows that are
older than what is anchored outside of them (`service.older`) up to what can still be known.

Source: docs/adr/0016-backup.md.
"""

from service.backups.making import Made, backup
from service.backups.reconciling import Reconciled, reconcile
from service.backups.restoring import Restored, restore

__all__ = [
    "Made",
    "Reconciled",
    "Restored",
    "backup",
    "reconcile",
    "restore",
]
