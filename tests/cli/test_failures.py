from __future__ import annotations

import pytest

from audit.errors import CheckpointError
from service.cli.failures import report
from service.errors import BadInputError, MunimentError, all_errors


@pytest.mark.parametrize(
    "kind",
    [kind for kind in all_errors() if kind.__module__.startswith("service.errors.")],
    ids=lambda kind: str(kind.code),
)
def test_every_error_is_one_sentence_on_stderr_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], kind: type[MunimentError]
) -> None:
    assert report(kind()) == kind.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"{kind.title}: {kind.detail}\n"


def test_fields_that_are_wrong_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    report(BadInputError(extra={"errors": [{"pointer": "/body/email", "detail": "too short"}]}))
    assert capsys.readouterr().err.endswith("\n  /body/email: too short\n")


def test_a_fault_nobody_foresaw_tells_its_type_and_not_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ValueError("Maria Delgado")) == 1
    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert "Delgado" not in printed
    assert "Traceback" not in printed


def test_a_refusal_of_the_log_keeps_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(CheckpointError("no checkpoint")) == CheckpointError.exit_code
    assert "no checkpoint" in capsys.readouterr().err


def test_interrupting_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""
