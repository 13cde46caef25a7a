from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from service.cli import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_a_line_is_json_and_holds_what_is_known_to_be_safe(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("service.x").warning("a log could not be signed", extra={"log": "frm_1", "title": "Delgado"})
    (line,) = lines(capsys)
    assert line["event"] == "a log could not be signed"
    assert (line["level"], line["log"], line["logger"]) == ("warning", "frm_1", "service.x")
    assert "Delgado" not in json.dumps(line)


def test_of_a_fault_the_type_and_place_are_told_and_never_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    try:
        int("Maria Delgado")  # its message repeats what it was given
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    (line,) = lines(capsys)
    assert line["fault"] == "ValueError"
    assert str(line["where"]).startswith("['test_logs.py:")
    assert "Delgado" not in json.dumps(line)


def test_requests_are_not_logged_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("uvicorn.access").info("GET /api/v1/documents?label=x")
    assert lines(capsys) == []
