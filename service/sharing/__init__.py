"""Sharing many: grants given and taken in one act, undone as a whole, and standing shares of papers to come.

docs/adr/0023-sharing-many.md says why.
"""
