"""A tracked file names no folder of the machine it was made on and no package registry."""

from __future__ import annotations

import pytest

from lint.traces import MAX_BYTES, check_traces

# Put together here, so that this file itself has no traces.
HOMES = ["/" + place for place in ("work/main/x", "home/ann/x", "Users/ann/x", "root/x")]
REGISTRIES = [
    "https://" + host for host in ("py" + "pi.org/simple", "files.python" + "hosted.org/x", "registry." + "npmjs.org")
]
OPTIONS = ["--index" + "-url https://example.org", "  --extra-index" + "-url x", "--find" + "-links x"]


@pytest.mark.parametrize("line", [*HOMES, *REGISTRIES, *OPTIONS, *(f"see {home!r}" for home in HOMES)])
def test_traces_are_found_with_their_line(line: str) -> None:
    (finding,) = check_traces("docs/x.md", f"first\n{line}\n".encode())
    assert (finding.path, finding.line, finding.rule) == ("docs/x.md", 2, "trace")


@pytest.mark.parametrize(
    "line",
    [
        "https://example.org/work/home",
        "./var/home/x",
        "network/work/",
        "~/papers/x",
        "/var/lib/muniment",
        "/homework/x",
        "PyPI",
        "$HOME/root/x",
    ],
)
def test_what_only_looks_alike_is_left_alone(line: str) -> None:
    assert list(check_traces("docs/x.md", line.encode())) == []


def test_binary_and_huge_files_are_left_alone() -> None:
    trace = HOMES[0].encode()
    assert list(check_traces("x.bin", b"\x00" + trace)) == []
    assert list(check_traces("x.txt", trace + b"\n" * MAX_BYTES)) == []
