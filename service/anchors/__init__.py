"""Anchors: checkpoints of the logs, kept where the database's operator does not write.

Whoever can write both the database and an anchor can still lie to a reader who has neither an older checkpoint nor
another anchor; whoever can write only one of them is found out by the other.
"""
