"""Write answers.csv anew: ``python -m tests.api.make_answers``. Read the difference before it is committed.

It says what the service answers now, not what it should: whoever commits it has compared it with the design.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.api.asking import ask_everything
from tests.api.requests import write
from tests.api.routes import CASES
from tests.api.scene import Scene
from tests.world import a_world


async def main() -> None:
    """Ask everything and write down the answers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with a_world(home / "var", f"sqlite:///{home / 'muniment.db'}") as world:
            record = await ask_everything(await Scene.build(world))
    found: dict[str, dict[str, str]] = {}
    for each in record.asked:
        found.setdefault(each.case, {})[each.caller] = each.answer.word
    write({case: found[case] for case in CASES})


if __name__ == "__main__":
    asyncio.run(main())
