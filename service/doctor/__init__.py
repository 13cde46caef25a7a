"""The doctor: looks whether everything is whole, and names what is not. Looking changes nothing.

It compares rows with blobs (`blobs`), keys with owners (`keys`), the log with its own entries, tiles, checkpoints and
anchors (`log`), and the rows that rules depend on with the events that made them (`replay`): a grant that nobody
granted is a forged row. It also asks whether this machine can look at uploads, and safely (`probes`). What it then
does, where it is told to, is recorded: `block` suspends what a forged row would open, `repair` collects orphans.

Findings name ids and say what to do; they never name titles or people.
"""

from service.doctor.block import block
from service.doctor.examine import ask_stores, examine
from service.doctor.findings import Finding, Severity
from service.doctor.look import GRACE_S
from service.doctor.probes import examine_probes
from service.doctor.repair import Repair, plan, repair

__all__ = [
    "GRACE_S",
    "Finding",
    "Repair",
    "Severity",
    "ask_stores",
    "block",
    "examine",
    "examine_probes",
    "plan",
    "repair",
]
