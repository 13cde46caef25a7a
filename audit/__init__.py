"""Muniment's log, to be verified anywhere. It needs the standard library and `cryptography`."""
