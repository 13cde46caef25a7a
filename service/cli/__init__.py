"""The commands: ``muniment``, also ``python -m service.cli``.

Two kinds, and no third:

* the operator's, at the machine (`init`, `serve`, `migrate`, `doctor`, `backup`, `restore`, `token`, `policy`): they
  open the installation and, where they change something, record it with the actor ``cli``;
* everybody's, over HTTP: the nouns of the API, made from the application's own OpenAPI description so that they cannot
  drift from it, and `audit`. They carry a bearer token and are no second door.

An error is one sentence and what to do, on stderr, with the exit code of `service.errors`; never a stack.
"""

from __future__ import annotations

from service.cli.root import main

__all__ = ["main"]
