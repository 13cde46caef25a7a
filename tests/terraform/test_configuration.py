from __future__ import annotations

from pathlib import Path

import pytest

from tests.terraform.conftest import Mocked
from tests.terraform.programs import SOURCE, Terraform, TerraformMissingError, find_mirror, find_terraform


def test_files_are_formatted_as_terraform_formats_them(terraform: Terraform) -> None:
    done = terraform.run("fmt", "-check", "-recursive", "-diff", check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_configuration_is_valid(terraform: Terraform) -> None:
    assert "The configuration is valid" in terraform.run("validate").stdout


def test_validation_catches_a_misspelt_argument(tmp_path: Path, terraform: Terraform) -> None:
    wrong = terraform.folder / "wrong.tf"
    wrong.write_text('resource "aws_kms_key" "wrong" {\n  enable_key_rotatoin = true\n}\n')
    try:
        assert terraform.run("validate", check=False).returncode == 1
    finally:
        wrong.unlink()


def test_terraforms_own_tests_pass(mocked: Mocked) -> None:
    assert mocked.exit_code == 0, mocked.said
    assert "0 failed" in mocked.said
    assert mocked.runs.keys() == {"as_it_comes", "one_process_has_one_role", "two_places_one_process"}


def test_every_variable_and_output_says_what_it_is() -> None:
    for name, word in (("variables.tf", "variable"), ("outputs.tf", "output")):
        text = (SOURCE / name).read_text(encoding="utf-8")
        assert text.count(f'\n{word} "') + text.startswith(f'{word} "') == text.count("\n  description = ")


def test_every_variable_is_in_the_readme() -> None:
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    names = [
        line.split('"')[1] for line in (SOURCE / "variables.tf").read_text().splitlines() if line[:9] == "variable "
    ]
    assert names
    assert [name for name in names if f"| `{name}` |" not in readme] == []


def test_a_machine_without_terraform_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformMissingError, match="terraform"):
        find_terraform()


def test_a_mirror_that_is_named_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TF_PLUGIN_MIRROR", str(tmp_path))
    with pytest.raises(TerraformMissingError, match="TF_PLUGIN_MIRROR"):
        find_mirror()
    (tmp_path / "registry" / "hashicorp" / "aws").mkdir(parents=True)
    assert find_mirror() == tmp_path
