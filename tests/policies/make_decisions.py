"""Write policies/decisions.csv anew: ``python -m tests.policies.make_decisions``.

Run it on purpose, after a change of the policy, and read the difference line by line: the file is what the policy is
expected to answer, and a test compares every answer with it.
"""

from __future__ import annotations

from pathlib import Path

from service.scoping.matrix import Matrix
from service.scoping.table import render

POLICIES = Path(__file__).parents[2] / "policies"
HEAD = """\
# The whole policy, written out: what every role is answered for every act. Reviewed like code; a test compares all of
# it with what Casbin answers, in both directions. Made by: python -m tests.policies.make_decisions
# when: what must be true (words: policies/README.md), alternatives joined by "or".
# unless: each of these refuses all the same.
"""


def main() -> None:
    """Ask the policy for all its answers and write them down."""
    (POLICIES / "decisions.csv").write_text(HEAD + render(Matrix.load(POLICIES)), encoding="utf-8")


if __name__ == "__main__":
    main()
