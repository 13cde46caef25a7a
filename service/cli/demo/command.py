"""The command `muniment demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    docs: Annotated[Path | None, typer.Option(help="Folder of papers to use instead of the demo's own.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the server running, and print tokens.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Do not empty the folder first: add another firm.")] = False,
    home: Annotated[Path, typer.Option(help="Folder of the demo's installation; it is begun afresh.")] = Path(
        "var/demo"
    ),
) -> None:
    """Run the whole main job on sample papers and prove each step."""
    from service.cli.demo import story  # noqa: PLC0415  # draws papers with packages that only `make demo` installs

    raise typer.Exit(story.tell(docs=docs, serve=serve, keep=keep, home=home))
