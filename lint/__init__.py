"""Our own rules, which no linter on the shelf knows: ``python -m lint`` checks the tree (part of ``make lint``).

Rooms: source.py reads modules, names.py says who may use what, calls.py what nobody may write, sizes.py how long
things may grow, traces.py what a tracked file may not give away, tables.py holds every limit and every exception with
its reason. Nothing here changes a file, and no comment in the code switches a rule off: an exception is a line in
tables.py.
"""
