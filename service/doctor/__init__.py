"""The doctor: looks whether everything is whole, and names what is not. It changes nothing.

It compares rows with blobs (`blobs`), keys with owners (`keys`), the log with its own entries, tiles, checkpoints and
anchors (`log`), and the rows that rules depend on with the events that made them (`replay`): a grant that nobody
granted is a forged row.

Findings name ids and say what to do; they never name titles or people.
"""

from service.doctor.examine import ask_stores, examine
from service.doctor.findings import Finding, Severity

__all__ = ["Finding", "Severity", "ask_stores", "examine"]
