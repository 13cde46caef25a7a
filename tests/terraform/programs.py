"""Terraform for the tests: the program of this machine, providers from a folder, and nothing over the network.

Looked for at run time, and skipped with a sentence where it is missing:

* the program ``terraform`` on the PATH;
* the AWS provider in a mirror folder: named by ``TF_PLUGIN_MIRROR``, or a folder ``tf-plugins`` one step below the root
  of the file system or in the home folder, or one of terraform's own places for it.

Every run works in a copy of terraform/ with a home, configuration and environment of its own, so that credentials or
settings of the machine reach no provider.

Source: terraform's documentation, "CLI configuration file", provider installation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "terraform"
_PROVIDER = "*/hashicorp/aws"
_TIMEOUT_S = 300


class TerraformMissingError(Exception):
    """Terraform or its AWS provider is not on this machine."""


def find_terraform() -> str:
    """The path of the program.

    Raises:
        TerraformMissingError: it is not on the PATH.
    """
    program = shutil.which("terraform")
    if program is None:
        message = "the tests of terraform/ need the program `terraform` on the PATH"
        raise TerraformMissingError(message)
    return program


def find_mirror() -> Path:
    """The folder that has the AWS provider.

    Raises:
        TerraformMissingError: there is none.
    """
    for folder in _places():
        if any(folder.glob(_PROVIDER)):
            return folder
    message = "the tests of terraform/ need the AWS provider: name its mirror folder in TF_PLUGIN_MIRROR"
    raise TerraformMissingError(message)


def _places() -> Iterator[Path]:
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if named:
        yield Path(named)
        return
    home = Path.home()
    yield from sorted(Path(home.anchor).glob("*/tf-plugins"))
    yield home / "tf-plugins"
    yield home / ".terraform.d" / "plugins"
    yield home / ".local" / "share" / "terraform" / "plugins"


@dataclass(frozen=True, slots=True)
class Terraform:
    """A copy of terraform/ with its providers in place."""

    program: str
    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy; its output is kept, without colours.

        Raises:
            AssertionError: it failed and ``check`` is set; the message carries what it printed.
        """
        done = subprocess.run(
            [self.program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=_TIMEOUT_S,
        )
        if check and done.returncode != 0:
            message = (
                f"terraform {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
            )
            raise AssertionError(message)
        return done


def prepare(room: Path) -> Terraform:
    """Copy terraform/ into ``room``, an empty folder, and put the providers in place.

    Raises:
        TerraformMissingError: the program or the provider is not here.
    """
    program, mirror = find_terraform(), find_mirror()
    home = room / "home"
    home.mkdir()
    config = home / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_CLI_ARGS": "-no-color",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",  # asks nobody whether there is a newer version
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    copy = room / "terraform"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars"))
    terraform = Terraform(program, copy, environment)
    terraform.run("init", "-backend=false")
    return terraform
