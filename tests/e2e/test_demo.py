"""The demo proves the whole main job; these tests prove the demo: it ends well, and fails when something is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.cli.client import Client
from service.cli.demo import story
from service.cli.demo.proof import UnprovenError, refused, same, true
from service.errors import ForbiddenError, MunimentError, NotFoundError
from tests import demo_stack
from tests.postgres import PostgresMissingError
from tests.seaweed import SeaweedMissingError

DOCUMENTS = Path(__file__).parents[3] / "shared" / "documents"
LONGEST_S = 300
SHOWN = (
    r"a standing share gives the paralegal .* as it is confirmed, not before",
    r"the dry run says 2 papers, 1 left out .* \(set_changed\).* 1 was opened meanwhile \([\d,]+ bytes\)",
    r"with a reason, .* entry \d+ is the alert",
    r"each member is told “the member does the training that the firm asks for; the firm records it\.”",
    r"one person would lose \d+ downloads and \d+ papers, .* a download is refused: “your role does not include this\.",
    r"lifting it with a token alone is refused: “this act needs a fresh code of your authenticator”",
    r"told of 1 deletion and 1 insertion that lie hidden in it.* its text alone \(\d+ letters",
    r"its old id is 410 to the attorney and 404 to the paralegal; .* she had opened it \([\d,]+ bytes\)",
    r"one sign-in, two seats: .* papers of the other are 404",
)


def play(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "demo", "--home", str(home), *options],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")},
    )


def require_told(done: subprocess.CompletedProcess[str]) -> None:
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert sum(line.startswith("✓ ") for line in lines) == len(story.STEPS)
    assert not any(line.startswith("✗") for line in lines)
    assert "What was proved" in done.stdout
    require_shown(done.stdout)


def require_shown(told: str) -> None:
    """What scoping can do is told with the figure or the refusal that proves it."""
    assert [words for words in SHOWN if not re.search(words, told, re.IGNORECASE)] == []


@pytest.mark.long
def test_the_main_job_runs_on_real_court_filings(tmp_path: Path) -> None:
    if not DOCUMENTS.is_dir():
        pytest.skip("../shared/documents is not beside this clone: the demo was not tried on real filings")
    done = play(tmp_path / "demo", "--docs", str(DOCUMENTS))
    require_told(done)
    assert "empty.pdf: empty" in done.stdout
    papers = len([path for path in DOCUMENTS.iterdir() if path.is_file()]) + 1  # and the contact sheet
    assert re.search(rf"✓ {papers} papers are sealed", done.stdout)


def test_the_main_job_runs_and_a_server_left_running_answers_to_the_printed_tokens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "demo", "--home", str(tmp_path / "demo"), "--serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        told = ""
        for line in running.stdout:
            told += line
            if "until Ctrl-C" in line:
                break
        token = re.search(r"Sofia Reyes, paralegal.*(mun_\S+)", told)
        url = re.search(r"MUNIMENT_URL=(\S+)", told)
        engagement = re.search(r"documents list (eng_\w+)", told)
        try:
            assert token is not None, told
            assert url is not None
            assert engagement is not None
            client = Client(url[1], token[1], trust_env=False)
            assert list(client.items(f"/api/v1/engagements/{engagement[1]}/documents"))
            client.close()
        finally:
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to us and to the server together
            rest = running.stdout.read()
        assert running.wait(LONGEST_S) == 0, told + rest
    assert sum(line.startswith("✓ ") for line in told.splitlines()) == len(story.STEPS)
    assert "Fax of 4 March, cut off.pdf: unreadable" in told
    require_shown(told)
    proved = told.partition("What was proved")[0]
    assert "mun_" not in proved  # no token is printed before somebody is there to use it


@pytest.mark.long
def test_the_main_job_runs_on_postgres_and_s3_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    """Half a minute: the servers are started, and each request waits for real commits and signed requests."""
    command = [sys.executable, "-m", "tests.demo_stack", "--home", str(tmp_path / "demo"), "--serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        told, started = "", set[int]()
        for line in running.stdout:
            told += line
            if "until Ctrl-C" in line:
                started = children_of(running.pid)
                break
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to us and to the server together
        rest = running.stdout.read()
    assert running.returncode == 0, told + rest
    assert sum(line.startswith("✓ ") for line in told.splitlines()) == len(story.STEPS)
    assert "PostgreSQL and S3" in told
    require_shown(told)
    if sys.platform == "linux":
        assert len(started) >= 3  # the service, PostgreSQL, SeaweedFS
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def children_of(pid: int) -> set[int]:
    """The processes that a process has started, and those that they have; Linux only, else none."""
    named = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    first = {int(child) for names in named for child in names}
    return first | {each for child in first for each in children_of(child)}


@pytest.mark.parametrize("missing", [PostgresMissingError, SeaweedMissingError])
def test_a_server_that_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, missing: type[Exception]
) -> None:
    def play_nothing(*_arguments: object, **_named: object) -> int:
        raise missing("run `make venv`")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(demo_stack, "play", play_nothing)
    try:
        assert demo_stack.main(["--home", str(tmp_path / "demo")]) == demo_stack.EXIT_MISSING
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "make venv" in capsys.readouterr().err


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    done = play(tmp_path)
    assert done.returncode == 4
    assert "--home" in done.stderr
    assert precious.read_text(encoding="utf-8") == "mine"


def test_a_folder_without_papers_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = play(tmp_path / "demo", "--docs", str(tmp_path / "empty"))
    assert done.returncode == 4
    assert "--docs" in done.stderr


def test_a_step_that_proves_false_ends_the_demo_and_says_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(story, "STEPS", (lambda _stage: same(2, 3, "the count"), lambda _stage: "never told"))
    assert story.tell(docs=None, serve=False, keep=False, home=tmp_path / "demo") == 1
    told = capsys.readouterr().out
    assert "✗ the count: expected 3, found 2" in told
    assert "never told" not in told


def test_what_should_have_been_refused_and_was_not_is_no_proof() -> None:
    with pytest.raises(UnprovenError, match="it was allowed"), refused(NotFoundError, "reading"):
        pass


def test_another_refusal_than_the_expected_one_is_no_proof() -> None:
    with pytest.raises(UnprovenError, match="expected not_found, was answered forbidden"):  # noqa: SIM117  # the outer one looks at the inner one
        with refused(NotFoundError, "reading"):
            raise ForbiddenError


def test_the_expected_refusal_is_a_proof_and_keeps_its_words() -> None:
    with refused(MunimentError, "reading") as refusal:
        raise NotFoundError("Not here.")
    assert (refusal.code, refusal.words) == ("not_found", "Not here.")


def test_what_does_not_hold_is_no_proof() -> None:
    true([0], "something")
    with pytest.raises(UnprovenError, match="expected: something"):
        true([], "something")
