from __future__ import annotations

import json

import pytest

from service.cli.output import print_answer


@pytest.mark.parametrize("stored", ["[red]x[/red]", "[link=http://x]y[/link]", "[/]"])
def test_what_is_stored_is_never_markup(capsys: pytest.CaptureFixture[str], stored: str) -> None:
    print_answer({"title": stored}, as_json=False)
    print_answer({"items": [{"title": stored}]}, as_json=False)
    print_answer(stored, as_json=False)
    assert capsys.readouterr().out.count(stored) == 3


def test_what_is_stored_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    stored = "a\x1b]0;owned\x07\x1b[2Jb\x08\x0d\x9b\u202e"
    print_answer({"items": [{"title": stored}]}, as_json=False)
    print_answer({"title": stored, "all": [stored], "deep": {"title": stored}}, as_json=False)
    print_answer(stored, as_json=False)
    printed = capsys.readouterr().out
    assert printed.count("owned") == 5
    assert not set(printed) & set("\x1b\x07\x08\x0d\x9b\u202e")


def test_json_alone_goes_to_stdout_and_escapes_what_steers(capsys: pytest.CaptureFixture[str]) -> None:
    stored = {"title": "Übergabe \x1b[2J\x9b\u202e\n"}
    print_answer(stored, as_json=True)
    printed = capsys.readouterr().out
    assert "Übergabe" in printed
    assert not set(printed) & set("\x1b\x9b\u202e")
    assert json.loads(printed) == stored


def test_an_empty_list_is_said_and_more_pages_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer({"items": [], "next_cursor": None}, as_json=False)
    assert capsys.readouterr().out == "Nothing here.\n"
    print_answer({"items": [{"id": "x"}], "next_cursor": "abc"}, as_json=False)
    assert "--cursor abc" in capsys.readouterr().out


def test_what_is_nested_or_absent_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer({"who": {"id": 1}, "none": None, "yes": True, "list": ["a", "b"]}, as_json=False)
    printed = capsys.readouterr().out
    assert '{"id": 1}' in printed
    assert "–" in printed
    assert "yes" in printed
    assert "a, b" in printed
