"""Faults: every call fails, every instant is the last, every connection breaks; and what must be true afterwards."""
