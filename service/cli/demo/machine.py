"""The machine that the demo runs on: commands, a server and the offline verifier, each a process of its own.

Nothing is reached into: what the demo knows of the installation it learns as its operator would, from what commands
print, and as everybody else does, over HTTP.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from service.cli.demo.proof import UnprovenError
from service.errors import BadInputError

MARK: Final = ".demo"  # a folder with this file in it is ours to empty
COMMAND_S: Final = 60
STOP_S: Final = 30
HEARD_S: Final = 5


def begin_home(home: Path, *, keep: bool) -> None:
    """Make the demo's folder, empty unless what is there shall be kept.

    Raises:
        BadInputError: there is something in it that the demo has not put there.
    """
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise BadInputError("--home: this folder holds something else than a demo. Name another one.")
    if home.exists() and not keep:
        shutil.rmtree(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / MARK).touch()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the offline verifier found."""

    exit_code: int
    report: Mapping[str, Any]


class Machine:
    """Runs processes on one installation.

    Args:
        home: its folder.
        settings: further settings, without MUNIMENT_.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home.resolve()
        self.url = ""
        self._server: subprocess.Popen[str] | None = None
        self._log: TextIO | None = None
        # What the shell has set for another installation must not reach this one.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")}
        ours = {f"MUNIMENT_{name.upper()}": value for name, value in settings.items()}
        self._environment = {**inherited, "PYTHONUNBUFFERED": "1", "MUNIMENT_HOME": str(self.home), **ours}

    def run(self, *arguments: str, code: int = 0) -> Any:
        """Run a command that prints JSON, and read it; `code` is what it must end with.

        Raises:
            UnprovenError: it ended otherwise.
        """
        done = subprocess.run(  # noqa: S603  # our own program, with arguments of our own
            [sys.executable, "-m", "service.cli", *arguments, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode != code:
            raise UnprovenError(f"`muniment {arguments[0]}` ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def start(self) -> None:
        """Start the server on a free port, and wait until it listens.

        Raises:
            UnprovenError: it ended instead.
        """
        self._log = (self.home / "server.log").open("a", encoding="utf-8")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", "0"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        line = self._server.stdout.readline() if self._server.stdout is not None else ""
        self.url = line.rpartition(" ")[2].strip()
        if not self.url.startswith("http"):
            raise UnprovenError(f"the server did not start: {self._last_words()}")

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return None if self._server is None else self._server.pid

    def stop(self) -> None:
        """Ask the server to stop, wait for it, and insist that it stopped in good order."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.terminate()
        try:
            code = server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            code = server.wait()
        if server.stdout is not None:
            server.stdout.close()
        if self._log is not None:
            self._log.close()
        if code != 0:
            raise UnprovenError(f"the server ended with {code}: {self._last_words()}")

    def abandon(self) -> None:
        """Make sure that no server is left behind, whatever happened before."""
        if self._server is not None:
            self._server.kill()
            with suppress(UnprovenError):
                self.stop()

    def _last_words(self) -> str:
        lines = (self.home / "server.log").read_text(encoding="utf-8").splitlines()
        return lines[-1] if lines else "it said nothing"

    def wait(self) -> None:
        """Wait until the server ends by itself, or somebody presses Ctrl-C.

        A terminal's Ctrl-C reaches the server too. It is left a moment to end: a second signal would find it leaving.
        """
        if self._server is None:
            return
        try:
            self._server.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(HEARD_S)
            raise


def verify(bundle: Path, *arguments: str) -> Verdict:
    """Run the offline verifier as an auditor would: another process, that knows the bundle and what is said here."""
    done = subprocess.run(  # noqa: S603  # our own program, with paths of our own
        [sys.executable, "-m", "audit", "verify", str(bundle), *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    return Verdict(done.returncode, json.loads(done.stdout) if done.stdout else {})
