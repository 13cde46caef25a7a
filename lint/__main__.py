"""``python -m lint``: check the tree around this folder by our own rules. Exit code 1 if anything was found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lint.calls import check_calls
from lint.names import check_names
from lint.sizes import check_sizes
from lint.source import Finding, Module
from lint.tables import CODE, SIZED
from lint.traces import check_traces

ROOT = Path(__file__).resolve().parents[1]


def project_files(root: Path) -> list[Path]:
    """The files that belong to the project: what git tracks or would track; without git, what lies in its folders."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- constant but for root
    except (OSError, subprocess.CalledProcessError):
        files = [path for top in CODE for path in (root / top).rglob("*") if "__pycache__" not in path.parts]
    else:
        files = [root / name for name in listed.stdout.split("\0") if name]
    return [path for path in files if path.is_file() and not path.is_symlink()]


def check_tree(root: Path, files: list[Path]) -> Iterator[Finding]:
    """Yield what any rule finds in the files of a tree."""
    for path in files:
        name = path.relative_to(root).as_posix()
        yield from check_traces(name, path.read_bytes())
        top = name.partition("/")[0]
        if path.suffix == ".py" and top in CODE:
            yield from check_module(name, path.read_text(encoding="utf-8"))


def check_module(path: str, text: str) -> Iterator[Finding]:
    """Yield what the rules for code find in one module.

    Args:
        path: POSIX path below the project's root.
        text: what the file says.
    """
    try:
        module = Module.parse(path, text)
    except SyntaxError as error:
        yield Finding(path, error.lineno or 1, "syntax", f"not Python {sys.version_info[0]}.{sys.version_info[1]}")
        return
    yield from check_names(module)
    yield from check_calls(module)
    if path.partition("/")[0] in SIZED:
        yield from check_sizes(module)


def main() -> int:
    """Print what was found, sorted; the number of findings decides the exit code."""
    findings = sorted(check_tree(ROOT, project_files(ROOT)))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
