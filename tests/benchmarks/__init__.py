"""Each budget measured beside its peer, in one run: ``make bench``, or ``python -m tests.benchmarks [NAME ...]``.

Rules kept here:

* ours and the peer work on the same payload, on the same machine, by turns, with the same durability; a row is the
  round whose ratio is the median of all rounds, so both figures come from the same moment;
* a ratio says how good we are (ours/peer for rates, peer/ours for times); absolute figures are the machine's;
* nothing is hard-coded but the floors and what is measured: budgets.py has both in words.

Rooms: budgets.py the rows and their floors; rounds.py how two things are compared; report.py the table and bench.json;
sealing.py, grants.py with deciding.py and listing.py, serving.py with load.py and plain.py, appending.py, verifying.py
the measurements themselves.
"""
