"""Moving: sealing anew, and what faults leave of it."""
